"""The largest diameter is the all-pairs answer, on any grid, also for flat, thin and single sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from quadphase.imaging import diameter
from quadphase.imaging.diameter import largest_diameter_mm
from quadphase.model import Grid


def grid_of(spacing: tuple[float, float, float], shear: float = 0.0) -> Grid:
    affine = np.diag([*spacing, 1.0])
    affine[1, 2] = shear
    affine[:3, 3] = (-100.0, 50.0, 7.0)
    return Grid((64, 64, 64), affine)


def all_pairs(points: np.ndarray, grid: Grid) -> float:
    world = grid.world_from_index(points)
    return float(pdist(world).max()) if len(points) > 1 else 0.0


points_of = st.lists(st.tuples(*[st.integers(0, 12)] * 3), min_size=1, max_size=60, unique=True)


@given(
    points=points_of,
    spacing=st.tuples(*[st.floats(0.3, 6.0)] * 3),
    shear=st.floats(-2.0, 2.0),
    direct=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_equals_all_pairs(
    points: list[tuple[int, int, int]], spacing: tuple[float, float, float], shear: float, direct: bool
) -> None:
    grid, voxels = grid_of(spacing, shear), np.array(points)
    with pytest.MonkeyPatch.context() as patch:
        if not direct:
            patch.setattr(diameter, "_DIRECT", 4)  # forces the hull, and its refusal of flat sets
        assert largest_diameter_mm(voxels, grid) == pytest.approx(all_pairs(voxels, grid), abs=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_large_flat_set_has_no_hull_and_still_a_diameter(axis: int) -> None:
    disc = np.argwhere(np.hypot(*np.ogrid[-30:31, -30:31]) <= 30)
    voxels = np.insert(disc, axis, 5, axis=1)
    assert largest_diameter_mm(voxels, grid_of((0.7, 0.7, 0.7))) == pytest.approx(60 * 0.7)


def test_a_single_voxel_has_no_extent() -> None:
    assert largest_diameter_mm(np.array([[3, 4, 5]]), grid_of((1.0, 1.0, 5.0))) == 0.0


def test_spacing_counts_not_indices() -> None:
    ends = np.array([[0, 0, 0], [0, 0, 10]])
    assert largest_diameter_mm(ends, grid_of((0.7, 0.7, 5.0))) == pytest.approx(50.0)
