from __future__ import annotations

import numpy as np
from scipy import ndimage

from quadphase.localize.level import find_levels

SHAPE = (60, 70, 40)
"""At 3 mm: a right upper quadrant 18 by 21 by 12 cm, the wall at the highest x."""


def _scene(liver: float, tumour: float | None, other: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    hu = np.full(SHAPE, -90.0)
    hu[8:60, 8:62, 4:36] = liver
    hu[2:12, 30:60, 4:36] = -90
    hu[0:8, 5:25, 5:30] = other
    if tumour is not None:
        x, y, z = np.ogrid[:60, :70, :40]
        hu[(x - 42) ** 2 + (y - 40) ** 2 + (z - 20) ** 2 < 15**2] = tumour
    hu = ndimage.gaussian_filter(hu, 0.7) + rng.normal(0, 3, SHAPE)
    room = np.ones(SHAPE, bool)
    band = np.zeros(SHAPE, bool)
    band[56:] = True
    return hu.astype(np.float32), room, band, room


def test_finds_the_liver_in_any_phase() -> None:
    for liver in (-5.0, 55.0, 110.0, 150.0):
        hu, room, band, wide = _scene(liver, None, 30.0)
        levels = find_levels(hu, room, band, wide, spacing_mm=3.0)
        assert abs(levels[0].hu - liver) < 4
        assert len(levels) == 1


def test_a_large_tumour_is_a_second_density() -> None:
    hu, room, band, wide = _scene(125.0, 85.0, 30.0)
    levels = find_levels(hu, room, band, wide, spacing_mm=3.0)
    assert abs(levels[0].hu - 125) < 4
    assert [round(level.hu / 10) for level in levels[1:]] == [8] or [round(level.hu / 10) for level in levels[1:]] == [
        9
    ]


def test_fat_alone_is_no_liver() -> None:
    hu = np.full(SHAPE, -95.0, dtype=np.float32)
    room = np.ones(SHAPE, bool)
    assert find_levels(hu, room, room, room, spacing_mm=3.0) == []
