"""The inside of the rib cage: where a liver can be at all.

Liver and the muscle between the ribs have the same density, and the fat between them is thinner than a voxel, so
the wall is drawn from the ribs. Around a centre in the belly, the inner face of the ribs is read along rays
wherever a ray meets one; between ribs, and below them, the radius is filled in by normalised convolution (Knutsson
and Westin 1993, doi 10.1109/CVPR.1993.341081) of what the ribs say: directly where ribs are near, else as the
thickness of the wall under the outer muscle surface.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.body import Body
from quadphase.localize.working_grid import BoolArray, FloatArray

ANGLES = 144
"""Rays per slice: 2.5°, about 5 mm at the wall."""

RIB_HU = 160.0
"""Ribs are thin: at 3 mm their cortex is averaged with marrow and muscle."""

MUSCLE_HU = -15.0
"""Tissue, not fat; a thin muscle is averaged with fat."""

SKIN_MM = 6.0
"""Skin, with the blur of its outer face."""

FAT_HU = -40.0
"""Fat, or a voxel mostly of fat."""

FAT_STEPS = 6
"""Fat this many samples (a third of a voxel each) deep: the planes of fat between the wall's muscles are thinner."""

WALL_SCALE_MM = 6.0
"""A thin wall seen is a wall; a thick one may be wall plus bowel, so it weighs less."""

WALL_MAX_MM = 45.0
"""A rib lies within this depth of the outer muscle surface (scapular and back muscle included)."""

SPINE_MM = 40.0
"""Bone nearer to the centre than this is spine."""

RIB_TO_CAVITY_MM = 2.5
"""Pleura, diaphragm and the blur of a rib's inner face."""

DEFAULT_WALL_MM = 16.0
"""Wall thickness where no rib is seen at all: about the muscles of the flank."""


def find_cavity(hu: FloatArray, body: Body, *, spacing_mm: float) -> tuple[BoolArray, float]:
    """Return the inside of the rib cage or belly wall, and how much of it was drawn from ribs.

    Parameters
    ----------
    hu : (X, Y, Z) float32 array
    body : Body
    spacing_mm : float

    Returns
    -------
    cavity : (X, Y, Z) bool array
    rib_share : float
        Share of rays on the two flanks with a rib near, 0 to 1.
    """
    radius_mm, rib_share, centre = _wall(hu, body, spacing_mm)
    cavity = np.zeros(hu.shape, dtype=bool)
    x, y = np.ogrid[: hu.shape[0], : hu.shape[1]]
    for k in range(hu.shape[2]):
        dx, dy = (x - centre[0, k]) * spacing_mm, (y - centre[1, k]) * spacing_mm
        angle = np.arctan2(dy, dx) % (2 * np.pi) / (2 * np.pi) * ANGLES
        low = angle.astype(int) % ANGLES
        part = angle - np.floor(angle)
        limit = radius_mm[low, k] * (1 - part) + radius_mm[(low + 1) % ANGLES, k] * part
        cavity[:, :, k] = np.hypot(dx, dy) <= limit
    return cavity & body.inside, rib_share


def _wall(
    hu: FloatArray, body: Body, spacing_mm: float
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """Radius of the wall along each ray in mm, share of the flanks with ribs, centre of each slice as indices."""
    centre = np.stack([body.midline, body.spine_front + 0.30 * (body.front - body.spine_front)])
    window = max(1, round(30 / spacing_mm)) | 1
    centre = ndimage.gaussian_filter1d(centre, window / 3, axis=1, mode="nearest")
    outer, rib = _read_rays(hu, body, centre, spacing_mm)
    good = np.isfinite(outer)
    padded = np.pad(np.where(good, outer, 0), ((2, 2), (0, 0)), mode="wrap")
    outer = ndimage.median_filter(padded, (5, 3), mode="nearest")[2:-2]
    outer = _normalised(outer, good.astype(float), 1.0, 2 / spacing_mm)[0]
    outer = _bridge(outer)
    thickness = outer - rib
    seen = np.isfinite(thickness) & (thickness > 4)
    if seen.any():
        middle = float(np.median(thickness[seen]))
        seen &= thickness < middle + 15
    near, near_weight = _normalised(np.where(seen, rib, 0), seen.astype(float), 2.5, 8 / spacing_mm)
    bare = _wall_before_fat(hu, outer, centre, spacing_mm)
    sample = np.where(seen, thickness, bare)
    known = np.isfinite(sample)
    weight = np.where(seen, 1.0, np.exp(-np.nan_to_num(bare) / WALL_SCALE_MM)) * known
    wide, wide_weight = _normalised(np.where(known, sample, 0), weight, 5.0, 15 / spacing_mm)
    wall = np.where(wide_weight > 1e-3, wide, DEFAULT_WALL_MM)
    by_muscle = outer - np.clip(wall, 5, 40)
    trust = np.clip(near_weight / 0.08, 0, 1)
    radius = trust * near + (1 - trust) * by_muscle
    flank = np.abs(np.cos(np.arange(ANGLES) / ANGLES * 2 * np.pi)) > 0.7
    return radius - RIB_TO_CAVITY_MM, float((trust[flank] > 0.5).mean()), centre


def _read_rays(
    hu: FloatArray, body: Body, centre: npt.NDArray[np.float64], spacing_mm: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Outer face of the muscle and inner face of the rib along each ray of each slice, in mm; NaN where none is met."""
    depth = hu.shape[2]
    radii = np.arange(0, float(np.hypot(*hu.shape[:2])) * spacing_mm, spacing_mm / 2)
    theta = np.arange(ANGLES) / ANGLES * 2 * np.pi
    outer = np.full((ANGLES, depth), np.nan)
    rib = np.full((ANGLES, depth), np.nan)
    muscle = _without_skin(hu, body, spacing_mm)
    for k in range(depth):
        px = centre[0, k] + np.cos(theta)[:, None] * radii / spacing_mm
        py = centre[1, k] + np.sin(theta)[:, None] * radii / spacing_mm
        ix, iy = np.round(px).astype(int), np.round(py).astype(int)
        valid = (ix >= 0) & (iy >= 0) & (ix < hu.shape[0]) & (iy < hu.shape[1])
        ix, iy = np.clip(ix, 0, hu.shape[0] - 1), np.clip(iy, 0, hu.shape[1] - 1)
        outer[:, k] = _last_true(muscle[ix, iy, k] & valid, radii)
        ray = np.where(valid, ndimage.map_coordinates(hu[:, :, k], [px, py], order=1, mode="nearest"), -1000)
        bone = (ray > RIB_HU) & (radii[None] > outer[:, k, None] - WALL_MAX_MM) & (radii[None] > SPINE_MM)
        rib[:, k] = _inner_face_of_outermost(bone, radii)
    return outer, rib


def _bridge(outer: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Close the dips where a ray slips through a seam of the wall (linea alba, between cartilages)."""
    size = (13, 1)
    grown = ndimage.maximum_filter(outer, size, mode="wrap")
    return np.asarray(ndimage.minimum_filter(grown, size, mode="wrap"))


def _wall_before_fat(
    hu: FloatArray, outer: npt.NDArray[np.float64], centre: npt.NDArray[np.float64], spacing_mm: float
) -> npt.NDArray[np.float64]:
    """Thickness of the muscle where fat or gas lies behind it, NaN where an organ touches the wall."""
    step = spacing_mm / 3
    inward = np.arange(0, 30, step)
    theta = (np.arange(ANGLES) / ANGLES * 2 * np.pi)[:, None]
    out = np.full(outer.shape, np.nan)
    for k in range(outer.shape[1]):
        r = (outer[:, k, None] - inward) / spacing_mm
        px, py = centre[0, k] + np.cos(theta) * r, centre[1, k] + np.sin(theta) * r
        ray = ndimage.map_coordinates(hu[:, :, k], [px, py], order=1, mode="nearest")
        fat = ndimage.minimum_filter1d((ray < FAT_HU).astype(np.uint8), FAT_STEPS, axis=1, origin=-(FAT_STEPS // 2)) > 0
        fat[:, inward < 4] = False
        muscle = (ray > MUSCLE_HU)[:, inward < 6].any(axis=1)
        found = fat.any(axis=1) & muscle
        out[found, k] = inward[fat.argmax(axis=1)[found]]
    return out


def _without_skin(hu: FloatArray, body: Body, spacing_mm: float) -> BoolArray:
    skin = np.ones((3, 3, 1), dtype=bool)
    deep = ndimage.binary_erosion(body.inside, skin, iterations=max(1, round(SKIN_MM / spacing_mm)))
    return np.asarray((hu > MUSCLE_HU) & deep)


def _last_true(hit: BoolArray, radii: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    last = hit.shape[1] - 1 - hit[:, ::-1].argmax(axis=1)
    return np.where(hit.any(axis=1), radii[last], np.nan)


def _inner_face_of_outermost(hit: BoolArray, radii: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Radius where the outermost run of hits begins."""
    last = hit.shape[1] - 1 - hit[:, ::-1].argmax(axis=1)
    out = np.full(hit.shape[0], np.nan)
    for row in np.flatnonzero(hit.any(axis=1)):
        start = last[row]
        while start > 0 and hit[row, start - 1]:
            start -= 1
        out[row] = radii[start]
    return out


def _normalised(
    values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], sigma_angle: float, sigma_z: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Smooth what is known into what is not; return the values and how much was known nearby."""

    def smooth(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        around = ndimage.gaussian_filter1d(array, sigma_angle, axis=0, mode="wrap")
        return np.asarray(ndimage.gaussian_filter1d(around, sigma_z, axis=1, mode="nearest"))

    total = smooth(weight)
    return smooth(values * weight) / np.maximum(total, 1e-9), total
