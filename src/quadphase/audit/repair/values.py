"""From stored values to HU, where it can be proved.

Proof rests on fat, which does not enhance: its mode lies near -103 HU in every phase. An offset is taken from two
anchors that agree (`hounsfield.offset_of`). Eight-bit values are taken for a squeezed window of width 400 (the only
one in use for this table); which one is told by where fat lies; plain soft tissue must then lie where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.audit.checks.volume.hounsfield import FAT_HU, offset_of
from quadphase.audit.facts import Intensity
from quadphase.audit.measure.histogram import intensity_of, slice_histograms

__all__ = ["ValueMap", "value_map"]

WIDTH_HU: Final = 400.0
WINDOWS_HU: Final = ((-200.0, 200.0), (-160.0, 240.0), (-150.0, 250.0), (-175.0, 225.0))
"""The paper's, and the usual abdominal windows of that width (levels 0, 40, 50, 25)."""
FAT_TOLERANCE_HU: Final = 9.0
"""Nearest pair of windows in the list lies 10 HU apart (-160 and -150): fat decides between them only within ±5."""
SOFT_HU: Final = (25.0, 150.0)
"""Mode of soft tissue in any phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """HU = slope × stored + intercept, and why.

    Parameters
    ----------
    window_hu : (int, int) or None
        Limits of the result, where values were clipped.
    """

    slope: float
    intercept: float
    basis: str
    uncertainty: str
    proved: bool
    window_hu: tuple[int, int] | None = None

    def apply(self, stored: NDArray[Any]) -> NDArray[np.int16]:
        """Whole HU."""
        if self.slope == 1.0:
            return np.asarray(stored.astype(np.int32) + round(self.intercept), dtype=np.int16)
        return np.asarray(np.rint(stored.astype(np.float32) * self.slope + self.intercept), dtype=np.int16)


def value_map(stored: NDArray[Any], seen: Intensity) -> ValueMap | str | None:
    """The map to HU; None if values are HU already; a reason in words if they are not and it cannot be proved."""
    if seen.minimum <= -60:
        offset = offset_of(seen)
        if offset is None:
            return None
        window = seen.window
        limits = None if window is None else (round(window[0] - offset[0]), round(window[1] - offset[0]))
        exact = window is not None
        return ValueMap(
            slope=1.0,
            intercept=-offset[0],
            basis=offset[1],
            uncertainty="" if exact else "±15 HU (position of fat and air)",
            proved=True,
            window_hu=limits,
        )
    if not (seen.minimum == 0 and seen.maximum == 255 and stored.dtype.kind in "iu"):
        return f"values {seen.minimum:.0f}…{seen.maximum:.0f} are no squeezed window; what they mean cannot be proved"
    return _squeezed(stored)


def _squeezed(stored: NDArray[Any]) -> ValueMap | str:
    slope = WIDTH_HU / 255.0
    first, counts = slice_histograms(np.rint(stored.astype(np.float32) * slope).astype(np.int16))
    # Squeezed values leave every third or so whole number empty: look at them through a smooth histogram shifted to HU.
    best: tuple[float, tuple[float, float], Intensity] | None = None
    for window in WINDOWS_HU:
        seen = intensity_of(first + round(window[0]), counts)
        if seen.fat is None:
            continue
        error = abs(seen.fat - FAT_HU)
        if best is None or error < best[0]:
            best = (error, window, seen)
    if best is None:
        return "8-bit values without a peak of fat: the window they were squeezed from cannot be told"
    error, window, seen = best
    if error > FAT_TOLERANCE_HU:
        return f"8-bit values whose fat fits no usual window of width 400 (nearest is {error:.0f} HU off)"
    if seen.soft is not None and not SOFT_HU[0] <= seen.soft <= SOFT_HU[1]:
        return f"8-bit values whose soft tissue would lie at {seen.soft:.0f} HU"
    return ValueMap(
        slope=slope,
        intercept=window[0],
        basis=f"8-bit window {window[0]:.0f}…{window[1]:.0f} HU: fat then is at {seen.fat:.0f}, expected {FAT_HU:.0f}",
        uncertainty="±0.8 HU from 8-bit steps; HU outside the window are lost",
        proved=True,
        window_hu=(round(window[0]), round(window[1])),
    )
