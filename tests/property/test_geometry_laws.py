"""Laws of grids and of what keeps voxels in place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from property_strategies import boxes, grids, masks, volumes

from quadphase.imaging.crop import bounding_box, box_within, uncrop_mask
from quadphase.imaging.overlap import overlap
from quadphase.imaging.reorient import reorient_grid, reorient_volume
from quadphase.imaging.window import window
from quadphase.model import Grid, lps_from_ras

CODES = [("R", "A", "S"), ("L", "P", "S"), ("S", "R", "A"), ("P", "I", "L"), ("I", "A", "R")]


@given(grids())
def test_index_and_world_are_inverse(grid: Grid) -> None:
    index = np.array([[0, 0, 0], [1.5, 2.5, -3.0]])
    assert np.allclose(grid.index_from_world(grid.world_from_index(index)), index, atol=1e-6)


@given(grids())
def test_lps_and_ras_are_inverse(grid: Grid) -> None:
    assert np.array_equal(lps_from_ras(lps_from_ras(grid.affine)), grid.affine)


@given(st.data())
def test_a_crop_keeps_every_world_position_and_uncrop_restores_it(data: st.DataObject) -> None:
    volume = data.draw(volumes())
    mask = data.draw(masks(volume.grid))
    box = data.draw(boxes(volume.grid.shape))
    part = volume.crop(box)
    index = np.argwhere(np.ones(box.shape, dtype=bool))
    assert np.allclose(
        part.grid.world_from_index(index), volume.grid.world_from_index(index + np.array(box.start)), atol=1e-9
    )
    assert box_within(part.grid, volume.grid) == box
    whole = uncrop_mask(mask.crop(box), volume.grid)
    assert np.array_equal(whole.voxels[box.slices], mask.voxels[box.slices])
    assert np.count_nonzero(whole.voxels) == np.count_nonzero(mask.voxels[box.slices])


@given(volumes(axial=True), st.sampled_from(CODES))
def test_reorienting_moves_no_voxel(volume, codes) -> None:  # type: ignore[no-untyped-def]
    turned = reorient_volume(volume, codes)
    assert turned.grid.axis_codes == codes
    assert np.isclose(turned.grid.voxel_volume_mm3, volume.grid.voxel_volume_mm3)
    index = np.argwhere(np.ones(turned.grid.shape, dtype=bool))
    source = np.rint(volume.grid.index_from_world(turned.grid.world_from_index(index))).astype(int)
    assert np.array_equal(turned.hu[tuple(index.T)], volume.hu[tuple(source.T)])


@given(grids(axial=True), st.sampled_from(CODES))
def test_reorienting_there_and_back_is_nothing(grid: Grid, codes: tuple[str, str, str]) -> None:
    assert reorient_grid(reorient_grid(grid, codes), grid.axis_codes).is_close(grid, tolerance_mm=1e-9)


@given(volumes(), st.integers(-1500, 0), st.integers(1, 1500))
def test_windowing_is_bounded_monotone_and_idempotent(volume, lower, upper) -> None:  # type: ignore[no-untyped-def]
    once = window(volume, lower_hu=lower, upper_hu=upper)
    assert once.hu.min() >= lower
    assert once.hu.max() <= upper
    inside = (volume.hu >= lower) & (volume.hu <= upper)
    assert np.array_equal(once.hu[inside], volume.hu[inside])
    order = np.argsort(volume.hu, axis=None, kind="stable")
    assert (np.diff(once.hu.ravel()[order].astype(int)) >= 0).all()
    assert np.array_equal(window(once, lower_hu=lower, upper_hu=upper).hu, once.hu)


@given(st.data())
def test_dice_is_symmetric_and_bounded(data: st.DataObject) -> None:
    grid = data.draw(grids())
    a, b = data.draw(masks(grid)), data.draw(masks(grid))
    there, back = overlap(a, b), overlap(b, a)
    assert there.dice == back.dice
    assert there.differing_slices == back.differing_slices
    if a.voxels.any() or b.voxels.any():
        assert there.dice is not None
        assert 0.0 <= there.dice <= 1.0
    else:
        assert there.dice is None
    if a.voxels.any():
        assert overlap(a, a).dice == 1.0


@given(st.data())
def test_a_bounding_box_holds_all_and_touches_each_side(data: st.DataObject) -> None:
    mask = data.draw(masks(data.draw(grids())))
    box = bounding_box(mask.voxels)
    if box is None:
        assert not mask.voxels.any()
        return
    inside = mask.voxels[box.slices]
    assert np.count_nonzero(inside) == np.count_nonzero(mask.voxels)
    for axis in range(3):
        assert inside.take(0, axis=axis).any()
        assert inside.take(-1, axis=axis).any()
