"""A tiny study with one converted case: two phases of 6×5×4 voxels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quadphase.io.json_file import save_record
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.study import Study
from quadphase.model import CaseRecord, Grid, GridRecord, Mask, Phase, PhaseRecord, Volume

GRID = Grid((6, 5, 4), [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study.create(tmp_path / "study")
    phases = {}
    for phase in (Phase.C1, Phase.C2):
        save_volume(made.ct("P0001", phase), Volume(hu=np.zeros(GRID.shape, np.int16), grid=GRID))
        phases[phase] = PhaseRecord(
            phase=phase, grid=GridRecord.of(GRID), series="x", n_slices=4, slice_spacing_mm=2.0
        )  # fmt: skip
    save_record(made.case_record("P0001"), CaseRecord(case="P0001", phases=phases))
    return made


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """``draw("a", [1, 2])`` saves a mask with the middle of slices 1 and 2 set and returns its path."""

    def make(name: str, slices: list[int], *, grid: Grid = GRID, width: int = 2) -> Path:
        voxels = np.zeros(grid.shape, dtype=bool)
        for k in slices:
            voxels[2 : 2 + width, 1:3, k] = True
        return save_mask(tmp_path / "drawn" / f"{name}.nii.gz", Mask(voxels=voxels, grid=grid))

    return make
