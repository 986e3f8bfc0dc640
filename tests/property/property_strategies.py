"""Hypothesis strategies for grids, boxes and volumes: small arrays, any orientation, honest spacings."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from quadphase.model import Box, Grid, Mask, Volume

__all__ = ["boxes", "grids", "masks", "volumes"]


@st.composite
def grids(draw: st.DrawFn, *, largest: int = 7, axial: bool = False) -> Grid:
    """Grids of any rotation (or a signed permutation of the axes), spacings 0.3 to 10 mm."""
    shape = draw(st.tuples(*[st.integers(1, largest)] * 3))
    spacing = [draw(st.floats(0.3, 10.0)) for _ in range(3)]
    if axial:
        order = draw(st.permutations([0, 1, 2]))
        axes = np.zeros((3, 3))
        for column, row in enumerate(order):
            axes[row, column] = draw(st.sampled_from([-1.0, 1.0]))
    else:
        axes = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing
    affine[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    return Grid(shape, affine)


@st.composite
def boxes(draw: st.DrawFn, shape: tuple[int, int, int]) -> Box:
    """Boxes that fit an array of this shape."""
    start = [draw(st.integers(0, n - 1)) for n in shape]
    stop = [draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True)]
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


@st.composite
def volumes(draw: st.DrawFn, *, axial: bool = False) -> Volume:
    grid = draw(grids(axial=axial))
    return Volume(hu=draw(hnp.arrays(np.int16, grid.shape, elements=st.integers(-2048, 4000))), grid=grid)


@st.composite
def masks(draw: st.DrawFn, grid: Grid) -> Mask:
    return Mask(voxels=draw(hnp.arrays(np.bool_, grid.shape)), grid=grid)
