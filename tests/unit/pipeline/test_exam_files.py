"""Slices that acquire could not read reach convert: a series that lost some is no volume, in a study too."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.acquire import acquire
from quadphase.io.json_file import load_record
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import CaseRecord, Decision, Outcome, Phase, Status
from quadphase.model.source import SourcePatient
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import Exam, Person
from quadphase.phantom.nasty import texture
from quadphase.pipeline.stages import choose_exams, convert_cases
from quadphase.pipeline.work import SerialExecutor

N_SLICES = 12


@pytest.fixture
def hospital(tmp_path: Path) -> dict[Phase, list[Path]]:
    """Files of three series of one exam, each in its folder below ``tmp_path / "pacs"``."""
    exam = Exam()
    return {
        phase: write_series(texture(n), tmp_path / "pacs" / phase.value, exam=exam, phase=phase)
        for n, phase in enumerate((Phase.P, Phase.C1, Phase.C2))
    }


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study of one patient, already eligible, whose protocol asks for the plain phase."""
    made = Study.create(tmp_path / "study")
    text = made.protocol_path.read_text("utf-8")
    asked = text.replace('required = ["P", "C1", "C2", "C3"]', 'required = ["P"]')
    assert asked != text
    made.protocol_path.write_text(asked, "utf-8")
    patient = Exam().person.patient_id
    with Ledger(made.ledger_url) as ledger:
        ledger.replace_patients([SourcePatient(patient_id=patient)], {patient: "P0001"})
        ledger.decide([Decision(case="P0001", stage="cohort", eligible=True)])
    return Study(made.root)


def converted(study: Study, source: Path) -> Outcome:
    acquire(study, source)
    with Ledger(study.ledger_url) as ledger:
        chosen, _ = choose_exams(study, ledger)
        [outcome] = convert_cases(study, ledger, chosen, executor=SerialExecutor(), progress=lambda *_: None)
    return outcome


def codes(outcome: Outcome) -> set[tuple[str, str]]:
    return {(f.code, f.severity.value) for f in outcome.findings}


def slices(study: Study) -> dict[Phase, int]:
    record = load_record(study.case_record("P0001"), CaseRecord)
    return {phase: entry.n_slices for phase, entry in record.phases.items()}


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_whole_series_are_phases(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    assert converted(study, hospital[Phase.P][0].parents[1]).status is Status.DONE
    assert slices(study) == {Phase.P: N_SLICES, Phase.C1: N_SLICES, Phase.C2: N_SLICES}


def test_a_series_whose_end_is_damaged_is_refused(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    for path in hospital[Phase.P][-2:]:
        halve(path)
    outcome = converted(study, hospital[Phase.P][0].parents[1])
    assert (outcome.status, [r.code for r in outcome.reasons]) == (Status.HELD, ["missing-phase"])
    assert ("incomplete-series", "error") in codes(outcome)
    assert not study.case_record("P0001").exists()


def test_the_other_series_of_the_exam_are_used(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    halve(hospital[Phase.C1][-1])
    assert converted(study, hospital[Phase.P][0].parents[1]).status is Status.DONE
    assert slices(study) == {Phase.P: N_SLICES, Phase.C2: N_SLICES}


def test_what_was_sent_again_is_used(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    last = hospital[Phase.P][-1]
    whole = last.read_bytes()
    halve(last)
    assert converted(study, last.parents[1]).status is Status.HELD
    last.write_bytes(whole)
    assert converted(study, last.parents[1]).status is Status.DONE
    assert slices(study)[Phase.P] == N_SLICES


def test_damage_beside_a_converted_case_is_not_passed_over(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    assert converted(study, hospital[Phase.P][0].parents[1]).status is Status.DONE
    blob = hospital[Phase.P][0].read_bytes()
    (hospital[Phase.P][0].parent / "more").write_bytes(blob[: len(blob) // 2])
    assert converted(study, hospital[Phase.P][0].parents[1]).status is Status.HELD


@pytest.mark.parametrize("trouble", ["link", "empty", "zeros", "early", "between"])
def test_what_says_nothing_of_itself_is_told_beside_its_slices(
    trouble: str, study: Study, hospital: dict[Phase, list[Path]]
) -> None:
    """A link that leads nowhere, an empty file, and one that ends before it names its patient or exam."""
    last = hospital[Phase.P][-1]
    blob = last.read_bytes()
    last.unlink()
    if trouble == "link":
        last.symlink_to(last.parent / "nowhere")
    else:
        patient = blob.index(b"\x10\x00\x10\x00")  # PatientName: a file that ends here ends between two elements
        last.write_bytes({"empty": b"", "zeros": bytes(999), "early": blob[:400], "between": blob[:patient]}[trouble])
    outcome = converted(study, last.parents[1])
    assert outcome.status is Status.DONE
    assert ("incomplete-series", "warning") in codes(outcome)
    assert converted(study, last.parents[1]).status is Status.UNCHANGED


def test_a_damaged_file_of_a_stranger_in_the_same_folder_changes_nothing(
    study: Study, hospital: dict[Phase, list[Path]]
) -> None:
    folder = hospital[Phase.P][0].parent
    stranger = Exam(person=Person(patient_id="T000777"), accession_number="A1900777")
    halve(write_series(texture(3), folder, exam=stranger, name="S{}".format)[0])
    for path in folder.glob("S?*"):
        if path.name != "S0":
            path.unlink()
    outcome = converted(study, folder.parent)
    assert outcome.status is Status.DONE
    assert not {code for code, _ in codes(outcome)} & {"truncated-file", "incomplete-series"}


def test_damaged_files_of_another_exam_change_nothing(study: Study, hospital: dict[Phase, list[Path]]) -> None:
    other = Exam(start=Exam().start.replace(year=2015), accession_number="A1500001")
    paths = write_series(texture(3), hospital[Phase.P][0].parents[1] / "2015", exam=other)
    halve(paths[-1])
    assert converted(study, hospital[Phase.P][0].parents[1]).status is Status.DONE
    assert slices(study) == {Phase.P: N_SLICES, Phase.C1: N_SLICES, Phase.C2: N_SLICES}
