from __future__ import annotations

import itertools

import numpy as np
import pytest

from quadphase.localize.working_grid import sample_on, to_working_grid
from quadphase.model import Grid

SCAN = np.random.default_rng(3).integers(-100, 200, (24, 20, 8)).astype(np.int16)
GRID = Grid(SCAN.shape, np.array([[-1.5, 0, 0, 18], [0, -1.5, 0, 15], [0, 0, 3.0, -40], [0, 0, 0, 1]]))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True), (True, True, True)])
def test_array_order_does_not_matter(order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> None:
    affine = GRID.affine.copy()
    hu = SCAN
    for axis, flip in enumerate(flips):
        if flip:
            hu = np.flip(hu, axis)
            affine[:3, 3] += affine[:3, axis] * (SCAN.shape[axis] - 1)
            affine[:3, axis] *= -1
    hu, affine = hu.transpose(order), affine[:, [*order, 3]]
    expected = to_working_grid(SCAN, GRID, spacing_mm=3.0)
    found = to_working_grid(hu, Grid(hu.shape, affine), spacing_mm=3.0)
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-9)
    np.testing.assert_allclose(found.hu, expected.hu, atol=1e-3)


def test_axes_run_right_front_up_and_stay_with_an_oblique_scan() -> None:
    angle = np.deg2rad(12)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    work = to_working_grid(SCAN, Grid(SCAN.shape, turn @ GRID.affine), spacing_mm=3.0)
    upright = to_working_grid(SCAN, GRID, spacing_mm=3.0)
    assert (np.diag(upright.affine)[:3] > 0).all()
    np.testing.assert_allclose(work.affine, turn @ upright.affine, atol=1e-9)
    np.testing.assert_array_equal(work.hu, upright.hu)


def test_world_positions_survive() -> None:
    x = np.arange(60)[:, None, None] + np.zeros((60, 50, 30))
    grid = Grid(x.shape, np.array([[0.8, 0, 0, 5], [0, 0.8, 0, 0], [0, 0, 1.1, 0], [0, 0, 0, 1]]))
    work = to_working_grid((10 * x).astype(np.int16), grid, spacing_mm=3.0)
    p = work.affine[0, 0] * np.arange(work.hu.shape[0]) + work.affine[0, 3]
    expected = 10 * (p - 5) / 0.8
    np.testing.assert_allclose(work.hu[1:-1, 5, 5], expected[1:-1], atol=0.2)
    back = sample_on(work.hu, work.affine, grid.affine, grid.shape)
    np.testing.assert_allclose(back[4:-4, 10, 10], 10 * x[4:-4, 10, 10], atol=0.5)


def test_padding_is_read_as_air() -> None:
    padded = np.full((8, 8, 4), -2048, dtype=np.int16)
    work = to_working_grid(padded, Grid(padded.shape, np.diag([3.0, 3.0, 3.0, 1.0])), spacing_mm=3.0)
    assert (work.hu == -1000).all()
