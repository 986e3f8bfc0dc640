"""The finder on real scans: the numbers that docs/liver-finder.md promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.localize import LiverFlag, NoLiverError, NoLiverReason, find_liver, find_liver_in
from quadphase.model import Box, Mask, Phase, Volume

from .conftest import dice, dicom_volume

READ_MM = {Phase.P: (-218.4, -68.4), Phase.C1: (-232.5, -57.5), Phase.C2: (-237.5, -62.5)}
"""First and last z with liver, read by eye on the rendered slices (docs/liver-finder.md)."""

TUMOUR_MM = (111.6, 39.4, -130.0)
"""A point (RAS) in the middle of the tumour, read by eye; a ball of 35 mm around it is tumour."""


def _share_inside(mask: Mask, centre_mm: tuple[float, float, float]) -> float:
    """Share of the points of that ball that the mask holds."""
    offsets = np.stack(np.meshgrid(*[np.arange(-34.0, 35.0, 4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = offsets[np.linalg.norm(offsets, axis=1) < 35] + np.array(centre_mm)
    i, j, k = np.rint(mask.grid.index_from_world(ball)).astype(int).T
    return float(mask.voxels[i, j, k].mean())


def test_venous(venous_20: tuple[Volume, Mask]) -> None:
    volume, truth = venous_20
    result = find_liver_in(volume)
    assert dice(result.mask, truth) >= 0.945
    assert result.k_range == (0, 20)
    assert set(result.flags) == {LiverFlag.TOP_CUT, LiverFlag.BOTTOM_CUT}


def test_plain(plain_3mm: tuple[Volume, Mask]) -> None:
    volume, truth = plain_3mm
    assert dice(find_liver_in(volume).mask, truth) >= 0.92


@pytest.mark.parametrize("change", ["brighter", "darker", "noisy", "lower half", "upper half", "thick"])
def test_venous_disturbed(venous_20: tuple[Volume, Mask], change: str) -> None:
    volume, truth = venous_20
    hu = volume.hu.astype(np.int32)
    noise = np.random.default_rng(0).normal(0, 30, hu.shape)
    levels = {"brighter": hu + 30, "darker": hu - 30, "noisy": hu + noise}
    if change in levels:
        volume = Volume(hu=np.rint(levels[change]).astype(np.int16), grid=volume.grid)
    elif change == "thick":
        affine = volume.grid.affine.copy()
        affine[:3, 3] = volume.grid.world_from_index((0, 0, 1.5))
        affine[:3, 2] *= 4
        shape = (*volume.grid.shape[:2], 5)
        thick = hu.reshape(*shape, 4).mean(axis=3)
        volume = Volume(hu=np.rint(thick).astype(np.int16), grid=type(volume.grid)(shape, affine))
        truth = Mask(voxels=truth.voxels[:, :, 2::4], grid=volume.grid)
    else:
        box = Box.of_slices(volume.grid.shape, *((0, 10) if change == "lower half" else (10, 20)))
        volume, truth = volume.crop(box), truth.crop(box)
    assert dice(find_liver_in(volume).mask, truth) >= 0.93


def test_an_exam_with_a_large_tumour(hcc_exam: dict[Phase, Volume]) -> None:
    results = find_liver(hcc_exam)
    volumes_ml = [result.mask.volume_ml for result in results.values()]
    assert max(volumes_ml) / min(volumes_ml) < 1.08
    for phase, result in results.items():
        grid = hcc_exam[phase].grid
        first, last = (float(grid.world_from_index((0, 0, k))[2]) for k in (result.k_range[0], result.k_range[1] - 1))
        assert abs(first - READ_MM[phase][0]) <= 10.1, phase
        assert abs(last - READ_MM[phase][1]) <= 10.1, phase
        assert result.confidence > 0.8
        assert _share_inside(result.mask, TUMOUR_MM) > 0.99, phase


def test_a_head_is_refused(real_data: Path) -> None:
    head = dicom_volume((real_data / "tilted_ct").glob("*.dcm"))
    with pytest.raises(NoLiverError) as caught:
        find_liver_in(head)
    assert caught.value.code == NoLiverReason.HEAD
    assert "head" in caught.value.message


def test_an_exam_whose_plain_phase_is_one_slice(real_data: Path) -> None:
    files = sorted((real_data / "incomplete_exam").rglob("*.dcm"))
    plain = dicom_volume([f for f in files if "PRE" in str(f)])
    venous = dicom_volume([f for f in files if "PRE" not in str(f)])
    results = find_liver({Phase.P: plain, Phase.C2: venous})
    assert results[Phase.C2].k_range[0] == 0
    assert abs(float(venous.grid.world_from_index((0, 0, results[Phase.C2].k_range[1] - 1))[2]) + 54.5) <= 10
    assert results[Phase.P].flags in ((LiverFlag.CARRIED,), (LiverFlag.NOT_COVERED,))
