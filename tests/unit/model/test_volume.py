"""Printed, an image is one line."""

from __future__ import annotations

import numpy as np

from quadphase.model import Grid, LabelMap, Mask, Volume

GRID = Grid((4, 5, 6), np.diag([-0.78125, -0.78125, 5.0, 1.0]))


def test_an_image_says_what_it_is_and_shows_no_voxel() -> None:
    hu = np.zeros(GRID.shape, np.int16)
    where = "4×5×6 voxels of 0.7812×0.7812×5 mm, LPS"
    assert repr(Volume(hu=hu, grid=GRID)) == f"<Volume of {where}; int16 HU>"
    assert repr(Volume(hu=hu, grid=GRID, window_hu=(-200, 200))) == f"<Volume of {where}; int16 HU clipped to -200…200>"
    assert repr(Mask(voxels=hu == 0, grid=GRID)) == f"<Mask of {where}; 0.3662 ml>"
    assert repr(LabelMap(labels=hu + np.uint8(3), grid=GRID)) == f"<LabelMap of {where}; int16 3…3>"
