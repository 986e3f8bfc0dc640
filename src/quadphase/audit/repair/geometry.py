"""The repaired grid of one volume: axes turned, spacing given or estimated, origin given, kept or matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.audit.matching import SliceMatch
from quadphase.audit.repair.axes import AxisSigns
from quadphase.audit.repair.spacing import GivenGeometry
from quadphase.io.release_tables import DECIMALS
from quadphase.model import Grid, Phase

__all__ = ["SpacingChoice", "choose_spacings", "turned_grid"]

FIELD_OF_VIEW_MM: Final = 400.0
"""D-FOV of the paper's protocol."""
ROUNDED_MM: Final = 10.0**-DECIMALS
"""What the rounding of `geometry.csv` may change."""
LIVER_HEIGHT_MM: Final = 165.0
LIVER_HEIGHT_SPREAD_MM: Final = 35.0
"""Dome to lowest tip of whole livers: 130 to 200 mm holds about two thirds of adults (our estimate from
mid-clavicular spans of 140 ± 17 mm, Kratzer et al., J Ultrasound Med 2003;22:1155, plus the dome)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacingChoice:
    """Spacing of one volume along columns, rows, slices, and how it is known.

    Parameters
    ----------
    status : str
        ``kept``, ``repaired`` (given by the table), ``assumed`` (estimated).
    """

    spacing_mm: tuple[float, float, float]
    status: str
    basis: str
    uncertainty: str = ""


def choose_spacings(
    case: CaseContext,
    given: Mapping[Phase, GivenGeometry],
    matches: Mapping[tuple[Phase, Phase], SliceMatch],
    *,
    estimate: bool,
) -> dict[Phase, SpacingChoice]:
    """Spacing of each phase; a nominal one that is neither given nor may be estimated is not in the result."""
    chosen: dict[Phase, SpacingChoice] = {}
    for phase, volume in case.volumes.items():
        stated = given.get(phase)
        if volume.grid is None:
            continue
        if stated is not None and all(v is not None for v in stated.spacing_mm):
            i, j, k = stated.spacing_mm
            spacing = (float(i or 0), float(j or 0), float(k or 0))
            if not volume.is_nominal and np.allclose(spacing, volume.grid.spacing_mm, rtol=1e-6, atol=ROUNDED_MM):
                # The table repeats the header, with fewer digits: nothing is repaired.
                spacing, status, basis = _kept(volume, volume.grid), "kept", "header, and the table agrees"
            else:
                status, basis = "repaired", "given by the table"
            chosen[phase] = SpacingChoice(spacing_mm=spacing, status=status, basis=basis)
        elif not volume.is_nominal:
            chosen[phase] = SpacingChoice(spacing_mm=_kept(volume, volume.grid), status="kept", basis="header")
    if not estimate:
        return chosen
    for phase, volume in case.volumes.items():
        if phase in chosen or volume.grid is None:
            continue
        stated = given.get(phase)
        in_plane, words, doubt = _in_plane(volume, stated, chosen)
        k = stated.spacing_mm[2] if stated is not None else None
        if k is not None:
            chosen[phase] = SpacingChoice(
                spacing_mm=(*in_plane, k), status="assumed", basis=f"slices given; {words}", uncertainty=doubt
            )
            continue
        matched = _from_sibling(phase, chosen, matches)
        if matched is not None:
            k, basis, spread = matched
        else:
            whole = _from_liver(volume)
            if whole is None:
                continue
            k, basis, spread = whole
        chosen[phase] = SpacingChoice(
            spacing_mm=(*in_plane, k), status="assumed", basis=f"{basis}; {words}", uncertainty=f"{spread}; {doubt}"
        )
    return chosen


def _kept(volume: VolumeFacts, grid: Grid) -> tuple[float, float, float]:
    """Spacing of the header, along the axes as they are stored: exchanged with them."""
    i, j, k = grid.spacing_mm
    return (j, i, k) if volume.orientation.exchanged else (i, j, k)


def _in_plane(
    volume: VolumeFacts, stated: GivenGeometry | None, chosen: Mapping[Phase, SpacingChoice]
) -> tuple[tuple[float, float], str, str]:
    if stated is not None and stated.spacing_mm[0] is not None and stated.spacing_mm[1] is not None:
        return (stated.spacing_mm[0], stated.spacing_mm[1]), "plane given by the table", ""
    for choice in chosen.values():
        if choice.status != "assumed":
            return choice.spacing_mm[:2], "plane as in another phase of the exam", "plane ±10 %"
    size = FIELD_OF_VIEW_MM / max(volume.stored_shape[:2])
    words = f"plane from a field of view of {FIELD_OF_VIEW_MM:.0f} mm"
    return (size, size), words, "plane -20 % … +25 % (fields of 320 to 500 mm)"


def _from_sibling(
    phase: Phase, chosen: Mapping[Phase, SpacingChoice], matches: Mapping[tuple[Phase, Phase], SliceMatch]
) -> tuple[float, str, str] | None:
    """Slice spacing from the best matched sibling whose own is known."""
    best: tuple[float, float, str, str] | None = None
    for (a, b), match in matches.items():
        if phase not in (a, b):
            continue
        other = b if phase is a else a
        if other not in chosen or chosen[other].status == "assumed":
            continue
        # k_b = rate · k_a: rate = spacing_a / spacing_b.
        rate = abs(match.rate)
        spacing = chosen[other].spacing_mm[2] * (rate if phase is a else 1 / rate)
        spread = max(match.rate_spread / rate, 0.02)
        score = max(match.forward, match.backward)
        if best is None or score > best[0]:
            best = (score, spacing, f"slices matched to {other.value}", f"slices ±{spread:.0%}")
    return None if best is None else best[1:]


def _from_liver(volume: VolumeFacts) -> tuple[float, str, str] | None:
    """Slice spacing from the height of a whole liver; the crudest estimate there is."""
    liver = volume.liver
    if liver is None or not liver.voxels or liver.is_cut or not liver.same_size:
        return None
    used = np.flatnonzero(liver.areas)
    slices = int(used[-1] - used[0] + 1)
    basis = f"{slices} slices of liver taken for {LIVER_HEIGHT_MM:.0f} mm"
    return (
        LIVER_HEIGHT_MM / slices,
        basis,
        f"slices ±{LIVER_HEIGHT_SPREAD_MM / LIVER_HEIGHT_MM:.0%} (one standard deviation)",
    )


def turned_grid(grid: Grid, signs: AxisSigns, spacing_mm: tuple[float, float, float]) -> Grid:
    """Grid with array axes exchanged, world axes turned, columns scaled; the centre of the volume keeps its place."""
    columns = [1, 0, 2] if signs.exchanged else [0, 1, 2]
    axes = np.diag([signs.right, signs.front, signs.head]) @ grid.affine[:3, columns]
    axes = axes / np.linalg.norm(axes, axis=0) * np.asarray(spacing_mm)
    middle = (np.array(grid.shape) - 1) / 2
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = grid.world_from_index(middle) - axes @ middle
    return Grid(grid.shape, affine)
