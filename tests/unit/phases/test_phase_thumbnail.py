"""Coarse copies: the same index is the same place, whatever the storage order, spacing or obliquity."""

from __future__ import annotations

import numpy as np
import pytest

from quadphase.convert.phases.thumbnail import SPACING_MM, thumbnail
from quadphase.imaging.reorient import reorient_volume
from quadphase.model import Box, Grid, Volume


def ramp(shape=(100, 90, 40), spacing=(1.5, 1.5, 3.0), origin=(-70.3, -61.7, -33.1), turn=None):
    """HU equal to x + 2y + 3z of the world position."""
    affine = np.diag([*spacing, 1.0])
    if turn is not None:
        affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = origin
    grid = Grid(shape, affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    hu = grid.world_from_index(index) @ np.array([1.0, 2.0, 3.0])
    return Volume(hu=np.rint(hu).astype(np.int16), grid=grid)


def expected(image):
    axes = [(np.arange(n) + s) * d for n, s, d in zip(image.hu.shape, image.start, SPACING_MM, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return x + 2 * y + 3 * z


INSIDE = (slice(1, -1),) * 3


@pytest.mark.parametrize(
    "spacing", [(1.5, 1.5, 3.0), (0.78, 0.78, 0.8), (3.1, 3.1, 6.0), (0.7, 0.7, 10.0), (5.0, 5.0, 5.0)]
)
def test_a_linear_field_is_kept_at_its_place(spacing):
    shape = tuple(int(70 / s) for s in spacing)
    image = thumbnail(ramp(shape, spacing))
    # Box averages of a line are exact up to an uneven number of samples under a voxel.
    assert np.abs(image.hu - expected(image))[INSIDE].max() < 3.5


def test_storage_order_changes_nothing():
    volume = ramp()
    image = thumbnail(volume)
    for codes in (("L", "P", "S"), ("S", "L", "A"), ("P", "I", "R")):
        other = thumbnail(reorient_volume(volume, codes))
        assert other.start == image.start
        assert np.allclose(other.hu, image.hu, atol=0.01)


def test_a_part_of_a_volume_agrees_with_the_whole():
    volume = ramp()
    whole, part = thumbnail(volume), thumbnail(volume.crop(Box((20, 10, 8), (80, 80, 33))))
    where = tuple(slice(a - b, a - b + n) for a, b, n in zip(part.start, whole.start, part.hu.shape, strict=True))
    assert np.abs(part.hu - whole.hu[where])[INSIDE].max() < 1.0


def test_an_oblique_volume_is_interpolated_and_empty_outside():
    angle = np.deg2rad(17.0)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    image = thumbnail(ramp(turn=turn))
    valid = np.isfinite(image.hu)
    assert 0.4 < valid.mean() < 1.0
    assert np.nanmax(np.abs(image.hu - expected(image))) < 12.0


def test_padding_and_metal_are_cut():
    hu = np.full((20, 20, 10), 50, dtype=np.int16)
    hu[0], hu[-1] = -2048, 30000
    image = thumbnail(Volume(hu=hu, grid=Grid(hu.shape, np.diag([4.0, 4.0, 5.0, 1.0]))))
    assert image.hu.min() >= -1000
    assert image.hu.max() <= 1500


def test_a_single_thin_slab_has_a_voxel():
    image = thumbnail(ramp((40, 40, 2), (4, 4, 0.5)))
    assert image.hu.shape[2] == 1
    assert np.isfinite(image.hu).any()
