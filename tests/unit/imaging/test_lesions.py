"""Lesion measures: in millimetres and millilitres, per lesion and per image, with nothing turned into 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quadphase.imaging.lesions import measure_lesions
from quadphase.imaging.reorient import reorient_mask
from quadphase.model import Grid, Mask

GRID = Grid((12, 10, 8), [[-0.7, 0, 0, 80], [0, -0.7, 0, 60], [0, 0, 5.0, -200], [0, 0, 0, 1]])


def mask_of(*boxes: tuple[slice, slice, slice]) -> Mask:
    voxels = np.zeros(GRID.shape, bool)
    for box in boxes:
        voxels[box] = True
    return Mask(voxels=voxels, grid=GRID)


def test_two_lesions() -> None:
    found = measure_lesions(mask_of(np.s_[1:3, 1:2, 0:1], np.s_[5:9, 4:8, 2:5]))
    large, small = found.lesions
    assert (found.count, found.slices) == (2, 4)
    assert (large.number, large.voxels, large.slices, large.first, large.stop) == (1, 48, 3, 2, 5)
    assert (small.number, small.voxels, small.slices) == (2, 2, 1)
    assert large.volume_ml == pytest.approx(48 * 0.49 * 5 / 1000)
    assert large.max_diameter_mm == pytest.approx(np.sqrt((3 * 0.7) ** 2 * 2 + 10.0**2))
    assert found.max_diameter_mm == large.max_diameter_mm
    assert small.centroid_mm == pytest.approx((80 - 0.7 * 1.5, 60 - 0.7, -200))
    assert found.volume_ml == pytest.approx(large.volume_ml + small.volume_ml)


def test_voxels_that_share_a_corner_are_one_lesion() -> None:
    assert measure_lesions(mask_of(np.s_[1:2, 1:2, 1:2], np.s_[2:3, 2:3, 2:3])).count == 1
    assert measure_lesions(mask_of(np.s_[1:2, 1:2, 1:2], np.s_[3:4, 2:3, 2:3])).count == 2


def test_an_empty_mask_has_no_diameter_rather_than_zero() -> None:
    found = measure_lesions(mask_of())
    assert (found.count, found.volume_ml, found.max_diameter_mm, found.slices) == (0, 0.0, None, 0)


def test_slices_between_two_parts_of_one_lesion_are_not_counted_as_lesion() -> None:
    found = measure_lesions(mask_of(np.s_[1:2, 1:2, 0:1], np.s_[1:2, 1:2, 3:4]))
    assert found.slices == 2


@given(voxels=arrays(np.bool_, GRID.shape, elements=st.booleans(), fill=st.just(False)))
@settings(deadline=None, max_examples=60)
def test_measures_do_not_depend_on_storage_order(voxels: np.ndarray) -> None:
    mask = Mask(voxels=voxels, grid=GRID)
    one, two = measure_lesions(mask), measure_lesions(reorient_mask(mask, ("S", "R", "A")))

    def facts(found: object) -> list[tuple[float, ...]]:
        rows = [(x.voxels, x.volume_ml, x.max_diameter_mm, *x.centroid_mm) for x in found.lesions]  # type: ignore[attr-defined]
        return sorted(tuple(round(v, 6) + 0.0 for v in row) for row in rows)

    assert one.volume_ml == pytest.approx(two.volume_ml)
    assert one.count == two.count
    assert np.allclose(facts(one), facts(two), atol=1e-5)
