"""`Grid` and `Box` cannot exist in an invalid state, and say what they are."""

from __future__ import annotations

import numpy as np
import pytest

from quadphase.errors import GeometryError
from quadphase.model import Box, Grid

AFFINE = [[-0.78, 0, 0, 200], [0, -0.78, 0, 190], [0, 0, 5, -300], [0, 0, 0, 1]]


def test_an_axial_ct_reads_lps() -> None:
    grid = Grid((512, 512, 60), AFFINE)
    assert grid.axis_codes == ("L", "P", "S")
    assert grid.spacing_mm == pytest.approx((0.78, 0.78, 5.0))
    assert grid.voxel_volume_ml == pytest.approx(0.78 * 0.78 * 5 / 1000)


def test_the_affine_is_a_private_copy() -> None:
    source = np.array(AFFINE)
    grid = Grid((2, 2, 2), source)
    source[0, 0] = 9
    assert grid.affine[0, 0] == -0.78
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 1


@pytest.mark.parametrize(
    ("shape", "affine", "code"),
    [
        ((0, 1, 1), AFFINE, "bad-shape"),
        ((1, 1), AFFINE, "bad-shape"),
        ((1, 1, 1), np.zeros((4, 4)), "bad-affine"),
        ((1, 1, 1), np.full((4, 4), np.nan), "bad-affine"),
        ((1, 1, 1), [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "bad-affine"),
    ],
)
def test_a_meaningless_grid_is_refused(shape, affine, code) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GeometryError) as caught:
        Grid(shape, affine)
    assert caught.value.code == code


def test_a_tilted_grid_is_representable_and_says_so() -> None:
    sheared = np.array(AFFINE, dtype=float)
    sheared[1, 2] = 1.6
    assert not Grid((4, 4, 4), sheared).is_orthogonal
    assert Grid((4, 4, 4), AFFINE).is_orthogonal


@pytest.mark.parametrize(("start", "stop"), [((0, 0, 0), (0, 1, 1)), ((-1, 0, 0), (1, 1, 1)), ((2, 0, 0), (1, 1, 1))])
def test_an_empty_box_is_refused(start, stop) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GeometryError, match="box"):
        Box(start, stop)


def test_a_crop_outside_is_refused() -> None:
    with pytest.raises(GeometryError) as caught:
        Grid((4, 4, 4), AFFINE).crop(Box((0, 0, 0), (5, 4, 4)))
    assert caught.value.code == "box-outside"


def test_closeness_is_measured_at_the_corners() -> None:
    near = np.array(AFFINE, dtype=float)
    near[2, 2] = 5.0 + 0.009 / 59
    far = np.array(AFFINE, dtype=float)
    far[2, 2] = 5.0 + 0.011 / 59
    grid = Grid((512, 512, 60), AFFINE)
    assert grid.is_close(Grid((512, 512, 60), near))
    assert not grid.is_close(Grid((512, 512, 60), far))
