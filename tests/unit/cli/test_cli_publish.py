"""The commands table1, figures and pack: what they print, what they refuse, and their exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from quadphase.cli import figures, pack, table1
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.release_rows import COLUMNS
from quadphase.io.release_tables import GeometryRow
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Phase, Volume

PAPERS_AGE = r"Age \(years\) \(median \[IQR\]\) +59.00 \[51.00, 67.00\] +41.00 \[37.50, 53.50\]"


@pytest.fixture
def run() -> object:
    app = typer.Typer()
    for command in (table1, figures, pack):
        command.register(app)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return invoke


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A release of somebody else's: the table and the images, nothing more."""
    root = tmp_path / "foreign"
    grid = Grid((32, 32, 8), np.diag([-4.0, -4.0, 5.0, 1.0]))
    rows = []
    for phase in Phase:
        names = [f"ct_files/P1_{phase}.nii.gz", f"mask_files/P1_{phase}.nii.gz", f"liver_mask_files/P1_{phase}.nii.gz"]
        liver, lesions = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
        liver[5:25, 5:20, 1:7] = True
        lesions[8:12, 8:12, 2:5] = True
        hu = np.where(liver, 60, -100).astype(np.int16)
        save_volume(root / names[0], Volume(hu=hu, grid=grid))
        save_mask(root / names[1], Mask(voxels=lesions, grid=grid))
        save_mask(root / names[2], Mask(voxels=liver, grid=grid))
        rows.append(("P1", 60, "male", phase.value, "HCC", *names))
    (root / "patient_data.csv").write_text(format_csv(COLUMNS, rows), newline="")
    return root


def test_table1_of_the_published_table(run, real_data: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("table1", real_data / "plc_cect" / "patient_data.csv", "--convention", "paper")
    assert result.exit_code == 0
    assert re.search(PAPERS_AGE, result.stdout)
    # The folder holds the table alone: the same rows, no attempt to measure what is not there.
    assert run("table1", real_data / "plc_cect", "--convention", "paper").stdout == result.stdout


def test_table1_measures_a_foreign_release(run, foreign: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("table1", foreign, "--json")
    value = json.loads(result.stdout)
    lines = {line["key"]: line["cells"][0] for line in value["lines"]}
    assert lines["slices_total"] == {"count": 32}
    assert lines["lesion_volume_per_image"]["median"] == pytest.approx(48 * 0.08)
    assert lines["lesion_diameter_per_patient"]["median"] == pytest.approx(np.sqrt(12**2 * 2 + 10**2) / 10)


def test_table1_to_a_file_once(run, foreign: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "t.tex"
    assert run("table1", foreign, "-f", "tex", "-o", out).exit_code == 0
    assert out.read_text().startswith("\\begin{table}")
    again = run("table1", foreign, "-f", "tex", "-o", out)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert run("table1", foreign, "-f", "tex", "-o", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize("command", ["table1", "figures", "pack"])
def test_no_release_is_one_line(run, tmp_path: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    result = run(command, tmp_path / "nowhere", *([tmp_path / "out"] if command == "figures" else []))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("quadphase: ")
    assert result.stderr.count("\n") == 1


def test_figures_of_a_foreign_release_claim_nothing_about_its_making(run, foreign: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "figures"
    result = run("figures", foreign, out, "--subject", "P1", "--phase", "C2", "--json")
    assert result.exit_code == 0, result.stderr
    names = set(json.loads(result.stdout)["files"])
    assert {f"{n}.{form}" for n in ("planes", "slices", "phases", "sample_table") for form in ("svg", "png")} == names
    assert run("figures", foreign, out).exit_code == 2  # never over existing files
    for wrong in (("--subject", "P9"), ("--phase", "C9")):
        assert run("figures", foreign, tmp_path / "other", *wrong).exit_code == 2
    assert not (tmp_path / "other").exists()


def test_pack_refuses_what_has_no_checksums(run, foreign: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("pack", foreign, tmp_path / "a.zip")
    assert result.exit_code == 2
    assert not (tmp_path / "a.zip").exists()


def test_figures_of_the_readers_agreement(run, foreign: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rows = [
        {"case": f"P{n}", "phase": "C1", "readers": ["A", "B"], "dice": d, "volume_a_ml": 9.0 + n, "volume_b_ml": 10.0}
        for n, d in enumerate((0.7, 0.8, None))
    ]
    report = tmp_path / "agreement.json"
    report.write_text(json.dumps({"rows": rows}))
    result = run("figures", foreign, tmp_path / "f", "--agreement", report, "--json")
    assert "agreement.svg" in json.loads(result.stdout)["files"]
    report.write_text('{"rows": [{"case": "P1"}]}')
    refused = run("figures", foreign, tmp_path / "g", "--agreement", report)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "g").exists()


def test_a_mask_on_another_grid_is_one_line(run, foreign: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    other = Grid((16, 32, 8), np.diag([-4.0, -4.0, 5.0, 1.0]))
    mask = Mask(voxels=np.ones(other.shape, bool), grid=other)
    for path in (foreign / "liver_mask_files").iterdir():
        path.unlink()
        save_mask(path, mask)
    result = run("figures", foreign, tmp_path / "figures")
    assert result.exit_code == 2
    assert result.stderr.endswith("quadphase: P1 P: a mask lies on another grid than its image. Audit it.\n")


def test_an_unknown_phase_in_geometry_csv_is_one_line(run, tmp_path: Path, real_data: Path) -> None:  # type: ignore[no-untyped-def]
    root = tmp_path / "release"
    root.mkdir()
    (root / "patient_data.csv").write_bytes((real_data / "plc_cect" / "patient_data.csv").read_bytes())
    columns = list(GeometryRow.__dataclass_fields__)
    row = ["P0001" if name == "patient_id" else "X9" if name == "phase" else "1" for name in columns]
    (root / "geometry.csv").write_text(format_csv(columns, [row]), newline="")
    result = run("table1", root)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "geometry.csv" in result.stderr
