"""Choice of the exam: by accession number, else by its date before surgery."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from quadphase.cohort import ExamCandidate, choose_exam
from quadphase.model import Protocol
from quadphase.model.source import SourcePatient

SURGERY = date(2019, 3, 20)
PATIENT = SourcePatient(patient_id="A", birth_date=date(1960, 1, 1), surgery_date=SURGERY, group="cancer")
CONTROL = SourcePatient(patient_id="B", birth_date=date(1980, 1, 1), group="control")
SETTINGS = Protocol().cohort


def exam(days_before: int | None, *, images: int = 400, accession: str | None = None, name: str = "") -> ExamCandidate:
    day = None if days_before is None else SURGERY - timedelta(days=days_before)
    return ExamCandidate(
        study_instance_uid=name or f"uid{days_before}", study_date=day, accession_number=accession, n_ct_images=images
    )


def choose(*candidates, patient=PATIENT):
    chosen, decision = choose_exam(candidates, patient, SETTINGS, case="P0001")
    assert decision.stage == "exam"
    assert decision.case == "P0001"
    assert decision.eligible is (chosen is not None)
    return chosen, [reason.code for reason in decision.reasons]


@pytest.mark.parametrize("days", [0, 1, 14])
def test_the_window_is_inclusive(days):
    assert choose(exam(days)) == (exam(days), [])


@pytest.mark.parametrize("days", [15, -1, 400])
def test_outside_the_window_is_refused(days):
    assert choose(exam(days)) == (None, ["exam-outside-window"])


def test_the_nearest_exam_with_enough_images_is_taken():
    assert choose(exam(14), exam(3), exam(9), exam(1, images=4), exam(-2))[0] == exam(3)


def test_the_accession_number_of_the_table_wins():
    patient = replace(PATIENT, accession_number="A77")
    assert choose(exam(2), exam(9, accession="A77 "), patient=patient) == (exam(9, accession="A77 "), [])


def test_the_named_exam_must_keep_to_the_window():
    patient = replace(PATIENT, accession_number="A77")
    assert choose(exam(2), exam(33, accession="A77"), patient=patient) == (None, ["exam-outside-window"])


def test_an_accession_number_that_is_not_there_is_noted():
    patient = replace(PATIENT, accession_number="A77")
    assert choose(exam(2), patient=patient) == (exam(2), ["accession-not-found"])


def test_controls_without_surgery_get_their_latest_exam():
    assert choose(exam(100), exam(50), exam(70), patient=CONTROL) == (exam(50), [])


def test_a_cancer_without_surgery_date_gets_its_latest_exam_and_a_note():
    assert choose(exam(100), exam(50), patient=replace(PATIENT, surgery_date=None)) == (exam(50), ["no-surgery-date"])


def test_a_single_exam_without_date_is_accepted_with_a_note_several_are_not():
    assert choose(exam(None)) == (exam(None), ["no-date"])
    assert choose(exam(None, name="a"), exam(None, name="b")) == (None, ["no-date"])


@pytest.mark.parametrize("candidates", [(), (exam(3, images=0),), (exam(3, images=5),)])
def test_no_exam(candidates):
    assert choose(*candidates) == (None, ["no-exam-found"])


def test_a_control_is_judged_by_the_age_at_the_exam():
    young = replace(CONTROL, birth_date=SURGERY - timedelta(days=17 * 365))
    assert choose(exam(10), patient=young) == (None, ["underage"])


def test_order_of_the_candidates_does_not_matter():
    several = [exam(14), exam(3), exam(3, images=500, name="more"), exam(9)]
    assert choose(*several)[0] == choose(*reversed(several))[0] == exam(3, images=500, name="more")
