"""Windowing refuses limits that no voxel could hold; its laws are in ``tests/property``."""

from __future__ import annotations

import numpy as np
import pytest

from quadphase.errors import InputError
from quadphase.imaging.window import window
from quadphase.model import Grid, Volume


@pytest.mark.parametrize("limits", [(-40000, 200), (-200, 40000), (200, 200), (200, -200)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_impossible_limits_are_refused(limits: tuple[int, int], dtype: type) -> None:
    volume = Volume(hu=np.zeros((2, 2, 2), dtype), grid=Grid((2, 2, 2), np.eye(4)))
    with pytest.raises(InputError) as caught:
        window(volume, lower_hu=limits[0], upper_hu=limits[1])
    assert caught.value.code == "bad-window"
