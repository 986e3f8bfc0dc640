"""Contrast arrives in the order of the labels: great vessels brightest in C1, liver brightest in C2, both lowest in P.

Phases are matched slice by slice, then subtracted: bone cancels, what is left in front of the spine is aorta and vena
cava. Margins are half of the usual differences (Goshima et al., AJR 2006; phantom tables cite the values), so that
late arterial scans and cirrhotic livers stay silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from quadphase.audit.anchors import displaced, offset_of
from quadphase.audit.checks.volume.liver_content import MOST_ODD
from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import Sketch
from quadphase.audit.matching import match_slices
from quadphase.model import Finding, Phase

__all__ = ["check", "vessel_change"]

VESSELS_HU: Final = 20.0
"""Least brightening of aorta or vena cava in any contrast phase; usual are 80 (delayed) to 240 (arterial)."""
SWAP_HU: Final = 25.0
LIVER_HU: Final = 12.0
LEAST_SCORE: Final = 0.5


def check(case: CaseContext) -> Iterator[Finding]:
    comparable = _comparable(case)
    liver = {
        phase: volume.liver_value
        for phase, volume in case.volumes.items()
        if phase in comparable and volume.liver_value is not None and (volume.liver_odd or 0.0) <= MOST_ODD
    }
    vessels = _vessels(case, comparable)
    said = list(_contradictions(vessels, liver))
    if said:
        yield Finding.of("enhancement-contradicts", case.case, "; ".join(said))


def _contradictions(vessels: dict[Phase, float], liver: dict[Phase, float]) -> Iterator[str]:
    if Phase.P in vessels:
        for phase in (Phase.C1, Phase.C2, Phase.C3):
            if phase in vessels and vessels[phase] < VESSELS_HU:
                change = f"{vessels[phase]:+.0f} HU"
                yield f"great vessels are not brighter in {phase.value} than in P ({change})"
    for early, late in ((Phase.C1, Phase.C2), (Phase.C2, Phase.C3)):
        if early in vessels and late in vessels:
            gain = vessels[late] - vessels[early]
            brighter = liver.get(late, 0.0) - liver.get(early, 0.0) if early is Phase.C2 else 0.0
            if gain > SWAP_HU or (gain > SWAP_HU / 2 and brighter > LIVER_HU / 2):
                yield f"great vessels are {gain:.0f} HU brighter in {late.value} than in {early.value}"
    for low, high in ((Phase.P, Phase.C2), (Phase.C1, Phase.C2)):
        if low in liver and high in liver and liver[low] > liver[high] + LIVER_HU:
            values = f"{liver[low]:.0f} against {liver[high]:.0f}"
            yield f"the liver is brighter in {low.value} than in {high.value} ({values})"


def _comparable(case: CaseContext) -> frozenset[Phase]:
    """Phases in one unit: no HU at all, constant, or shifted and in 8 bit where their siblings differ, are left out."""
    units: dict[Phase, tuple[str, int]] = {}
    for phase, volume in case.volumes.items():
        seen = volume.intensity
        if seen.minimum < seen.maximum and not displaced(seen):
            offset = offset_of(seen)
            units[phase] = ("HU" if seen.minimum < -60 else volume.dtype, round(offset[0] / 10) if offset else 0)
    usual = Counter(units.values()).most_common(1)
    return frozenset(phase for phase, unit in units.items() if usual and unit == usual[0][0])


def _vessels(case: CaseContext, comparable: frozenset[Phase]) -> dict[Phase, float]:
    """Brightening of the great vessels against the plain phase, by phase; empty without one.

    Between two contrast phases the aorta darkens while the vena cava brightens: no single number tells.
    """
    phases = [phase for phase in Phase if phase in case.sketches and phase in comparable]
    if len(phases) < 2 or phases[0] is not Phase.P:
        return {}
    first = phases[0]
    changes: dict[Phase, float] = {first: 0.0}
    for phase in phases[1:]:
        trusted = not (case.volumes[first].is_nominal or case.volumes[phase].is_nominal)
        change = vessel_change(case.sketches[first], case.sketches[phase], trust_spacing=trusted)
        if change is not None:
            changes[phase] = change
    return changes


def vessel_change(a: Sketch, b: Sketch, *, trust_spacing: bool) -> float | None:
    """How much brighter aorta and vena cava are in `b` than in `a`, HU; None if they cannot be laid over each other."""
    same_plane = a.grey.shape[:2] == b.grey.shape[:2] and np.allclose(a.spacing_mm[:2], b.spacing_mm[:2], rtol=0.02)
    match = match_slices(a, b, trust_spacing=trust_spacing)
    if not same_plane or match is None or max(match.forward, match.backward) < LEAST_SCORE:
        return None
    k_a = np.arange(a.grey.shape[2])
    k_b = np.rint(match.rate * k_a + match.shift).astype(int)
    inside = (k_b >= 0) & (k_b < b.grey.shape[2])
    box = _prevertebral(a)
    if box is None or inside.sum() < 4:
        return None
    before = a.black + a.grey[box][:, :, k_a[inside]] * a.unit
    after = b.black + b.grey[box][:, :, k_b[inside]] * b.unit
    width = max(1, round(9.0 / max(a.spacing_mm[0], 0.3)))
    smooth: NDArray[np.float32] = ndimage.uniform_filter(after - before, size=(width, width, 1))
    low, high = np.percentile(smooth, (2, 98))
    return float(high if high >= -low else low)


def _prevertebral(picture: Sketch) -> tuple[slice, slice] | None:
    """The plane in front of the spine: a fifth of the body's width (no kidney), a quarter to 60 % of its depth."""
    body = picture.body
    columns, rows = np.flatnonzero(body.any(axis=(1, 2))), np.flatnonzero(body.any(axis=(0, 2)))
    if columns.size < 20 or rows.size < 20:
        return None
    bone = (picture.grey > 0.88) & body
    profile = bone[columns[0] + columns.size // 3 : columns[-1] - columns.size // 3].sum(axis=(0, 2))
    middle = rows.size // 2
    flipped = profile[rows[0] : rows[0] + middle].sum() < profile[rows[0] + middle : rows[-1] + 1].sum()
    near, far = (0.40, 0.75) if flipped else (0.25, 0.60)
    return (
        slice(columns[0] + round(0.41 * columns.size), columns[0] + round(0.59 * columns.size)),
        slice(rows[0] + round(near * rows.size), rows[0] + round(far * rows.size)),
    )
