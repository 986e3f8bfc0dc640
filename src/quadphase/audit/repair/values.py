"""From stored values to HU, where it can be proved.

Proof rests on fat, which does not enhance: its mode lies near -100 HU in every phase. An offset is taken from two
anchors that agree (`anchors.offset_of`). Eight-bit values are taken for the squeezed window that the publication
claims (-200…200), if fat then lies where fat lies; if it does not, the usual abdominal window that fits is assumed, and
called an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.audit.anchors import FAT_HU, FAT_SLACK_HU, displaced, offset_of
from quadphase.audit.facts import Intensity
from quadphase.audit.measure.histogram import intensity_of, slice_histograms

__all__ = ["ValueMap", "value_map"]

WIDTH_HU: Final = 400.0
CLAIMED_HU: Final = (-200.0, 200.0)
"""Window of the paper (Luo et al. 2025)."""
USUAL_HU: Final = ((-160.0, 240.0), (-150.0, 250.0), (-175.0, 225.0))
"""Abdominal windows of the same width at levels 40, 50 and 25."""
FAT_TOLERANCE_HU: Final = 15.0
"""For an assumed window, tighter than for the claimed one: these lie 10 to 25 HU apart."""
SOFT_HU: Final = (25.0, 150.0)
"""Mode of soft tissue in any phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """HU = slope × stored + intercept, and why."""

    slope: float
    intercept: float
    basis: str
    uncertainty: str
    proved: bool

    def apply(self, stored: NDArray[Any]) -> NDArray[np.int16]:
        """Whole HU."""
        if self.slope == 1.0:
            return np.asarray(stored.astype(np.int32) + round(self.intercept), dtype=np.int16)
        return np.asarray(np.rint(stored.astype(np.float32) * self.slope + self.intercept), dtype=np.int16)


def value_map(stored: NDArray[Any], seen: Intensity) -> ValueMap | str | None:
    """The map to HU; None if values are HU already; a reason in words if they are not and it cannot be proved."""
    if seen.minimum <= -60:
        lost = displaced(seen)
        if lost:
            return f"{lost}: what was there before cannot be told"
        offset = offset_of(seen)
        if offset is None:
            return None
        exact = seen.window is not None
        return ValueMap(
            slope=1.0,
            intercept=-offset[0],
            basis=offset[1],
            uncertainty="" if exact else "±15 HU (position of fat and air)",
            proved=True,
        )
    if not (seen.minimum == 0 and seen.maximum == 255 and stored.dtype.kind in "iu"):
        return f"values {seen.minimum:.0f}…{seen.maximum:.0f} are no squeezed window; what they mean cannot be proved"
    return _squeezed(stored)


def _squeezed(stored: NDArray[Any]) -> ValueMap | str:
    slope = WIDTH_HU / 255.0
    first, counts = slice_histograms(np.rint(stored.astype(np.float32) * slope).astype(np.int16))
    claimed = intensity_of(first + round(CLAIMED_HU[0]), counts)
    if claimed.fat is None:
        others = [w for w in USUAL_HU if intensity_of(first + round(w[0]), counts).fat is not None]
        if not others:
            return "8-bit values without a peak of fat: the window they were squeezed from cannot be told"
    elif abs(claimed.fat - FAT_HU) <= FAT_SLACK_HU and _soft_is_plausible(claimed):
        return _map(CLAIMED_HU, claimed, proved=True)
    fitting = []
    for window in USUAL_HU:
        seen = intensity_of(first + round(window[0]), counts)
        if seen.fat is not None and _soft_is_plausible(seen):
            fitting.append((abs(seen.fat - FAT_HU), window, seen))
    if not fitting or min(error for error, _, _ in fitting) > FAT_TOLERANCE_HU:
        return "8-bit values whose fat fits no usual window of width 400"
    _, window, seen = min(fitting, key=lambda item: item[0])
    return _map(window, seen, proved=False)


def _soft_is_plausible(seen: Intensity) -> bool:
    return seen.soft is None or SOFT_HU[0] <= seen.soft <= SOFT_HU[1]


def _map(window: tuple[float, float], seen: Intensity, *, proved: bool) -> ValueMap:
    limits = f"{window[0]:.0f}…{window[1]:.0f}"
    doubt = "±0.8 HU from 8-bit steps; HU outside the window are lost"
    return ValueMap(
        slope=WIDTH_HU / 255.0,
        intercept=window[0],
        basis=f"8-bit window {limits} HU{' as published' if proved else ''}: fat then is at {seen.fat:.0f} HU",
        uncertainty=doubt if proved else f"±25 HU (neighbouring windows); {doubt}",
        proved=proved,
    )
