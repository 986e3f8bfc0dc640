"""The body and its landmarks on the working grid: skin, lungs, bone, spine, midline.

Landmarks come from density alone (air, fat, bone), which neither contrast nor disease of the liver changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.working_grid import BoolArray, FloatArray

SKIN_HU = -250.0
"""Between air and fat."""

BONE_HU = 200.0
"""Cortical bone; above the enhanced liver in every phase."""

CORTEX_HU = 350.0
"""Above enhanced kidneys (up to 300 HU) even when averaged over 3 mm."""

NECK_MM = 25.0
"""An arm lying against the flank joins it over less than twice this; no trunk is as narrow."""

LUNG_HU = (-930.0, -550.0)
"""Median of a lung; bowel gas is emptier, foam in the colon fuller."""

LUNG_MIN_ML = 25.0
"""Smaller pieces of air say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Landmarks of one scan on its working grid, shape (X, Y, Z), x to the right, y to the front, z up.

    Attributes
    ----------
    inside : (X, Y, Z) bool array
        The trunk, filled; arms and table removed where they are separate.
    lung : (X, Y, Z) bool array
        Lungs.
    bone, dense : (X, Y, Z) bool array
        Bone and anything as dense; cortical bone, denser than enhanced kidneys and vessels.
    midline : (Z,) float array
        x index of the spine.
    spine_front : (Z,) float array
        y index of the front of the vertebral body.
    left, right, back, front : (Z,) float array
        Extent of the trunk, indices.
    spine_seen : float
        Share of slices (with body) that show a spine.
    spacing_mm : float
        Edge of a voxel.
    """

    inside: BoolArray
    lung: BoolArray
    bone: BoolArray
    dense: BoolArray
    midline: npt.NDArray[np.float64]
    spine_front: npt.NDArray[np.float64]
    left: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    back: npt.NDArray[np.float64]
    front: npt.NDArray[np.float64]
    spine_seen: float
    spacing_mm: float


WHOLE_LUNG_ML = 800.0
"""A lung that does not reach the top of the scan is a whole lung; else it is gas in the bowel."""

LUNG_BASE_ML = 300.0
"""A smaller piece at the top of the scan is a recess, which lies in the back; in front it is stomach or colon."""


def find_body(hu: FloatArray, *, spacing_mm: float) -> Body | None:
    """Read body, lungs and spine.

    Parameters
    ----------
    hu : (X, Y, Z) float32 array
        Working volume.
    spacing_mm : float
        Voxel edge.

    Returns
    -------
    Body or None
        None when nothing body-like (0.2 l) is in the scan.
    """
    inside = _trunk(hu, spacing_mm)
    voxel_ml = spacing_mm**3 / 1000
    if inside.sum() * voxel_ml < 200:
        return None
    bone = (hu > BONE_HU) & inside
    depth = hu.shape[2]
    extent = np.full((4, depth), np.nan)
    for k in range(depth):
        xs, ys = np.flatnonzero(inside[:, :, k].any(axis=1)), np.flatnonzero(inside[:, :, k].any(axis=0))
        if xs.size:
            extent[:, k] = xs[0], xs[-1], ys[0], ys[-1]
    lung = _lungs(hu, inside, extent[2] + 0.45 * (extent[3] - extent[2]), voxel_ml)
    midline, spine_front, seen = _spine(bone, extent, spacing_mm)
    left, right, back, front = (_along_z(row) for row in extent)
    return Body(
        inside=inside,
        lung=lung,
        bone=bone,
        dense=(hu > CORTEX_HU) & inside,
        midline=midline,
        spine_front=spine_front,
        left=left,
        right=right,
        back=back,
        front=front,
        spine_seen=seen,
        spacing_mm=spacing_mm,
    )


def _trunk(hu: FloatArray, spacing_mm: float) -> BoolArray:
    """Largest piece after what is thin or hangs on by less than 50 mm (table, arms) is cut off, slice by slice."""
    tissue = hu > SKIN_HU
    core = np.zeros_like(tissue)
    for k in range(tissue.shape[2]):
        filled = ndimage.binary_fill_holes(ndimage.binary_opening(tissue[:, :, k], _disk(1)))
        tissue[:, :, k] = filled
        core[:, :, k] = ndimage.distance_transform_edt(filled) * spacing_mm > NECK_MM
    labels, count = ndimage.label(core)
    if not count:
        return np.zeros_like(tissue)
    core = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    body = np.zeros_like(tissue)
    for k in range(body.shape[2]):
        if not core[:, :, k].any():
            continue
        near = ndimage.distance_transform_edt(~core[:, :, k]) * spacing_mm <= NECK_MM + spacing_mm
        body[:, :, k] = near & tissue[:, :, k]
    return body


def _lungs(hu: FloatArray, inside: BoolArray, back_half: npt.NDArray[np.float64], voxel_ml: float) -> BoolArray:
    """Air of a lung's density: whole lungs, or pieces cut by the top of the scan and no gas in the bowel."""
    air = inside & (hu < -400)
    labels, count = ndimage.label(air)
    if not count:
        return air
    keep = np.zeros(count + 1, dtype=bool)
    top = int(np.flatnonzero(inside.any(axis=(0, 1)))[-1])
    for label in np.flatnonzero(np.bincount(labels.ravel())[1:] * voxel_ml > LUNG_MIN_ML) + 1:
        piece = labels == label
        volume_ml = float(piece.sum()) * voxel_ml
        at_top = bool(piece[:, :, top].any())
        behind = float(np.median(np.nonzero(piece)[1])) < back_half[top]
        if volume_ml > WHOLE_LUNG_ML or (at_top and (behind or volume_ml > LUNG_BASE_ML)):
            keep[label] = LUNG_HU[0] < np.median(hu[piece]) < LUNG_HU[1]
    return np.asarray(keep[labels])


def _spine(
    bone: BoolArray, extent: npt.NDArray[np.float64], spacing_mm: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Centre of the bone in the middle third of the back half; its front within 15 mm of that centre."""
    depth = bone.shape[2]
    middle, front = np.full(depth, np.nan), np.full(depth, np.nan)
    present = 0
    for k in range(depth):
        left, right, back, ahead = extent[:, k]
        if np.isnan(left):
            continue
        present += 1
        width, height = right - left, ahead - back
        x0, x1 = int(left + 0.3 * width), int(right - 0.3 * width) + 1
        y0, y1 = int(back), int(back + 0.62 * height) + 1
        window = bone[x0:x1, y0:y1, k]
        if window.sum() * spacing_mm**2 < 200:
            continue
        middle[k] = x0 + np.average(np.arange(x1 - x0), weights=window.sum(axis=1))
        reach = max(1, round(12 / spacing_mm))
        centre = round(middle[k])
        rows = np.flatnonzero(bone[max(0, centre - reach) : centre + reach + 1, y0:y1, k].sum(axis=0) >= reach)
        if rows.size:
            front[k] = y0 + rows[-1]
    seen = float(np.isfinite(middle).sum() / max(present, 1))
    fallback_x, fallback_y = (extent[0] + extent[1]) / 2, extent[2] + 0.45 * (extent[3] - extent[2])
    length = max(1, round(24 / spacing_mm)) | 1
    middle = _along_z(np.where(np.isfinite(middle), middle, np.nan if seen > 0.3 else fallback_x), length)
    front = _along_z(np.where(np.isfinite(front), front, np.nan if seen > 0.3 else fallback_y), length)
    return middle, front, seen


def _along_z(values: npt.NDArray[np.float64], window: int = 1) -> npt.NDArray[np.float64]:
    """Fill gaps from the neighbours and smooth by a running median."""
    good = np.flatnonzero(np.isfinite(values))
    if not good.size:
        return np.zeros_like(values)
    filled = np.interp(np.arange(values.size), good, values[good])
    if window > 1:
        filled = ndimage.gaussian_filter1d(ndimage.median_filter(filled, window, mode="nearest"), window / 6)
    return np.asarray(filled, dtype=np.float64)


def _disk(radius: int) -> BoolArray:
    grid = np.arange(-radius, radius + 1)
    return np.asarray(grid[:, None] ** 2 + grid[None, :] ** 2 <= (radius + 0.3) ** 2)
