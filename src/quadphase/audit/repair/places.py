"""Where each repaired volume lies: where its header or the table says, or beside a sibling by matched slices.

A volume that lost its scanner origin is laid over the sibling that shows the same slices, first of all over one whose
own place is known. Only where every phase of the subject is lost are they laid over each other around 0. A volume that
matches none of them is centred at 0, and its line says that nothing is known of its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.audit.matching import SliceMatch
from quadphase.audit.repair.axes import AxisSigns
from quadphase.audit.repair.geometry import SpacingChoice, turned_grid
from quadphase.audit.repair.spacing import GivenGeometry
from quadphase.imaging.reorient import reorient_grid
from quadphase.model import GEOMETRY_TOLERANCE_MM, Grid, Phase

__all__ = ["STORAGE", "Place", "choose_places"]

STORAGE: Final = ("L", "P", "S")
"""Axes of repaired volumes: columns to the left, rows to the back, slices to the head, as in DICOM's usual axial
order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Grid of one repaired volume, and how its origin is known.

    Parameters
    ----------
    grid : Grid
        Axes as stored: left, back, head.
    status : str
        ``kept``, ``repaired`` (given by the table), ``assumed`` (beside a sibling, or around 0), ``left`` (its
        spacing is unknown, so it must go on looking unknown).
    spread_mm : float
        How far its height above the sibling may be wrong, for ``assumed``.
    """

    grid: Grid
    status: str
    basis: str = ""
    uncertainty: str = ""
    spread_mm: float = 0.0

    @property
    def middle_mm(self) -> tuple[float, float, float]:
        """Centre of the volume, RAS+."""
        x, y, z = self.grid.world_from_index((np.array(self.grid.shape) - 1) / 2)
        return float(x), float(y), float(z)


def choose_places(
    case: CaseContext,
    given: Mapping[Phase, GivenGeometry],
    signs: Mapping[Phase, AxisSigns],
    spacings: Mapping[Phase, SpacingChoice],
    matches: Mapping[tuple[Phase, Phase], SliceMatch],
) -> dict[Phase, Place]:
    """Place of each volume that has an affine; siblings are laid beside each other together."""
    places: dict[Phase, Place] = {}
    lost: dict[Phase, Grid] = {}
    for phase, volume in case.volumes.items():
        if volume.grid is None:
            continue
        spacing_mm = spacings[phase].spacing_mm if phase in spacings else volume.grid.spacing_mm
        grid = reorient_grid(turned_grid(volume.grid, signs[phase], spacing_mm), STORAGE)
        origin_mm = _given_origin(given.get(phase), volume, grid)
        if origin_mm is not None:
            places[phase] = Place(grid=_with_origin(grid, origin_mm), status="repaired", basis="given by the table")
        elif not volume.is_nominal:
            places[phase] = Place(grid=grid, status="kept")
        elif phase not in spacings:
            places[phase] = Place(grid=_with_origin(grid, (0.0, 0.0, 0.0)), status="left")
        else:
            lost[phase] = grid
    while lost:
        phase, place = _next(case, lost, places, signs, spacings, matches)
        places[phase] = place
        del lost[phase]
    return places


def _next(
    case: CaseContext,
    lost: Mapping[Phase, Grid],
    places: Mapping[Phase, Place],
    signs: Mapping[Phase, AxisSigns],
    spacings: Mapping[Phase, SpacingChoice],
    matches: Mapping[tuple[Phase, Phase], SliceMatch],
) -> tuple[Phase, Place]:
    """The lost volume that is known best, beside the sibling with a place whose slices it matches."""
    best: tuple[float, float, Phase, Phase, float] | None = None
    settled = [phase for phase in places if phase in spacings]
    for (a, b), match in matches.items():
        if not ((a in lost and b in settled) or (b in lost and a in settled)):
            continue
        # Middle of a in slices of b counted from the feet as its header claims; where that is wrong the axis is turned.
        n_a, n_b = (case.sketches[phase].grey.shape[2] for phase in (a, b))
        above_b = match.rate * (n_a - 1) / 2 + match.shift - (n_b - 1) / 2
        above_mm = above_b * spacings[b].spacing_mm[2] * signs[b].head
        phase, sibling, height_mm = (a, b, above_mm) if a in lost else (b, a, -above_mm)
        link = (-places[sibling].spread_mm, max(match.forward, match.backward), phase, sibling, height_mm)
        best = link if best is None else max(best, link, key=lambda known: known[:2])
    if best is None:
        phase = next(iter(lost))
        doubt = f"unknown, also relative to {', '.join(settled)}" if settled else "absolute: none"
        basis = "scanner origin is lost" + (", and its slices match no sibling that has a place" if settled else "")
        return phase, Place(
            grid=_centred(lost[phase], (0.0, 0.0, 0.0)),
            status="assumed",
            basis=f"{basis}; centred at 0",
            uncertainty=doubt,
        )
    _, _, phase, sibling, height_mm = best
    beside = places[sibling]
    x, y, z = beside.middle_mm
    spread_mm = beside.spread_mm + max(spacings[p].spacing_mm[2] for p in (phase, sibling))
    return phase, Place(
        grid=_centred(lost[phase], (x, y, z + height_mm)),
        status="assumed",
        basis=f"scanner origin is lost; plane centred as in {sibling}, height matched to its slices",
        uncertainty=f"relative to {sibling} ±{spread_mm:.1f} mm along z; the plane's centre is a guess",
        spread_mm=spread_mm,
    )


def _given_origin(given: GivenGeometry | None, volume: VolumeFacts, grid: Grid) -> tuple[float, float, float] | None:
    """Origin the table gives for the volume as stored; None where it is silent or says what the header says already."""
    if given is None or given.origin_mm is None:
        return None
    same = not volume.is_nominal and np.allclose(given.origin_mm, grid.origin_mm, rtol=0, atol=GEOMETRY_TOLERANCE_MM)
    return None if same else given.origin_mm


def _with_origin(grid: Grid, origin_mm: tuple[float, float, float]) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] = origin_mm
    return Grid(grid.shape, affine)


def _centred(grid: Grid, middle_mm: tuple[float, float, float]) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] += np.array(middle_mm) - grid.world_from_index((np.array(grid.shape) - 1) / 2)
    return Grid(grid.shape, affine)
