"""The main job on real DICOM: one published exam with two phases in one series and no delayed phase.

The facts of the exam were read from the files with pydicom, not with quadphase (`docs/reference/test-data.md`).
"""

from __future__ import annotations

import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.nifti import load_volume
from quadphase.io.study import Study
from quadphase.model import Phase

HEADER = "patient_id,sex,birth_date,morphology_code,pathology_confirmed,surgery_date,prior_treatment,icd10,group\n"
PATIENT = "HCC_007"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    """One eligible patient, operated on five days after the exam."""
    some_slice = next((real_data / "multiphase_hcc" / "study").rglob("*.dcm"))
    exam = date.fromisoformat(pydicom.dcmread(some_slice, stop_before_pixels=True).StudyDate)
    born, surgery = exam.replace(year=exam.year - 60), exam + timedelta(days=5)
    path = tmp_path_factory.mktemp("clinic") / "patients.csv"
    path.write_text(f"{HEADER}{PATIENT},male,{born},8170/3,yes,{surgery},no,C22.0,cancer\n")
    return path


def start(root: Path, required: str = "") -> Path:
    assert run("init", root).exit_code == 0
    if required:
        path = root / "protocol.toml"
        text, n = re.subn(r"(?m)^required = .*$", f"required = {required}", path.read_text("utf-8"))
        assert n == 1
        path.write_text(text, "utf-8")
    return root


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, real_data: Path, table: Path) -> tuple[Path, dict]:
    """Study of the exam under a three-phase protocol, and the command's JSON."""
    root = start(tmp_path_factory.mktemp("three") / "study", '["P", "C1", "C2"]')
    result = run("run", root, "--table", table, "--source", real_data / "multiphase_hcc", "--json")
    assert result.exit_code == 0, result.stderr
    return root, json.loads(result.stdout)


def test_four_phases_are_required_by_default_and_the_case_is_held(tmp_path: Path, real_data: Path, table: Path) -> None:
    root = start(tmp_path / "study")
    result = run("run", root, "--table", table, "--source", real_data / "multiphase_hcc", "--json")
    assert result.exit_code == 3, result.stderr
    told = json.loads(result.stdout)
    assert told["release"] is None
    assert told["released"] == []
    (held,) = told["held"]
    assert held["case"] == "P0001"
    assert held["reasons"] == [{"code": "missing-phase", "text": "delayed phase (C3) is missing"}]
    assert not (root / "release").exists()
    assert not (root / "cases" / "P0001").exists()
    assert list(root.rglob(".tmp-*")) == []


def test_three_phases_are_released_and_the_audit_is_clean(released: tuple[Path, dict]) -> None:
    root, told = released
    assert told["released"] == ["P0001"]
    assert told["images"] == 3
    assert told["held"] == []
    audit = run("audit", root / "release", "--json")
    assert audit.exit_code == 0
    assert json.loads(audit.stdout)["severities"]["error"] == 0
    with (root / "release" / "patient_data.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["phase"], r["mask_path"]) for r in rows] == [("P", "NA"), ("C1", "NA"), ("C2", "NA")]
    for row in rows:
        ct = load_volume(root / "release" / row["ct_path"])
        assert ct.hu.dtype == np.int16
        assert (ct.hu.min(), ct.hu.max()) == (-200, 200)
        assert (root / "release" / row["liver_mask_path"]).is_file()


def source_slices(folder: Path, series: str, acquisition: int) -> list[pydicom.Dataset]:
    files = [pydicom.dcmread(p) for p in sorted((folder / "multiphase_hcc" / "study").rglob("*.dcm"))]
    chosen = [d for d in files if series in d.SeriesDescription and int(d.AcquisitionNumber) == acquisition]
    return sorted(chosen, key=lambda d: float(d.ImagePositionPatient[2]))


@pytest.mark.parametrize(
    ("phase", "series", "acquisition", "n", "spacing"),
    [(Phase.P, "PRE", 1, 18, 10.0), (Phase.C1, "3 PHASE", 2, 75, 2.5), (Phase.C2, "3 PHASE", 3, 75, 2.5)],
)
def test_every_voxel_and_position_is_the_scanners(
    released: tuple[Path, dict], real_data: Path, phase: Phase, series: str, acquisition: int, n: int, spacing: float
) -> None:
    root, _ = released
    volume = load_volume(Study(root).ct("P0001", phase))
    slices = source_slices(real_data, series, acquisition)
    assert volume.grid.shape == (512, 512, n)
    assert len(slices) == n
    assert volume.grid.spacing_mm == pytest.approx((*map(float, slices[0].PixelSpacing), spacing), abs=1e-4)
    for k, source in enumerate(slices):
        hu = source.pixel_array * int(source.RescaleSlope) + int(source.RescaleIntercept)
        assert np.array_equal(volume.hu[:, :, k], hu.T)
        position = np.array([float(v) for v in source.ImagePositionPatient]) * (-1, -1, 1)
        assert np.abs(volume.grid.world_from_index((0, 0, k)) - position).max() <= 0.01


def test_the_release_is_a_crop_in_place(released: tuple[Path, dict]) -> None:
    root, _ = released
    for phase in (Phase.P, Phase.C1, Phase.C2):
        whole = load_volume(Study(root).ct("P0001", phase))
        part = load_volume(root / "release" / f"ct_files/P0001_ct_{phase}.nii.gz")
        first = round(float(whole.grid.index_from_world(part.grid.origin_mm)[2]))
        assert 0 < part.grid.shape[2] < whole.grid.shape[2]
        same = whole.hu[:, :, first : first + part.grid.shape[2]].clip(-200, 200)
        assert np.array_equal(part.hu, same)


def test_nothing_but_the_restricted_folder_knows_the_patient(released: tuple[Path, dict]) -> None:
    root, told = released
    uids = {str(pydicom.dcmread(p, stop_before_pixels=True).StudyInstanceUID) for p in _dicom(root)}
    needles = [PATIENT.encode(), *(uid.encode() for uid in uids)]
    assert not any(n.decode() in json.dumps(told) for n in needles)
    for path in root.rglob("*"):
        if path.is_file() and "restricted" not in path.parts:
            content = path.read_bytes()
            assert not any(n in content for n in needles), path.relative_to(root)


def _dicom(root: Path) -> list[Path]:
    from quadphase.io.ledger import Ledger

    with Ledger(Study(root).ledger_url) as ledger:
        return [instance.path for instance in ledger.instances(PATIENT)][:5]


def test_a_second_run_does_nothing_twice(released: tuple[Path, dict]) -> None:
    root, _ = released
    before = {p: p.stat().st_mtime_ns for p in (root / "cases").rglob("*") if p.is_file()}
    result = run("run", root, "--out", root / "again", "--json")
    assert result.exit_code == 0, result.stderr
    assert {p: p.stat().st_mtime_ns for p in before} == before
    first = (root / "release" / "checksums.sha256").read_bytes()
    assert (root / "again" / "checksums.sha256").read_bytes() == first


def test_an_existing_release_is_kept(released: tuple[Path, dict]) -> None:
    root, _ = released
    result = run("run", root)
    assert result.exit_code == 2
    assert "exists already" in result.stderr


def test_a_tilted_head_is_refused_whole(tmp_path: Path, real_data: Path) -> None:
    result = run("convert", real_data / "tilted_ct", tmp_path / "out", "--json")
    assert result.exit_code == 1, result.stderr
    told = json.loads(result.stdout)
    (stack,) = told["stacks"]
    assert stack["n_slices"] == 28
    assert {"gantry-tilt", "uneven-spacing"} <= {f["code"] for f in stack["findings"]}
    assert list((tmp_path / "out").rglob("*.nii.gz")) == []


def test_burned_in_pages_give_no_volume(tmp_path: Path, real_data: Path) -> None:
    result = run("convert", real_data / "burned_in", tmp_path / "out", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert all(stack.get("volume") is None for stack in told["stacks"])
    assert told["findings"]
    assert "HEAD" not in result.stdout
