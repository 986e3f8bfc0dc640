"""Resampling that was asked for: voxels stay where they are in the patient, and what cannot be helped stays refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import Stack, read_stacks
from quadphase.model import Grid, Phase, Volume
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import slices_of, write_slices
from quadphase.phantom.exam import Exam
from quadphase.phantom.nasty import NASTY, texture


def only_stack(folder: Path, **options: object) -> Stack:
    settings = ConvertSection.model_validate({"minimum_slices": 2, **options})
    (stack,) = read_stacks([folder], settings=settings).stacks
    return stack


def ramp(grid: Grid) -> Volume:
    """HU that grow linearly through the patient: linear interpolation must reproduce them."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    world = grid.world_from_index(index)
    return Volume(hu=np.rint(4 * world[..., 0] + 3 * world[..., 1] - 2 * world[..., 2]).astype(np.int16), grid=grid)


def written(volume: Volume, folder: Path, keep: list[int]) -> Path:
    slices = slices_of(volume)
    write_slices([slices[k] for k in keep], folder, tags=Exam().tags(Phase.C2))
    return folder


def errors_of_ramp(stack: Stack) -> np.ndarray:
    """Differences to the ramp at the voxels that are not air put in for want of data."""
    volume = stack.load().volume
    wanted = ramp(volume.grid).hu.astype(int)
    inside = volume.hu != -1024
    first = stack.headers[0].plane
    in_a_slice = first.rows * first.columns
    assert (np.count_nonzero(inside, axis=(0, 1)) >= in_a_slice - max(first.rows, first.columns)).all()
    return np.abs(volume.hu[inside] - wanted[inside])


AXIAL = Grid((40, 32, 20), [[-1.5, 0, 0, 30], [0, -1.25, 0, 21], [0, 0, 5, -50], [0, 0, 0, 1]])
TILTED = Grid((40, 32, 20), [[-1.5, 0, 0, 30], [0, -1.25 * 0.9483, 0, 21], [0, 1.25 * 0.3173, 5, -50], [0, 0, 0, 1]])


def test_gap_is_filled_between_its_neighbours(tmp_path: Path) -> None:
    stack = only_stack(written(ramp(AXIAL), tmp_path, [k for k in range(20) if k not in (7, 12)]), fill_gaps=True)
    assert stack.proved_grid.is_close(AXIAL)
    assert errors_of_ramp(stack).max() <= 1


def test_two_missing_slices_in_a_row_are_not_invented(tmp_path: Path) -> None:
    stack = only_stack(written(ramp(AXIAL), tmp_path, [k for k in range(20) if k not in (7, 8, 12)]), fill_gaps=True)
    assert not stack.usable
    assert "missing-slices" in {finding.code for finding in stack.findings}


def test_acquired_slices_are_kept_to_the_last_bit(tmp_path: Path) -> None:
    source = texture()
    kept = [k for k in range(source.grid.shape[2]) if k != 4]
    stack = only_stack(written(source, tmp_path, kept), fill_gaps=True)
    hu = stack.load().volume.hu
    np.testing.assert_array_equal(hu[:, :, kept], source.hu[:, :, kept])


def test_uneven_stack_is_evened(tmp_path: Path) -> None:
    folder = written(ramp(AXIAL), tmp_path, [0, 1, 2, 3, 5, 7, 9, 10, 11, 12, 13, 14, 16, 18])
    stack = only_stack(folder, resample_mm=2.5)
    assert stack.proved_grid.spacing_mm[2] == pytest.approx(2.5)
    assert stack.proved_grid.origin_mm == pytest.approx(AXIAL.origin_mm)
    assert errors_of_ramp(stack).max() <= 1


def test_tilt_is_straightened(tmp_path: Path) -> None:
    stack = only_stack(written(ramp(TILTED), tmp_path, list(range(20))), deskew=True)
    grid = stack.proved_grid
    assert grid.is_orthogonal
    assert [c.kind for c in stack.changes] == ["deskew"]
    # Half a pixel beyond the centres of the outermost: 0.5 * 1.25 mm at 3 HU a mm.
    assert errors_of_ramp(stack).max() <= 3


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("resample_mm", [None, 2.0])
def test_straightening_cuts_no_tissue_and_lets_no_air_into_it(
    tmp_path: Path, sign: int, resample_mm: float | None
) -> None:
    affine = np.diag([-0.8, -0.8, 5.0, 1.0])
    affine[1, 2] = sign * 1.2
    hu = np.full((64, 64, 24), -1000, dtype=np.int16)
    hu[16:48] = 50  # to the very edge of each slice
    source = Volume(hu=hu, grid=Grid(hu.shape, affine))
    stack = only_stack(written(source, tmp_path, list(range(24))), deskew=True, resample_mm=resample_mm)
    volume = stack.load().volume
    assert set(np.unique(volume.hu)) == {-1024, -1000, 50}
    kept = np.count_nonzero(volume.hu == 50, axis=(0, 1))
    at_slices = kept[:: 1 if resample_mm is None else 5]
    assert (at_slices == 32 * 64).all()
    assert (kept >= 32 * 64).all()
    corners = np.concatenate([h.plane.corners_mm() for h in stack.headers]) * (-1, -1, 1)
    index = volume.grid.index_from_world(corners)
    assert (index > -0.51).all()
    assert (index < np.array(volume.grid.shape) - 0.49).all()


def test_tilted_and_uneven_needs_both_options(real_data: Path) -> None:
    folder = real_data / "tilted_ct"
    assert not only_stack(folder, deskew=True).usable
    assert not only_stack(folder, resample_mm=4.0).usable
    both = only_stack(folder, deskew=True, resample_mm=4.0)
    assert both.usable
    assert both.proved_grid.is_orthogonal
    assert both.proved_grid.spacing_mm[2] == pytest.approx(4.0)
    loaded = both.load().volume
    assert loaded.hu.shape == both.proved_grid.shape
    assert {f.code for f in both.findings if f.severity == "warning"} >= {"gantry-tilt", "uneven-spacing", "resampled"}


@pytest.mark.parametrize("name", ["conflicting_duplicates"])
def test_some_faults_cannot_be_resampled_away(name: str, tmp_path: Path) -> None:
    NASTY[name](tmp_path)
    assert not only_stack(tmp_path, deskew=True, resample_mm=2.0, fill_gaps=True).usable


def test_options_leave_a_clean_stack_alone(tmp_path: Path) -> None:
    NASTY["oblique"](tmp_path)
    stack = only_stack(tmp_path, deskew=True, fill_gaps=True)
    assert stack.changes == ()
