from __future__ import annotations

import numpy as np
import pytest

from quadphase.localize import NoLiverError, liver_range
from quadphase.model import Grid, Mask


def _mask(first: int, stop: int, slices: int = 20, spacing: float = 2.5) -> Mask:
    voxels = np.zeros((5, 6, slices), bool)
    voxels[2:4, 3, first:stop] = True
    return Mask(voxels=voxels, grid=Grid(voxels.shape, np.diag([1.0, 1.0, spacing, 1.0])))


@pytest.mark.parametrize(
    ("margin", "expected"),
    [(0.0, (5, 9)), (2.5, (4, 10)), (2.6, (3, 11)), (10.0, (1, 13)), (1000.0, (0, 20))],
)
def test_margin_is_rounded_up_and_cut_at_the_ends(margin: float, expected: tuple[int, int]) -> None:
    assert liver_range(_mask(5, 9), margin_mm=margin) == expected


def test_empty_and_negative_are_refused() -> None:
    with pytest.raises(NoLiverError):
        liver_range(_mask(3, 3), margin_mm=0)
    with pytest.raises(ValueError, match="negative"):
        liver_range(_mask(5, 9), margin_mm=-1)
