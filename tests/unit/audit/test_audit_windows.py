"""Any window a release states is a window: what it cut off is held against nobody, and nothing else slips through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.imaging.window import window
from quadphase.model import Volume

from .conftest import Item, write_ours

Items = tuple[Item, ...]


def cut(items: Items, lower: int, upper: int) -> Items:
    return tuple(
        replace(i, volume=window(i.volume, lower_hu=lower, upper_hu=upper)) for i in items if i.case != "P0339"
    )


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(0, 200), (-50, 200), (-100, 300), (0, 400), (-160, 240), (-175, 225), (-1000, 3000), (0, 2500)],
)
def test_any_stated_window_is_believed(full_range: Items, tmp_path: Path, lower: int, upper: int) -> None:
    assert audit(write_ours(tmp_path / "release", cut(full_range, lower, upper))).counts == {}


def test_a_window_that_is_not_the_stated_one_proves_nothing(full_range: Items, tmp_path: Path) -> None:
    items = [replace(i, volume=Volume(hu=i.volume.hu, grid=i.volume.grid)) for i in cut(full_range, 0, 200)]
    assert set(audit(write_ours(tmp_path / "release", items)).counts) == {"not-hu", "window-claim"}


def test_fat_tells_an_offset_that_the_stated_window_shares(full_range: Items, tmp_path: Path) -> None:
    items = []
    for item in cut(full_range, -200, 200):
        shifted = item.volume.hu - np.int16(60)
        items.append(replace(item, volume=Volume(hu=shifted, grid=item.volume.grid, window_hu=(-260, 140))))
    assert set(audit(write_ours(tmp_path / "release", items)).counts) == {"hu-offset"}
