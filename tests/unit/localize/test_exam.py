from __future__ import annotations

import numpy as np
import pytest

from quadphase.localize import LiverSettings, LocalizeError, NoLiverError, find_liver, find_liver_in
from quadphase.localize.shape import tidy
from quadphase.model import Box, Diagnosis, Grid, Phase, Volume
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.patient import random_patient

from .conftest import dice


@pytest.fixture(scope="module")
def together(phantom):
    phases = (Phase.P, Phase.C1, Phase.C2)
    return find_liver({phase: phantom(phase).volume for phase in phases})


def test_every_phase_despite_breathing(phantom, together) -> None:
    for phase, result in together.items():
        truth = phantom(phase).liver
        assert dice(result.mask, truth) > 0.92, phase
        assert result.confidence > 0.8
        used = np.flatnonzero(truth.voxels.any(axis=(0, 1)))
        assert abs(result.k_range[0] - used[0]) <= 1, phase
        assert abs(result.k_range[1] - 1 - used[-1]) <= 1, phase


def test_masks_lie_on_the_input_grid(phantom, together) -> None:
    for phase, result in together.items():
        assert result.mask.grid == phantom(phase).volume.grid
        used = np.flatnonzero(result.mask.voxels.any(axis=(0, 1)))
        assert result.k_range == (used[0], used[-1] + 1)


def test_another_array_order_gives_the_same_liver(phantom) -> None:
    volume = phantom(Phase.C2).volume
    affine = volume.grid.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 0] * (volume.grid.shape[2] - 1)
    affine[:3, 0] *= -1
    hu = volume.hu.transpose(2, 0, 1)[::-1]
    turned = find_liver_in(Volume(hu=np.ascontiguousarray(hu), grid=Grid(hu.shape, affine)))
    same = turned.mask.voxels[::-1].transpose(1, 2, 0)
    straight = find_liver_in(volume).mask.voxels
    assert 2 * (same & straight).sum() / (same.sum() + straight.sum()) > 0.98


def test_a_phase_of_one_slice_is_carried_and_says_so(phantom) -> None:
    whole, plain = phantom(Phase.C2), phantom(Phase.P)
    one = plain.volume.crop(Box.of_slices(plain.volume.grid.shape, 20, 21))
    results = find_liver({Phase.P: one, Phase.C2: whole.volume})
    assert results[Phase.P].flags == ("liver-carried-from-other-phase",)
    assert results[Phase.P].confidence < 0.7 < results[Phase.C2].confidence
    truth = plain.liver.crop(Box.of_slices(plain.volume.grid.shape, 20, 21))
    assert dice(results[Phase.P].mask, truth) > 0.8


def test_a_phase_beside_the_liver_is_empty_and_says_so(phantom) -> None:
    volume = phantom(Phase.C2).volume
    affine = volume.grid.affine.copy()
    affine[2, 3] += 900
    thin = Volume(hu=volume.hu[:, :, :1], grid=Grid((*volume.grid.shape[:2], 1), affine))
    result = find_liver({Phase.P: thin, Phase.C2: volume})[Phase.P]
    assert result.flags == ("liver-not-covered",)
    assert (result.k_range, result.confidence) == ((0, 0), 0.0)
    assert not result.mask.voxels.any()


def test_phases_that_show_different_livers_are_reported(phantom) -> None:
    volume = phantom(Phase.C2).volume
    affine = volume.grid.affine.copy()
    affine[0, 3] += 100
    beside = Volume(hu=volume.hu, grid=Grid(volume.grid.shape, affine))
    for result in find_liver({Phase.C1: beside, Phase.C2: volume}).values():
        assert "liver-differs-between-phases" in result.flags
        assert result.confidence < 0.7


def test_a_mirrored_scan_is_not_trusted(phantom) -> None:
    volume = phantom(Phase.C2).volume
    try:
        result = find_liver_in(Volume(hu=np.ascontiguousarray(volume.hu[::-1]), grid=volume.grid))
    except NoLiverError:
        return
    assert "liver-maybe-on-left" in result.flags
    assert result.confidence < 0.5


def test_no_phase_is_refused() -> None:
    with pytest.raises(NoLiverError):
        find_liver({})


def test_settings_are_checked() -> None:
    with pytest.raises(LocalizeError, match="spacing_mm"):
        LiverSettings(spacing_mm=12)


def test_a_left_segment_beyond_its_fissure_is_found_and_told_to_the_other_phases() -> None:
    """Fat parts it from the rest, so no walk reaches it; the venous phase proves it, the arterial one is told."""
    spec = random_patient(np.random.default_rng(109), Diagnosis.ICC)
    drawn = {phase: render_phase(spec, phase) for phase in (Phase.C1, Phase.C2)}
    results = find_liver({phase: each.volume for phase, each in drawn.items()})
    for phase, each in drawn.items():
        assert dice(results[phase].mask, each.liver) > 0.935, phase
    alone = find_liver_in(drawn[Phase.C1].volume)
    assert dice(alone.mask, drawn[Phase.C1].liver) < 0.92  # else this patient proves nothing


def test_pieces_are_kept_only_where_they_are_expected() -> None:
    mask = np.zeros((60, 60, 30), dtype=bool)
    mask[20:55, 10:50, 5:25] = True
    mask[4:16, 20:40, 8:22] = True
    assert not tidy(mask, spacing_mm=3.0)[10, 30, 15]
    expected = np.zeros_like(mask)
    expected[:18] = True
    assert tidy(mask, spacing_mm=3.0, apart=expected)[10, 30, 15]
    expected[8:] = False
    assert not tidy(mask, spacing_mm=3.0, apart=expected)[10, 30, 15]
