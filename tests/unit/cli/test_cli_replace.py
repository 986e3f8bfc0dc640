"""``--overwrite`` removes earlier outputs of the same kind, and nothing else: not the study, not a
stranger's folder, not an input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import save_json
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.release_rows import COLUMNS
from quadphase.io.study import Study
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Volume

FIGURES = ("slices.svg", "planes.png")


def contents(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): sha256_of(p) for p in sorted(root.rglob("*")) if p.is_file()}


def refuse(root: Path, *words: object) -> str:
    """Run a command that must refuse in one line with exit code 2 and leave everything below `root` as it was."""
    before = contents(root)
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2, result.output
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert "defect" not in result.stderr
    after = contents(root)
    after.pop("s/restricted/run.lock", None)
    assert after == before
    return result.stderr


@pytest.fixture
def study(tmp_path: Path) -> Path:
    made = Study.create(tmp_path / "s")
    save_json(made.restricted / "ledger.sqlite", "identities")
    save_json(made.reading("A", "P0001") / "seal.json", "evidence")
    return made.root


@pytest.fixture
def release(tmp_path: Path) -> Path:
    root = tmp_path / "rel"
    grid = Grid((16, 16, 4), np.diag([-4.0, -4.0, 5.0, 1.0]))
    names = ["ct_files/P1_C1.nii.gz", "mask_files/P1_C1.nii.gz", "liver_mask_files/P1_C1.nii.gz"]
    voxels = np.zeros(grid.shape, bool)
    voxels[4:12, 4:12, 1:3] = True
    save_volume(root / names[0], Volume(hu=np.where(voxels, 60, -100).astype(np.int16), grid=grid))
    for name in names[1:]:
        save_mask(root / name, Mask(voxels=voxels, grid=grid))
    rows = [("P1", 60, "male", "C1", "HCC", *names)]
    (root / "patient_data.csv").write_text(format_csv(COLUMNS, rows), newline="")
    save_json(root / "dataset_description.json", {"specification": {"name": "quadphase-release", "version": "1"}})
    return root


@pytest.mark.parametrize("command", [("release", "{}"), ("run", "{}", "--out")])
@pytest.mark.parametrize("inner", ["", "restricted", "readings", "cases/new", "reports", "..", "protocol.toml"])
def test_a_release_never_replaces_its_study(study: Path, command: tuple[str, ...], inner: str) -> None:
    words = [word.format(study) for word in command]
    assert "input of this command" in refuse(study.parent, *words, study / inner, "--overwrite")


@pytest.mark.parametrize("command", [("release", "{}"), ("run", "{}", "--out")])
def test_a_release_never_replaces_a_strangers_folder(study: Path, command: tuple[str, ...]) -> None:
    precious = study.parent / "precious"
    save_json(precious / "thesis.json", "ten years of work")
    save_json(precious / "dataset_description.json", {"Name": "a BIDS dataset", "BIDSVersion": "1.9.0"})
    words = [word.format(study) for word in command]
    assert "something else" in refuse(study.parent, *words, precious, "--overwrite")
    other = Study.create(study.parent / "other").root
    assert "holds a study" in refuse(study.parent, *words, other, "--overwrite")


def test_a_run_never_writes_into_the_hospitals_folder(study: Path) -> None:
    hospital = study.parent / "hospital"
    table = hospital / "clinical.csv"
    save_json(table, "rows")
    for out in (hospital / "release", study.parent):
        said = refuse(study.parent, "run", study, "--table", table, "--source", hospital, "--out", out, "--overwrite")
        assert "input of this command" in said


def test_figures_never_replace_a_release(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for out in (release, release / "ct_files", release / "figures", release.parent):
        assert "input of this command" in refuse(release.parent, "figures", release, out, "--overwrite")
    monkeypatch.chdir(release)
    for out in (".", "..", "figures"):
        assert "input of this command" in refuse(release.parent, "figures", release, out, "--overwrite")
    monkeypatch.chdir("/")
    assert "input of this command" in refuse(release.parent, "figures", release, "/", "--overwrite")


def test_figures_replace_figures(release: Path) -> None:
    out = release.parent / "figures"
    assert CliRunner().invoke(app, ["figures", str(release), str(out), "--json"]).exit_code == 0
    old = (out / "planes.png").read_bytes()
    (out / "planes.png").write_bytes(b"old")
    assert CliRunner().invoke(app, ["figures", str(release), str(out), "--overwrite", "--json"]).exit_code == 0
    assert (out / "planes.png").read_bytes() == old
    (out / "my notes.txt").write_text("…")
    assert "something else" in refuse(release.parent, "figures", release, out, "--overwrite")


def test_a_table_never_replaces_what_it_is_made_from(release: Path) -> None:
    table = release / "patient_data.csv"
    assert "input" in refuse(release.parent, "table1", table, "-o", table, "-f", "csv", "--overwrite")
    save_json(release / "checksums.sha256", "sealed")
    assert "input" in refuse(release.parent, "table1", release, "-o", release / "table1.csv", "--overwrite")


def test_a_liver_never_replaces_its_ct(release: Path) -> None:
    ct = release / "ct_files" / "P1_C1.nii.gz"
    assert "input" in refuse(release.parent, "localize", ct, ct, "--overwrite")


def test_a_conversion_replaces_only_a_conversion(tmp_path: Path, study: Path) -> None:
    source, precious = tmp_path / "dicom", tmp_path / "precious"
    (source / "a").mkdir(parents=True)
    (source / "a" / "1.dcm").write_bytes(b"no DICOM")
    save_json(precious / "report.json", {"n_files": 1})
    assert "something else" in refuse(tmp_path, "convert", source, precious, "--overwrite")
    assert "study" in refuse(tmp_path, "convert", source, study, "--overwrite")
    for out in (source, source / "a", tmp_path):
        refuse(tmp_path, "convert", source, out, "--overwrite")
    first = CliRunner().invoke(app, ["convert", str(source), str(tmp_path / "out"), "--json"])
    again = CliRunner().invoke(app, ["convert", str(source), str(tmp_path / "out"), "--overwrite", "--json"])
    assert first.exit_code == again.exit_code == 1
    assert (tmp_path / "out" / "report.json").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("release", "{0}/s", "{0}/there"),
        ("run", "{0}/s", "--out", "{0}/there"),
        ("figures", "{0}/rel", "{0}/there"),
        ("convert", "{0}/rel", "{0}/there"),
        ("pack", "{0}/rel", "{0}/there.zip"),
        ("table1", "{0}/rel", "--out", "{0}/there.zip"),
        ("audit", "{0}/rel", "--html", "{0}/there.zip"),
        ("localize", "{0}/rel/ct_files/P1_C1.nii.gz", "{0}/there.nii.gz"),
    ],
    ids=lambda words: words[0],
)
def test_what_is_there_is_refused_with_the_option_that_replaces_it(
    study: Path, release: Path, words: tuple[str, ...]
) -> None:
    root = study.parent
    kind = {"name": "quadphase-release", "version": "1"}
    save_json(release / "dataset_description.json", {"name": "x", "version": "1", "specification": kind})
    (root / "there").mkdir()
    for name in ("there.zip", "there.nii.gz"):
        (root / name).write_bytes(b"mine")
    said = refuse(root, *(word.format(root) for word in words))
    assert said.endswith(f"{words[-1].format(root)} exists already. Choose another name, or add --overwrite.\n")
