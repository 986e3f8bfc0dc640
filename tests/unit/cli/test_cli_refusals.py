"""Disks, names and terminals that refuse: each is one line that says what and where, and none is a defect."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.release_rows import COLUMNS
from quadphase.io.study import Study
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Volume


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "defect" not in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    return result


def refused(*words: object) -> str:
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    return result.stderr


def table(root: Path, *, ct: str = "ct_files/P1_C1.nii.gz", subject: str = "P1") -> None:
    rows = [(subject, 60, "male", "C1", "HCC", ct, "mask_files/P1_C1.nii.gz", "liver_mask_files/P1_C1.nii.gz")]
    (root / "patient_data.csv").write_text(format_csv(COLUMNS, rows), "utf-8", newline="")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    root = tmp_path / "release"
    grid = Grid((16, 16, 4), np.diag([-4.0, -4.0, 5.0, 1.0]))
    voxels = np.zeros(grid.shape, bool)
    voxels[4:12, 4:12, 1:3] = True
    save_volume(root / "ct_files/P1_C1.nii.gz", Volume(hu=np.where(voxels, 60, -100).astype(np.int16), grid=grid))
    for name in ("mask_files", "liver_mask_files"):
        save_mask(root / name / "P1_C1.nii.gz", Mask(voxels=voxels, grid=grid))
    table(root)
    return root


def describe(root: Path, **values: object) -> None:
    about = {"name": "x", "version": "1", "specification": {"name": "quadphase-release", "version": "1"}, **values}
    (root / "dataset_description.json").write_text(json.dumps(about))


def test_a_name_that_is_too_long_for_a_file(release: Path, tmp_path: Path) -> None:
    """The cell is unusable, as one that leads out of the release; the rest is done."""
    table(release, ct=f"ct_files/{'x' * 300}.nii.gz")
    found = json.loads(run("audit", release, "--json").stdout)
    assert "table-cell" in found["counts"]
    assert json.loads(run("table1", release, "--json").stdout)["problems"] == 1
    assert run("figures", release, tmp_path / "figures", "--json").exit_code == 0
    assert run("repair", release, tmp_path / "out", "--json").exit_code == 0


@pytest.mark.parametrize("parent", ["elsewhere", "nowhere/deep"])
def test_a_repair_follows_a_link_that_leads_to_nothing_yet(release: Path, tmp_path: Path, parent: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / parent / "copy")
    result = run("repair", release, tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / parent / "copy" / "provenance.csv").is_file()
    assert (tmp_path / "out").is_symlink()


def test_links_in_a_circle(release: Path, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "out")
    for command in ("repair", "figures"):
        assert "Cannot write" in refused(command, release, tmp_path / "out")


@pytest.mark.parametrize(
    "values", [{"readers": "two"}, {"readers": True}, {"window_hu": "x"}, {"window_hu": [None, 1]}, {"window_hu": [3]}]
)
def test_figures_of_a_description_that_is_none(release: Path, tmp_path: Path, values: dict[str, object]) -> None:
    describe(release, **values)
    assert f"dataset_description.json: {next(iter(values))} must be" in refused(
        "figures", release, tmp_path / "f", "--json"
    )
    assert not (tmp_path / "f").exists()


def test_a_terminal_that_cannot_show_everything(release: Path, tmp_path: Path) -> None:
    words = ["table1", release, "-o", tmp_path / "Størrelse"]  # no letter of GB 2312
    for more in ([], ["--json", "--overwrite"]):
        done = subprocess.run(
            [sys.executable, "-c", "from quadphase.cli.main import main; main()", *words, *more],
            env={**os.environ, "PYTHONIOENCODING": "gb2312:strict"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"defect" not in done.stderr
    assert "Størrelse" in str(json.loads(done.stdout.decode("utf-8")))  # JSON is UTF-8 whatever the terminal is


@pytest.mark.parametrize("what", ["run.jsonl", "reports"])
def test_a_run_log_that_cannot_be_written(tmp_path: Path, what: str) -> None:
    study = Study.create(tmp_path / "study")
    if what == "reports":
        study.reports.write_text("a file")
        assert "is not a folder" in refused("run", study.root)
    else:
        (study.reports / "run.jsonl").mkdir(parents=True)
        assert f"Cannot write {study.reports / 'run.jsonl'}: Is a directory" in refused("run", study.root)


def test_what_the_system_refuses_is_told_as_deep_as_it_was_typed(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hospital's folders may be named after people."""

    def failing(self: object, path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(release / "Zhang_Wei" / "IM0001"))

    monkeypatch.setattr("quadphase.io.release.Release.__init__", failing)
    monkeypatch.setattr("sys.argv", ["quadphase", "table1", str(release), "-f", "text"])
    said = refused("table1", release)
    assert said == (
        f"quadphase: The system refused: Input/output error, at or below {release}. "
        "Check rights, names and free space there.\n"
    )


def test_an_existing_file_is_refused_before_any_image_is_measured(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("quadphase.statistics.measures.release_measures", measured)
    (tmp_path / "t.csv").write_text("mine")
    assert "exists already" in refused("table1", release, "-o", tmp_path / "t.csv")
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused("table1", release, "-o", tmp_path / "folder", "--overwrite")
    assert (tmp_path / "t.csv").read_text() == "mine"
