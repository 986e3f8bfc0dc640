"""The phases of one exam show the same part of the body: extents and livers overlap in scanner coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

LEAST_OVERLAP: Final = 0.5
"""Breathing moves a liver by 10–30 mm between phases, its height is 120 mm or more."""


def check(case: CaseContext) -> Iterator[Finding]:
    placed = {p.value: v for p, v in case.volumes.items() if v.grid is not None and not v.is_nominal}
    for a, b in combinations(placed, 2):
        share = min(_overlaps(placed[a], placed[b]))
        if share < LEAST_OVERLAP:
            yield Finding.of("phases-apart", case.case, f"{a} and {b} share {max(share, 0):.0%} of their extent")


def _overlaps(a: VolumeFacts, b: VolumeFacts) -> list[float]:
    """Overlap along x, y, z as a share of the shorter extent; z over the liver's slices where both are known."""
    shares = []
    for axis in range(3):
        low_a, high_a = _extent(a, axis)
        low_b, high_b = _extent(b, axis)
        shorter = max(min(high_a - low_a, high_b - low_b), 1e-6)
        shares.append((min(high_a, high_b) - max(low_a, low_b)) / shorter)
    return shares


def _extent(volume: VolumeFacts, axis: int) -> tuple[float, float]:
    assert volume.grid is not None  # noqa: S101 -- the caller filtered
    corners = volume.grid.corners_mm()[:, axis]
    low, high = float(corners.min()), float(corners.max())
    liver = volume.liver
    if axis == 2 and liver is not None and liver.same_size and liver.voxels:
        used = np.flatnonzero(liver.areas)
        ends = volume.grid.world_from_index(np.array([[0, 0, used[0]], [0, 0, used[-1]]]))[:, 2]
        low, high = float(ends.min()), float(ends.max())
    half = max(volume.grid.spacing_mm) / 2
    return low - half, high + half
