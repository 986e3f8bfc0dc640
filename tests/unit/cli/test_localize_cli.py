"""`quadphase localize`: what would overwrite an input, mislabel an output or do nothing is refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.hashing import sha256_of
from quadphase.io.nifti import load_mask, save_volume
from quadphase.io.study import Study
from quadphase.model import Grid, Volume

COPY = f'{sys.executable} -c "import sys; from pathlib import Path; from quadphase.io.nifti import *; \
from quadphase.model import Mask; v = load_volume(Path(sys.argv[1])); \
save_mask(Path(sys.argv[2]), Mask(voxels=v.hu > 50, grid=v.grid))" {{ct}} {{mask}}'


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert "defect" not in result.stderr
    return result.stderr


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    hu = np.full((40, 30, 12), -100, dtype=np.int16)
    hu[5:30, 5:25, 3:9] = 60
    grid = Grid(hu.shape, np.diag([-5.0, -5.0, 8.0, 1.0]))
    return save_volume(tmp_path / "ct.nii.gz", Volume(hu=hu, grid=grid))


def test_the_ct_is_never_replaced_by_its_mask(ct: Path, tmp_path: Path) -> None:
    before = sha256_of(ct)
    (tmp_path / "link.nii.gz").symlink_to(ct)
    for target in (ct, tmp_path / "x" / ".." / "ct.nii.gz", tmp_path / "link.nii.gz"):
        said = refusal("localize", ct, target, "--overwrite", "--backend", "command", "--command", COPY)
        assert "is an input of this command" in said
    assert sha256_of(ct) == before


def test_a_mask_is_nifti_and_is_called_so(ct: Path, tmp_path: Path) -> None:
    said = refusal("localize", ct, tmp_path / "m.png", "--backend", "command", "--command", COPY)
    assert "does not end in .nii or .nii.gz" in said
    assert not (tmp_path / "m.png").exists()


def test_a_mask_is_written_where_it_is_told(ct: Path, tmp_path: Path) -> None:
    result = run("localize", ct, tmp_path / "m.nii", "--backend", "command", "--command", COPY)
    assert result.exit_code == 0, result.output
    assert load_mask(tmp_path / "m.nii").voxels.sum() == 25 * 20 * 6


def test_options_that_would_do_nothing_are_refused(ct: Path, tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study").root
    assert "--overwrite is for a single CT" in refusal("localize", study, "--overwrite")
    assert "takes no --command" in refusal("localize", study, "--command", COPY)
    assert "--workers is for a study" in refusal("localize", ct, tmp_path / "m.nii.gz", "--workers", 2)
    assert "takes no --command" in refusal("localize", ct, tmp_path / "m.nii.gz", "--command", COPY)


def test_a_forgotten_mask_is_asked_for(ct: Path) -> None:
    assert "name the mask to write too" in refusal("localize", ct)


def test_a_folder_that_is_a_file_is_said(ct: Path, tmp_path: Path) -> None:
    assert "is not a folder" in refusal("localize", ct / "x.nii.gz", tmp_path / "m.nii.gz")


@pytest.mark.parametrize("words", [("run",), ("acquire", "src"), ("convert",), ("exams",), ("release", "out")])
def test_a_file_is_no_study(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "afile").write_text("")
    command, *rest = words
    assert "is not a folder" in refusal(command, tmp_path / "afile", *rest)
