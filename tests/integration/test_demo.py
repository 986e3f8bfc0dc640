"""The demo at a small size: the whole way, with readers, twice, and nothing of anybody left where it must not be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.deidentify.scan import scan
from quadphase.io.ledger import Ledger
from quadphase.io.nifti import load_mask
from quadphase.io.study import Study
from quadphase.model import Status
from quadphase.model.source import Identifier
from quadphase.pipeline.demo import Demo, make_demo
from quadphase.pipeline.run import run_study, silent
from quadphase.release.pack import pack_release


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo]:
    out = tmp_path_factory.mktemp("demo")
    return out, make_demo(out, patients=3, matrix=96, slice_spacing_mm=8.0, workers=1, progress=silent)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_eligible_patients_are_released(demo: tuple[Path, Demo]) -> None:
    out, made = demo
    with Ledger(Study(out / "study").ledger_url) as ledger:
        cases = ledger.cases()
    assert made.result.published is not None
    assert set(made.result.published.summary.released) == {cases[p] for p in made.hospital.eligible}
    rows = rows_of(out / "release" / "patient_data.csv")
    assert len(rows) == 12
    assert {r["phase"] for r in rows} == {"P", "C1", "C2", "C3"}
    assert all(r["age"] != "NA" and r["gender"] != "NA" for r in rows)


def test_excluded_and_held_patients_say_why(demo: tuple[Path, Demo]) -> None:
    out, made = demo
    decided = rows_of(out / "study" / "reports" / "cohort.csv")
    excluded = [r for r in decided if r["decision"] == "excluded"]
    assert len(excluded) == made.result.excluded > 0
    assert all(r["reasons"] not in ("", "NA") for r in excluded)
    assert all(o.reasons for o in made.result.held)


def test_lesions_are_the_adjudicated_ones(demo: tuple[Path, Demo]) -> None:
    out, made = demo
    with Ledger(Study(out / "study").ledger_url) as ledger:
        cases = ledger.cases()
    rows = rows_of(out / "release" / "patient_data.csv")
    compared = 0
    for patient in made.hospital.eligible:
        for row in (r for r in rows if r["patient_id"] == cases[patient] and r["mask_path"] != "NA"):
            truth = load_mask(made.hospital.adjudicated / patient / f"{row['phase']}.nii.gz")
            released = load_mask(out / "release" / row["mask_path"])
            assert released.volume_ml == pytest.approx(truth.volume_ml)
            compared += 1
    assert compared >= 4


def test_livers_match_the_truth(demo: tuple[Path, Demo]) -> None:
    out, made = demo
    study = Study(out / "study")
    with Ledger(study.ledger_url) as ledger:
        cases = ledger.cases()
    dice = []
    for patient in made.hospital.eligible:
        for path in (made.hospital.truth / patient).glob("*_liver.nii.gz"):
            truth = load_mask(path).voxels
            found = load_mask(study.livers / cases[patient] / f"{path.name.split('_')[0]}.nii.gz").voxels
            dice.append(2 * (truth & found).sum() / (truth.sum() + found.sum()))
    assert len(dice) == 12
    assert np.median(dice) > 0.9


def test_agreement_is_written(demo: tuple[Path, Demo]) -> None:
    out, _ = demo
    agreement = json.loads((out / "study" / "reports" / "agreement.json").read_text())
    assert 0.6 < agreement["dice"]["mean"] < 1.0


def test_no_identifier_outside_the_restricted_folder(demo: tuple[Path, Demo]) -> None:
    """Names, ids and accession numbers of all patients: in no file of study and release, and in no file name."""
    out, _ = demo
    clinical = rows_of(out / "hospital" / "clinical.csv")
    columns = [c for c in clinical[0] if c.lstrip("\ufeff") in ("patient_id", "name", "accession_number")]
    assert len(columns) == 3
    needles = [row[c].encode() for row in clinical for c in columns if row[c]]
    for root in (out / "study", out / "release"):
        for path in root.rglob("*"):
            assert not any(n in str(path.relative_to(out)).encode() for n in needles)
            if path.is_file() and "restricted" not in path.parts:
                content = path.read_bytes()
                assert not any(n in content for n in needles), path.relative_to(out)


def test_the_same_study_gives_the_same_bytes(demo: tuple[Path, Demo]) -> None:
    out, _ = demo
    result = run_study(out / "study", out=out / "elsewhere" / "other-name", workers=2)
    assert all(o.status in (Status.UNCHANGED, Status.DONE, Status.HELD) for o in result.outcomes)
    first = (out / "release" / "checksums.sha256").read_bytes()
    assert (out / "elsewhere" / "other-name" / "checksums.sha256").read_bytes() == first


@pytest.mark.parametrize("archive", ["", "release.tar.gz", "release.zip"])
def test_a_birth_date_that_tables_give_for_an_unknown_one_stops_no_release(
    demo: tuple[Path, Demo], tmp_path: Path, archive: str
) -> None:
    """2000-01-01 is also the time of all files of a release, and of the members of its archives."""
    out, _ = demo
    path = pack_release(out / "release", tmp_path / archive, prefix="r").path if archive else out / "release"
    assert scan(path, [Identifier(kind="birth_date", value="2000-01-01")]).findings == ()


def test_a_planted_identifier_stops_the_release(demo: tuple[Path, Demo]) -> None:
    """A patient's name in the title of the release: nothing is released, and the message does not repeat it."""
    out, _ = demo
    name = next(v for k, v in rows_of(out / "hospital" / "clinical.csv")[0].items() if k.lstrip("\ufeff") == "name")
    protocol = out / "study" / "protocol.toml"
    before = protocol.read_text("utf-8")
    protocol.write_text(before.replace('title = ""', f'title = "Livers of {name}"'), "utf-8")
    assert protocol.read_text("utf-8") != before
    try:
        result = CliRunner().invoke(app, ["release", str(out / "study"), str(out / "leaky"), "--json"])
    finally:
        protocol.write_text(before, "utf-8")
    assert result.exit_code == 5
    assert not (out / "leaky").exists()
    assert name not in result.stderr + result.stdout
    assert "name" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_readmes_python_runs_on_the_demo(
    demo: tuple[Path, Demo], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = demo
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    code = readme.split("```python\n")[1].split("```")[0].replace("demo/release", "release")
    monkeypatch.chdir(out)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  # the README's own words are what is tested
    assert capsys.readouterr().out.startswith("P0")
