from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quadphase.imaging.window import window
from quadphase.localize import NoLiverError, NoLiverReason, find_liver_in
from quadphase.localize.acceptance import Signs, judge
from quadphase.model import Box, Grid, Phase, Volume

from .conftest import dice

GOOD = Signs(
    volume_ml=1500,
    stability=0.97,
    wall_contact=0.5,
    even_share=0.9,
    rib_share=0.8,
    cut_top=0,
    cut_bottom=0,
    mirrored=False,
)


def _volume(hu: np.ndarray, spacing: float = 3.0) -> Volume:
    affine = np.diag([-spacing, -spacing, spacing, 1.0])
    return Volume(hu=hu.astype(np.int16), grid=Grid(hu.shape, affine))


def _ellipse(shape: tuple[int, int], a: float, b: float, centre: tuple[float, float] = (0.5, 0.5)) -> np.ndarray:
    x, y = np.ogrid[: shape[0], : shape[1]]
    return ((x - centre[0] * shape[0]) / a) ** 2 + ((y - centre[1] * shape[1]) / b) ** 2 <= 1


def _refusal(volume: Volume) -> str:
    with pytest.raises(NoLiverError) as caught:
        find_liver_in(volume)
    assert caught.value.hint
    return caught.value.code


def test_air_is_refused() -> None:
    assert _refusal(_volume(np.full((60, 60, 20), -1000))) == NoLiverReason.EMPTY


def test_few_slices_are_refused(phantom) -> None:
    volume = phantom(Phase.C2).volume
    assert _refusal(volume.crop(Box.of_slices(volume.grid.shape, 20, 22))) == NoLiverReason.TOO_FEW_SLICES


def test_a_head_is_refused() -> None:
    hu = np.full((90, 90, 30), -1000)
    hu[_ellipse((90, 90), 28, 34)] = 30
    hu[_ellipse((90, 90), 26, 32)] = 900
    hu[_ellipse((90, 90), 23, 29)] = 35
    assert _refusal(_volume(hu)) == NoLiverReason.HEAD


def test_a_pelvis_is_refused() -> None:
    hu = np.full((140, 100, 30), -1000)
    plane = hu[:, :, 0]
    plane[_ellipse((140, 100), 60, 38)] = -100
    plane[_ellipse((140, 100), 55, 33)] = 50
    plane[_ellipse((140, 100), 12, 9, (0.5, 0.72))] = 500
    for x in (0.25, 0.75):
        wing = _ellipse((140, 100), 5, 20, (x, 0.55))
        plane[wing] = 700
    hu[:] = plane[:, :, None]
    assert _refusal(_volume(hu)) == NoLiverReason.PELVIS


def test_a_chest_is_refused(phantom) -> None:
    whole = phantom(Phase.C2)
    top = int(np.flatnonzero(whole.liver.voxels.any(axis=(0, 1)))[-1])
    chest = whole.volume.crop(Box.of_slices(whole.volume.grid.shape, top + 1, whole.volume.grid.shape[2]))
    assert _refusal(chest) in (NoLiverReason.CHEST_ONLY, NoLiverReason.TOO_FEW_SLICES)


def test_a_bag_of_fat_is_refused() -> None:
    hu = np.full((120, 90, 40), -1000)
    hu[_ellipse((120, 90), 50, 35)] = -100
    hu[_ellipse((120, 90), 8, 8, (0.5, 0.72))] = 300
    assert _refusal(_volume(hu)) == NoLiverReason.NO_LIVER_TISSUE


@pytest.mark.parametrize(("level_hu", "noise_hu"), [(0, 0), (60, 10), (60, 40)])
def test_what_has_no_bone_is_no_patient(level_hu: int, noise_hu: int) -> None:
    hu = np.full((120, 90, 40), -1000.0)
    hu[_ellipse((120, 90), 50, 35)] = level_hu
    hu += np.random.default_rng(0).normal(0, noise_hu, hu.shape)
    assert _refusal(_volume(hu)) == NoLiverReason.NO_BONE
    assert _refusal(_volume(np.zeros((64, 64, 30)))) == NoLiverReason.NO_BONE


def test_a_scan_clipped_at_200_hu_keeps_its_liver_by_its_ribs(phantom) -> None:
    drawn = phantom(Phase.C2)
    result = find_liver_in(window(drawn.volume, lower_hu=-200, upper_hu=200))
    assert dice(result.mask, drawn.liver) > 0.9


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"stability": 0.8}, "liver-border-unstable"),
        ({"wall_contact": 0.1}, "liver-away-from-wall"),
        ({"even_share": 0.4}, "liver-density-uneven"),
        ({"rib_share": 0.0}, "liver-wall-without-ribs"),
        ({"volume_ml": 350}, "liver-volume-unusual"),
        ({"volume_ml": 4500}, "liver-volume-unusual"),
        ({"mirrored": True}, "liver-maybe-on-left"),
        ({"cut_top": 0.4}, "liver-cut-at-top"),
        ({"cut_bottom": 0.4}, "liver-cut-at-bottom"),
    ],
)
def test_each_sign_lowers_the_confidence_and_is_named(change: dict[str, float], flag: str) -> None:
    best, reasons, flags = judge(GOOD)
    assert 0.9 < best < 0.95
    assert (reasons, flags) == ((), ())
    less, reasons, flags = judge(replace(GOOD, **change))
    assert less < best
    assert flags == (flag,)
    assert len(reasons) == 1


def test_a_part_of_a_liver_may_be_small() -> None:
    _, _, flags = judge(replace(GOOD, volume_ml=300, cut_top=0.9))
    assert flags == ("liver-cut-at-top",)


def test_a_part_of_a_liver_is_not_larger_than_a_liver() -> None:
    confidence, _, flags = judge(replace(GOOD, volume_ml=5000, cut_top=0.9))
    assert confidence < 0.2
    assert set(flags) == {"liver-volume-unusual", "liver-cut-at-top"}
