"""Which stacks are reconstructions of one acquisition: thick and thin slices, soft and sharp kernels of the same scan.

They must get the same phase, and only one of them becomes the volume of it. Equal acquisition times prove it; without
times, equal acquisition numbers with a different kernel or slice spacing over the same range do, unless words or
pixels say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from quadphase.convert.phases.features import EnhancementMeasures, StackFeatures
from quadphase.convert.phases.text import Reading

__all__ = ["group_acquisitions"]

_SAME_TIME_S: Final = 2.0
"""The first slice of a thick reconstruction lies a little later in the helix than that of a thin one."""
_DIFFERENT_HU: Final = 12.0
"""A tissue that differs more between two stacks was not scanned at the same moment; kernels change means by less."""


def group_acquisitions(stacks: Sequence[StackFeatures], readings: Sequence[Reading]) -> tuple[tuple[int, ...], ...]:
    """Positions (not `index`) of the stacks of each acquisition, in order of first appearance."""
    groups: list[list[int]] = []
    for n, stack in enumerate(stacks):
        for group in groups:
            if all(_same(stacks[m], stack, readings[m], readings[n]) for m in group):
                group.append(n)
                break
        else:
            groups.append([n])
    return tuple(tuple(group) for group in groups)


def _same(a: StackFeatures, b: StackFeatures, says_a: Reading, says_b: Reading) -> bool:
    overlap = min(a.z_extent_mm[1], b.z_extent_mm[1]) - max(a.z_extent_mm[0], b.z_extent_mm[0])
    shorter = min(a.z_extent_mm[1] - a.z_extent_mm[0], b.z_extent_mm[1] - b.z_extent_mm[0])
    if overlap < 0.5 * shorter or _pixels_differ(a.enhancement, b.enhancement):
        return False
    if a.acquisition_s is not None and b.acquisition_s is not None:
        return abs(a.acquisition_s - b.acquisition_s) <= _SAME_TIME_S and a.acquisition_number == b.acquisition_number
    if says_a.phase is not says_b.phase and says_a.phase and says_b.phase:
        return False
    rebuilt = a.kernel != b.kernel or abs(a.slice_spacing_mm - b.slice_spacing_mm) > 0.05
    other_series = not a.series_group or a.series_group != b.series_group
    return (
        rebuilt and other_series and a.acquisition_number is not None and a.acquisition_number == b.acquisition_number
    )


def _pixels_differ(a: EnhancementMeasures | None, b: EnhancementMeasures | None) -> bool:
    if a is None or b is None:
        return False
    tissues = ((a.aorta_hu, b.aorta_hu), (a.liver_hu, b.liver_hu))
    return any(x is not None and y is not None and abs(x - y) > _DIFFERENT_HU for x, y in tissues)
