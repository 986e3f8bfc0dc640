"""The built-in finder on one scan: from HU to a probability of liver on the working grid.

Body and ribs give the room, the diaphragm its roof, even tissue at the right wall the liver's density, and a random
walker the rest. Three walkers with different tempers run; their mean is the answer and their disagreement part of
its confidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.acceptance import Signs, refuse_boneless, refuse_too_small, refuse_wrong_region
from quadphase.localize.body import find_body
from quadphase.localize.cavity import find_cavity
from quadphase.localize.diaphragm import find_diaphragm
from quadphase.localize.evidence import Place, Temper, grow
from quadphase.localize.level import LiverLevel, find_levels
from quadphase.localize.place import locate
from quadphase.localize.results import LiverSettings, NoLiverError, NoLiverReason
from quadphase.localize.shape import tidy
from quadphase.localize.walker import smooth_edges
from quadphase.localize.working_grid import BoolArray, FloatArray, WorkingVolume, to_working_grid
from quadphase.model import Volume

DENOISE_HU = 25.0
"""Edges kept when denoising: between liver and fat 150 HU, between liver and muscle in a contrast phase 40."""

EDGE_HU = 12.0
"""Step between neighbours at 3 mm that stops most of the flow; noise after denoising is 3 to 5 HU."""

TEMPERS = (Temper(), Temper(width=0.8, against=1.6), Temper(width=1.25, neck_mm=6.0, against=0.8))
"""As found, stricter, laxer."""

WALL_BAND_MM = 12.0
"""Tissue this near the right wall touches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One phase as the finder sees it; arrays are (X, Y, Z) on the cropped working grid.

    Attributes
    ----------
    work : WorkingVolume
        Cropped to the cavity.
    smooth : float32 array
        Denoised HU.
    place : Place
    wall_band : bool array
        Within 12 mm of the right wall.
    levels : tuple of LiverLevel
    probability, local_hu : float32 array
    members : tuple of float32 array
        Probability of each temper.
    apart : bool array
        Parts beyond a fissure, see `quadphase.localize.evidence.grow`.
    mask : bool array
    rib_share : float
    mirrored : bool
    """

    work: WorkingVolume
    smooth: FloatArray
    place: Place
    wall_band: BoolArray
    levels: tuple[LiverLevel, ...]
    probability: FloatArray
    local_hu: FloatArray
    members: tuple[FloatArray, ...]
    apart: BoolArray
    mask: BoolArray
    rib_share: float
    mirrored: bool

    def signs(self) -> Signs:
        """Measure what the confidence is made of."""
        work = self.work
        area = self.mask.sum(axis=(0, 1)).astype(float)
        largest = max(float(area.max()), 1.0)
        near_lung = ndimage.binary_dilation(self.place.lung, iterations=max(1, round(WALL_BAND_MM / work.spacing_mm)))
        spread = max(10.0, 1.5 * self.levels[0].sigma_hu) * 1.8
        even = np.abs(self.smooth - self.local_hu) < spread
        for other in self.levels[1:]:
            even |= np.abs(self.smooth - other.hu) < spread
        size = max(int(self.mask.sum()), 1)
        dice = [2 * int(((m > 0.5) & self.mask).sum()) / max(int((m > 0.5).sum()) + size, 1) for m in self.members]
        return Signs(
            volume_ml=size * work.spacing_mm**3 / 1000,
            stability=float(np.mean(dice)),
            wall_contact=_contact(self.mask, self.wall_band | near_lung),
            even_share=float((even & self.mask).sum() / size),
            rib_share=self.rib_share,
            cut_top=float(area[-1] / largest),
            cut_bottom=float(area[0] / largest),
            mirrored=self.mirrored,
        )


def read_phase(volume: Volume, settings: LiverSettings) -> Reading:
    """Find the liver in one scan.

    Parameters
    ----------
    volume : Volume
        Any orientation.
    settings : LiverSettings

    Returns
    -------
    Reading

    Raises
    ------
    NoLiverError
        With the reason.
    """
    spacing_mm = settings.spacing_mm
    work = to_working_grid(volume.hu, volume.grid, spacing_mm=spacing_mm)
    _refuse_too_few(volume, work, settings)
    body = find_body(work.hu, spacing_mm=spacing_mm)
    refuse_wrong_region(body, None)
    assert body is not None  # noqa: S101 - refused above
    cavity, rib_share = find_cavity(work.hu, body, spacing_mm=spacing_mm)
    refuse_boneless(body, rib_share)
    refuse_wrong_region(body, cavity)
    diaphragm = find_diaphragm(body, cavity, spacing_mm=spacing_mm)
    place = locate(work.hu, body, cavity, diaphragm)
    work, place, cavity = _crop(work, place, cavity)
    smooth = smooth_edges(np.clip(work.hu, -200, 350), edge_hu=DENOISE_HU)
    levels, band, mirrored = _levels(smooth, work.hu, place, cavity, spacing_mm)
    if not levels:
        raise NoLiverError(
            NoLiverReason.NO_LIVER_TISSUE,
            "No large even tissue lies against the right wall of the trunk",
            "If the scan does show a liver, add its mask by hand or use another backend",
        )
    first, local, apart = grow(smooth, levels, place, spacing_mm=spacing_mm, temper=TEMPERS[0], edge_hu=EDGE_HU)
    others = [
        grow(smooth, levels, place, spacing_mm=spacing_mm, temper=t, edge_hu=EDGE_HU, known_local=local, rounds=1)[0]
        for t in TEMPERS[1:]
    ]
    members = (first, *others)
    reading = Reading(
        work=work,
        smooth=smooth,
        place=place,
        wall_band=band,
        levels=tuple(levels),
        probability=np.mean(members, axis=0, dtype=np.float32),
        local_hu=local,
        members=members,
        apart=apart,
        mask=np.zeros(smooth.shape, dtype=bool),
        rib_share=rib_share,
        mirrored=mirrored,
    )
    reading = with_probability(reading, reading.probability)
    refuse_too_small(float(reading.mask.sum()) * spacing_mm**3 / 1000, settings.min_volume_ml)
    return reading


def read_again(reading: Reading, belief: FloatArray, weight: float, apart: BoolArray) -> Reading:
    """Solve once more with what the other phases believe.

    Parameters
    ----------
    reading : Reading
    belief : (X, Y, Z) float32 array
        Probability from the other phases, NaN where they do not cover.
    weight : float
        Pull of the belief.
    apart : (X, Y, Z) bool array
        Parts beyond a fissure that the other phases show; a plain scan cannot tell them from bowel alone.

    Returns
    -------
    Reading
    """
    probability, local, apart = grow(
        reading.smooth,
        reading.levels,
        reading.place,
        spacing_mm=reading.work.spacing_mm,
        temper=Temper(),
        edge_hu=EDGE_HU,
        belief=belief,
        belief_weight=weight,
        known_local=reading.local_hu,
        known_apart=apart,
        rounds=1,
    )
    return with_probability(replace(reading, local_hu=local, apart=apart), probability)


def with_probability(reading: Reading, probability: FloatArray) -> Reading:
    """The same reading with another probability, and the mask that follows from it."""
    mask = tidy(probability > 0.5, spacing_mm=reading.work.spacing_mm, apart=reading.apart)
    return replace(reading, probability=probability, mask=mask)


def _refuse_too_few(volume: Volume, work: WorkingVolume, settings: LiverSettings) -> None:
    covered_mm = work.hu.shape[2] * work.spacing_mm
    if min(volume.grid.shape) < 3 or covered_mm < settings.min_coverage_mm:
        raise NoLiverError(
            NoLiverReason.TOO_FEW_SLICES,
            f"The scan has shape {volume.grid.shape} and covers about {covered_mm:.0f} mm along the body",
            f"At least 3 slices and {settings.min_coverage_mm:g} mm are needed",
        )


def _levels(
    smooth: FloatArray, hu: FloatArray, place: Place, cavity: BoolArray, spacing_mm: float
) -> tuple[list[LiverLevel], BoolArray, bool]:
    padded = np.pad(cavity, ((1, 1), (1, 1), (0, 0)))
    inside = np.stack([ndimage.distance_transform_edt(padded[:, :, k]) for k in range(cavity.shape[2])], axis=2)
    rim = cavity & (inside[1:-1, 1:-1] * spacing_mm < WALL_BAND_MM)
    tissue = place.domain & ~place.above & (hu > -60) & (hu < 300)
    wide = tissue & (place.against < 0.4)
    levels = find_levels(smooth, tissue & place.right, rim & place.right, wide, spacing_mm=spacing_mm)
    left = place.left
    mirror = find_levels(
        smooth[::-1], (tissue & left)[::-1], (rim & left)[::-1], tissue[::-1], spacing_mm=spacing_mm, secondary=False
    )
    mirrored = bool(levels and mirror and _weight(mirror[0]) > 1.5 * sum(_weight(level) for level in levels))
    return levels, rim & place.right, mirrored


def _weight(level: LiverLevel) -> float:
    return level.core_ml * (0.4 + level.wall_contact)


def _contact(mask: BoolArray, band: BoolArray) -> float:
    rows = mask.any(axis=0)
    end = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
    y, z = np.nonzero(rows)
    return float(band[end[y, z], y, z].mean()) if y.size else 0.0


def _crop(work: WorkingVolume, place: Place, cavity: BoolArray) -> tuple[WorkingVolume, Place, BoolArray]:
    """Keep the box around the cavity: filters on the whole field of view cost ten times as much."""
    if not cavity.any():
        raise NoLiverError(NoLiverReason.NO_LIVER_TISSUE, "No abdominal cavity was found", "Check the series")
    start, stop = [], []
    for axis in range(3):
        used = np.flatnonzero(cavity.any(axis=tuple(a for a in range(3) if a != axis)))
        start.append(max(0, int(used[0]) - 2))
        stop.append(min(cavity.shape[axis], int(used[-1]) + 3))
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    affine: npt.NDArray[np.float64] = work.affine.copy()
    affine[:3, 3] += work.affine[:3, :3] @ np.array(start)
    cropped = replace(work, hu=work.hu[box], affine=affine)
    placed = Place(
        domain=place.domain[box],
        against=place.against[box],
        above=place.above[box],
        lung=place.lung[box],
        right=place.right[box],
        left=place.left[box],
    )
    return cropped, placed, cavity[box]
