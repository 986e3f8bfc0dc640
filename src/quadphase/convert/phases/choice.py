"""Which stack becomes the volume of a phase when several could: the one a radiologist would measure on.

In this order: it covers what the exam's phases have in common, it is a primary image, its kernel is for soft tissue,
its slices are thin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from quadphase.convert.phases.features import StackFeatures

__all__ = ["FULL_COVERAGE", "best_stack", "coverage", "is_sharp"]

FULL_COVERAGE: Final = 0.9
"""Share of the exam's common range a volume must cover to count as complete."""

_NOMINAL_THIN_MM: Final = 1.0
"""Below this, thinner slices only add noise."""

_SHARP: Final = re.compile(
    r"^(?:b[5-9]\d|br[5-9]\d|bl[5-9]\d|i[5-9]\d|h[5-9]\d|hr[5-9]\d|u[5-9]\d)"  # Siemens B70f, Br64, Bl57
    r"|lung|bone|edge|detail|ultra"  # GE
    r"|^fc(?:3\d|5\d|8\d)|^(?:yc|yd|ye|yb|l|d|e)$|sharp"  # Canon FC30-59, FC80; Philips YC, YD, L, D, E
)


def is_sharp(kernel: str | None) -> bool:
    """Whether a reconstruction kernel is for bone or lung."""
    return bool(kernel and _SHARP.search(kernel.strip().lower()))


def coverage(stack: StackFeatures, stacks: Sequence[StackFeatures]) -> float:
    """Share of the range that most stacks of the exam cover, 0 to 1.

    The common range runs from the median of the lowest to the median of the highest positions.
    """
    lows, highs = sorted(s.z_extent_mm[0] for s in stacks), sorted(s.z_extent_mm[1] for s in stacks)
    low, high = lows[len(lows) // 2], highs[(len(highs) - 1) // 2]
    if high <= low:
        return 1.0
    shared = min(high, stack.z_extent_mm[1]) - max(low, stack.z_extent_mm[0])
    return max(shared, 0.0) / (high - low)


def best_stack(candidates: Sequence[int], stacks: Sequence[StackFeatures], preference: Sequence[float]) -> int:
    """Position of the stack to use.

    Parameters
    ----------
    candidates : sequence of int
        Positions in `stacks`.
    preference : sequence of float
        For each candidate, how well its acquisition fits the phase (log10 of odds); decides between acquisitions that
        are equally good otherwise.
    """

    def rank(n: int) -> tuple[object, ...]:
        stack = stacks[candidates[n]]
        covered = coverage(stack, stacks)
        primary = not {"SECONDARY", "DERIVED"} & {word.upper() for word in stack.image_type[:2]}
        thin = max(stack.slice_spacing_mm, _NOMINAL_THIN_MM)
        return (
            covered >= FULL_COVERAGE,
            round(preference[n], 1),
            primary,
            not is_sharp(stack.kernel),
            -thin,
            -candidates[n],
        )

    return candidates[max(range(len(candidates)), key=rank)]
