"""What a release says about itself is its outcome: in the flow, in the ledger, and after it was stopped."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quadphase import annotate
from quadphase.cli.main import app
from quadphase.errors import InputError, PrivacyError
from quadphase.io.ledger import Ledger
from quadphase.io.nifti import load_mask, save_mask
from quadphase.io.release import Release
from quadphase.io.study import Study
from quadphase.model import Decision, Diagnosis, Mask, Phase, Reason, Status
from quadphase.model.source import SourcePatient
from quadphase.pipeline.lock import lock_study
from quadphase.pipeline.publish import publish, subject_of
from quadphase.pipeline.stages import consensus_cases
from quadphase.pipeline.work import SerialExecutor


def release(study: Study, out: Path, *, replace: bool = False):  # type: ignore[no-untyped-def]
    with Ledger(study.ledger_url) as ledger:
        return publish(study, ledger, out, executor=SerialExecutor(), progress=lambda *_: None, replace=replace)


def decided(study: Study) -> dict[str, bool]:
    with Ledger(study.ledger_url) as ledger:
        return {d.case: d.eligible for d in ledger.decisions("release")}


@pytest.fixture(autouse=True)
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds and say nothing about the outcome."""
    monkeypatch.setattr("quadphase.release.build.write_figures", lambda *_, **__: ())


def test_the_flow_of_a_release_is_its_outcome(ready: Study, tmp_path: Path) -> None:
    (ready.consensus("P0002") / "C1.nii.gz").unlink()
    published = release(ready, tmp_path / "out")
    assert published.summary.released == ("P0001", "P0003", "P0004")
    assert decided(ready) == {"P0001": True, "P0002": False, "P0003": True, "P0004": True}
    inside = (tmp_path / "out" / "flow.svg").read_text()
    assert inside == (ready.reports / "flow.svg").read_text()
    assert "Consensus masks were changed" in inside
    last = json.loads((ready.reports / "flow.json").read_text())["steps"][-1]
    assert (last["title"], last["entered"], last["passed"], last["out"]) == ("Released", 4, 3, 1)


def test_a_release_that_was_stopped_released_nobody(ready: Study, tmp_path: Path) -> None:
    text = ready.protocol_path.read_text("utf-8")
    ready.protocol_path.write_text(text.replace('title = ""', 'title = "Livers of Somebody Unlikely2"'), "utf-8")
    with pytest.raises(PrivacyError):
        release(Study(ready.root), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert decided(ready) == {}
    assert not (ready.reports / "flow.svg").exists()


def test_an_author_called_like_a_patient_is_released_once_the_protocol_says_so(ready: Study, tmp_path: Path) -> None:
    text = ready.protocol_path.read_text("utf-8").replace("creators = []", 'creators = ["Unlikely2, Somebody"]')
    ready.protocol_path.write_text(text, "utf-8")
    with pytest.raises(PrivacyError, match="public_texts"):
        release(Study(ready.root), tmp_path / "out")  # who creates is not allowed by that alone
    text = text.replace("public_texts = []", 'public_texts = ["Unlikely2, Somebody"]')
    ready.protocol_path.write_text(text, "utf-8")
    release(Study(ready.root), tmp_path / "out")
    assert json.loads((ready.reports / "scan.json").read_text())["public_texts"] == ["Unlikely2, Somebody"]
    words = ["deidentify", "scan", str(tmp_path / "out"), "--study", str(ready.root)]
    assert CliRunner().invoke(app, words).exit_code == 0
    (tmp_path / "out" / "README.md").write_text("Somebody Unlikely2")  # not that text
    assert CliRunner().invoke(app, words).exit_code == 5


@pytest.mark.parametrize(("lower", "upper"), [(0, 200), (-100, 300)])
def test_any_window_can_be_released(ready: Study, tmp_path: Path, lower: int, upper: int) -> None:
    text = ready.protocol_path.read_text("utf-8")
    text = text.replace("lower_hu = -200", f"lower_hu = {lower}").replace("upper_hu = 200", f"upper_hu = {upper}")
    ready.protocol_path.write_text(text, "utf-8")
    assert release(Study(ready.root), tmp_path / "out").audit.severity_counts()["error"] == 0


def test_the_report_of_the_audit_names_the_release_and_no_unfinished_folder(ready: Study, tmp_path: Path) -> None:
    release(ready, tmp_path / "out")
    text = (ready.reports / "audit.json").read_text()
    assert json.loads(text)["release"] == str(tmp_path / "out")
    assert ".tmp-" not in text


def test_a_stop_leaves_the_word_of_the_release_before(ready: Study, tmp_path: Path) -> None:
    release(ready, tmp_path / "out")
    before = (ready.reports / "flow.svg").read_bytes()
    for case in ("P0001", "P0002", "P0003", "P0004"):
        ready.liver_record(case).unlink()
    with pytest.raises(InputError):
        release(ready, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "report.html").is_file()
    assert set(decided(ready).values()) == {True}
    assert (ready.reports / "flow.svg").read_bytes() == before


def test_a_lost_reading_is_not_an_unread_case(ready: Study) -> None:
    """A seal without its masks holds the case; so do a changed mask and a consensus without its readings."""
    for reader in "AB":
        seal = ready.reading(reader, "P0001") / "seal.json"
        seal.parent.mkdir(parents=True)
        seal.write_text('{"reader": "A", "case": "P0001", "tool": "", "sealed_at": "", "sha256": {"C1.nii.gz": "0"}}')
    shutil.rmtree(ready.consensus("P0001"))
    mask = load_mask(path := ready.consensus("P0002") / "C1.nii.gz")
    save_mask(path, Mask(voxels=~mask.voxels, grid=mask.grid))
    with Ledger(ready.ledger_url) as ledger:
        outcomes = {o.case: o for o in consensus_cases(ready, ledger)}
    assert {case: o.status.value for case, o in outcomes.items()} == {
        "P0001": "held",
        "P0002": "held",
        "P0003": "held",
        "P0004": "done",  # a control needs no reading
    }
    codes = {case: o.reasons[0].code for case, o in outcomes.items() if o.reasons}
    assert codes == {"P0001": "broken-seal", "P0002": "consensus-changed", "P0003": "not-sealed"}


def test_the_closing_summary_says_why_nothing_was_released(ready: Study, tmp_path: Path) -> None:
    with Ledger(ready.ledger_url) as ledger:
        reason = Reason(code="underage", text="younger than 18 years")
        for number in range(1, 5):
            ledger.decide([Decision(case=f"P{number:04d}", stage="cohort", eligible=False, reasons=(reason,))])
    words = ["run", str(ready.root), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3
    assert "Why        No case is ready to be released" in result.stdout
    value = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert value["stopped_by"]["code"] == "nothing-to-release"
    assert value["release"] is None


@pytest.mark.parametrize(
    ("birth", "exam", "given", "age"),
    [
        (date(1960, 3, 10), date(2020, 3, 9), None, 59),  # at surgery, three weeks later, 60
        (date(1960, 3, 10), date(2020, 3, 10), None, 60),
        (date(1960, 3, 10), None, None, 60),  # an exam without a date: at surgery
        (None, date(2020, 3, 9), 58, 58),  # no birth date: as the table gives it
        (None, None, None, None),
        (date(1925, 1, 1), date(2020, 3, 9), None, 90),  # a class of its own
        (date(2021, 1, 1), date(2020, 3, 9), None, None),  # before birth: a mistake, not an age
    ],
)
def test_the_age_a_release_states_is_the_age_at_the_exam(
    birth: date | None, exam: date | None, given: int | None, age: int | None
) -> None:
    patient = SourcePatient(
        patient_id="QX-1",
        birth_date=birth,
        age_years=given,
        surgery_date=date(2020, 3, 30),
        diagnosis_date=date(2019, 1, 1),
        diagnosis=Diagnosis.HCC,
    )
    assert subject_of("P0001", patient, exam).age == age


def test_phases_are_in_the_release_as_they_are_in_the_record(ready: Study, tmp_path: Path) -> None:
    release(ready, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out" / "mask_files").glob("P0001*")) == sorted(
        f"P0001_mask_{phase}.nii.gz" for phase in Phase
    )


def read_and_seal(study: Study, case: str) -> None:
    """Both readers outline the same."""
    masks = {phase: study.liver(case, phase) for phase in Phase}
    for reader in study.protocol.annotate.readers:
        annotate.import_reading(study, reader, case, masks)
        annotate.seal_reading(study, reader, case)


def files_of(study: Study) -> dict[str, bytes]:
    """Everything but the lock, and the ledger's rows instead of its pages."""
    with Ledger(study.ledger_url) as ledger:
        rows = repr(sorted(map(repr, ledger.decisions()))).encode()
    kept = [path for path in study.root.rglob("*") if path.is_file() and path.suffix not in (".lock", ".sqlite", ".db")]
    return {path.relative_to(study.root).as_posix(): path.read_bytes() for path in kept} | {"ledger": rows}


def test_a_dry_run_writes_nothing_and_tells_what_a_release_would_hold(ready: Study, tmp_path: Path) -> None:
    shutil.rmtree(ready.consensus("P0001"))
    shutil.rmtree(ready.consensus("P0002"))
    read_and_seal(ready, "P0002")
    before = files_of(ready)
    words = ["release", str(ready.root), str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*words, "--dry-run", "--json"])
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert value["ready"] == ["P0001", "P0002", "P0004"]
    assert [(h["case"], h["reasons"][0]["code"]) for h in value["held"]] == [("P0003", "not-sealed")]
    assert files_of(ready) == before
    assert not (tmp_path / "out").exists()
    assert CliRunner().invoke(app, words).exit_code == 3
    assert Release(tmp_path / "out")["P0002"].phase("C1").lesions is not None
    assert [subject.name for subject in Release(tmp_path / "out")] == value["ready"]


def test_a_control_in_which_both_readers_outlined_a_lesion_is_held(ready: Study, tmp_path: Path) -> None:
    for case in ("P0001", "P0002", "P0003"):
        shutil.rmtree(ready.consensus(case))
    read_and_seal(ready, "P0004")
    with Ledger(ready.ledger_url) as ledger:
        assert {o.status for o in consensus_cases(ready, ledger)} == {Status.DONE}
    published = release(ready, tmp_path / "out")
    assert {case: failure[0] for case, failure in published.summary.failed.items()} == {"P0004": "control-with-lesion"}


def test_what_an_earlier_release_held_back_and_this_one_releases_is_forgotten(ready: Study, tmp_path: Path) -> None:
    release(ready, tmp_path / "plain")
    record = ready.liver_record("P0002")
    there = record.read_bytes()
    record.unlink()
    assert set(release(ready, tmp_path / "held").summary.failed) == {"P0002"}
    record.write_bytes(there)
    release(ready, tmp_path / "mended")
    for name in ("report.html", "checksums.sha256"):
        assert (tmp_path / "mended" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_readings_and_cohort_wait_for_whoever_works_on_the_study(ready: Study, tmp_path: Path) -> None:
    batch = tmp_path / "batch" / "P0001"
    batch.mkdir(parents=True)
    shutil.copy(ready.liver("P0001", Phase.C1), batch / "C1.nii.gz")
    (tmp_path / "t.csv").write_text("patient_id\n1\n")
    shutil.rmtree(ready.consensus("P0002"))
    read_and_seal(ready, "P0002")
    root = str(ready.root)
    commands = (
        ["cohort", root, str(tmp_path / "t.csv")],
        ["annotate", "import", root, "A", str(batch.parent)],
        ["annotate", "seal", root, "A"],
        ["annotate", "adjudicate", root],
    )
    before = files_of(ready)
    with lock_study(ready):
        for words in commands:
            result = CliRunner().invoke(app, words)
            assert (result.exit_code, "Another run holds" in result.output) == (2, True), words
    assert files_of(ready) == before
