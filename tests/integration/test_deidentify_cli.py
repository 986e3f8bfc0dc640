"""`quadphase deidentify …` as a user types it: exit codes, one line of error, one JSON object, nothing disclosed."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.deidentify.dataset import lenient
from quadphase.io.ledger import Ledger
from quadphase.io.nifti import save_volume
from quadphase.io.study import Study
from quadphase.model import Grid, Phase, Volume
from quadphase.model.source import SourcePatient
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import Exam, Person

NAME, PATIENT_ID = "欧阳振华", "0048215973"


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["deidentify", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def volume() -> Volume:
    hu = np.random.default_rng(0).normal(50, 12, (48, 48, 6)).astype(np.int16)
    return Volume(hu=hu, grid=Grid((48, 48, 6), np.diag([5.0, 5.0, 5.0, 1.0])))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    home = Study.create(tmp_path / "study")
    with Ledger(home.ledger_url) as ledger:
        patient = SourcePatient(patient_id=PATIENT_ID, name=NAME, birth_date=date(1951, 11, 23))
        ledger.replace_patients([patient], {PATIENT_ID: "P0042"})
    return tmp_path / "study"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    save_volume(folder / "ct_files" / "P0042_ct_C1.nii.gz", volume())
    (folder / "README.md").write_text("A dataset of the liver.\n")
    return folder


def test_a_clean_release(study: Path, release: Path) -> None:
    code, out, _ = run("scan", release, "--study", study)
    assert code == 0
    assert "clean" in out
    code, out, _ = run("scan", release, "--study", study, "--json")
    assert json.loads(out)["clean"] is True


def test_a_leak_stops_with_code_five_and_no_value(study: Path, release: Path) -> None:
    (release / "notes.gz").write_bytes(gzip.compress(b"Ouyang Zhenhua, 23.11.1951", mtime=0))
    code, out, err = run("scan", release, "--study", study)
    assert code == 5
    assert "notes.gz" in out
    assert "Zhenhua" not in out + err
    code, out, _ = run("scan", release, "--study", study, "--json")
    assert code == 5
    assert {f["code"] for f in json.loads(out)["findings"]} == {"identifier-found"}
    assert run("scan", release / "README.md", "--study", study)[0] == 0


@pytest.mark.parametrize("case", ["no-study", "empty-ledger", "no-path"])
def test_unusable_arguments_are_one_line(study: Path, release: Path, tmp_path: Path, case: str) -> None:
    Study.create(tmp_path / "empty")
    with Ledger(Study(tmp_path / "empty").ledger_url):
        pass
    path, home = {
        "no-study": (release, tmp_path / "nothing"),
        "empty-ledger": (release, tmp_path / "empty"),
        "no-path": (tmp_path / "gone", study),
    }[case]
    code, out, err = run("scan", path, "--study", home)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.fixture
def dicom(tmp_path: Path) -> Path:
    exam = Exam(person=Person(patient_id=PATIENT_ID, pinyin="Ouyang^Zhenhua", hanzi="欧阳^振华"), charset="GB18030")
    for phase in Phase:
        write_series(volume(), tmp_path / "in" / phase.value, exam=exam, phase=phase)
    return tmp_path / "in"


def test_dicom_with_a_study(study: Path, dicom: Path, tmp_path: Path) -> None:
    code, out, _ = run("dicom", dicom, tmp_path / "out", "--study", study, "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["written"], result["refused"], result["subjects"]) == (24, 0, 1)
    assert result["proof"]["clean"] is True
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["P0042"]
    assert run("scan", tmp_path / "out", "--study", study)[0] == 0
    assert run("scan", dicom, "--study", study)[0] == 5


def test_dicom_with_a_key_file(dicom: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert run("dicom", dicom, tmp_path / "out", "--key-file", key, "--dry-run")[0] == 0
    assert not (tmp_path / "out").exists()
    assert not key.exists()
    assert run("dicom", dicom, tmp_path / "out", "--key-file", key)[0] == 0
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_text()
    assert run("dicom", dicom, tmp_path / "again", "--key-file", key)[0] == 0
    assert [p.name for p in (tmp_path / "again").iterdir()] == [p.name for p in (tmp_path / "out").iterdir()]
    assert key.read_text() == before
    code, _, err = run("dicom", dicom, tmp_path / "out", "--key-file", key)
    assert code == 2
    assert "exists already" in err
    key.write_text("not a key")
    assert run("dicom", dicom, tmp_path / "other", "--key-file", key)[0] == 2
    assert run("dicom", dicom, tmp_path / "other")[0] == 2


@pytest.mark.parametrize("case", ["gone", "empty", "exists"])
def test_a_run_that_comes_to_nothing_leaves_no_key(dicom: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "old").mkdir()
    source, out = {
        "gone": (tmp_path / "gone", tmp_path / "out"),
        "empty": (tmp_path / "empty", tmp_path / "out"),
        "exists": (dicom, tmp_path / "old"),
    }[case]
    key = tmp_path / "key"
    assert run("dicom", source, out, "--key-file", key)[0] == 2
    assert not key.exists()
    key.write_text("ab" * 32)
    assert run("dicom", source, out, "--key-file", key)[0] == 2
    assert key.read_text() == "ab" * 32


def test_a_study_without_a_cohort_is_not_changed(dicom: Path, tmp_path: Path) -> None:
    Study.create(tmp_path / "new")
    before = sorted((tmp_path / "new").rglob("*"))
    assert run("dicom", dicom, tmp_path / "out", "--study", tmp_path / "new", "--dry-run")[0] == 0
    assert run("dicom", tmp_path / "gone", tmp_path / "out", "--study", tmp_path / "new")[0] == 2
    assert run("dicom", dicom, tmp_path / "out", "--study", tmp_path / "new")[0] == 0
    assert sorted((tmp_path / "new").rglob("*")) == before


def test_dicom_counts_the_texts_it_dropped(dicom: Path, tmp_path: Path) -> None:
    with lenient():
        path = sorted(dicom.rglob("*.dcm"))[0]
        dataset = dcmread(path)
        dataset.SequenceName, dataset.RetrieveURL = "DrLiuYang", "https://pacs.hospital.example/ward7"
        dataset.save_as(path, enforce_file_format=True)
    code, out, err = run("dicom", dicom, tmp_path / "out", "--key-file", tmp_path / "key")
    assert code == 0
    assert "SequenceName 1" in out
    assert "LiuYang" not in out + err
    left = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*.dcm"))
    assert b"LiuYang" not in left
    assert b"ward7" not in left
    _, out, _ = run("dicom", dicom, tmp_path / "two", "--key-file", tmp_path / "key", "--json")
    assert json.loads(out)["changed"] == {"SequenceName": 1}


def test_dicom_says_what_it_refused(dicom: Path, tmp_path: Path) -> None:
    (dicom / "bad.dcm").write_text("no DICOM")
    code, out, _ = run("dicom", dicom, tmp_path / "out", "--key-file", tmp_path / "key")
    assert code == 3
    assert "1 refused" in out
    assert "dicom-unreadable" in out


def test_score(dicom: Path, tmp_path: Path) -> None:
    series = dicom / "C1"
    run("dicom", series, tmp_path / "out", "--key-file", tmp_path / "key")
    checks = [
        {"task": "text_removed", "instance": "3", "path": ["PatientName"], "value": "Ouyang"},
        {"task": "tag_retained", "instance": "3", "path": ["KVP"]},
    ]
    (tmp_path / "answers.json").write_text(json.dumps(checks))
    code, out, err = run("score", tmp_path / "answers.json", tmp_path / "out", "--json")
    assert code == 0, err
    assert json.loads(out)["percent"] == 100.0
    assert run("score", tmp_path / "answers.json", series)[0] == 1
    code, _, err = run("score", tmp_path / "answers.json", dicom)
    assert (code, "24 share one with another" in err) == (2, True)
    (tmp_path / "answers.json").write_text("[{}]")
    assert run("score", tmp_path / "answers.json", tmp_path / "out")[0] == 2


def test_predictability(real_data: Path, tmp_path: Path) -> None:
    code, out, _ = run("predictability", real_data / "plc_cect" / "patient_data.csv", "--json")
    assert code == 1
    assert json.loads(out)["p_values"]["ids"] < 1e-4
    _, out, _ = run("predictability", real_data / "plc_cect" / "patient_data.csv")
    assert "p = 5e-05" in out
    assert "0.0000" not in out
    assert run("predictability", tmp_path / "nothing")[0] == 2
