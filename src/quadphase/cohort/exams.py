"""Which of a patient's CT exams is the one of the study: named by accession number, else by its date before surgery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from quadphase.cohort.criteria import age_years
from quadphase.model import Decision, Reason
from quadphase.model.protocol.sections import CohortSection
from quadphase.model.source import SourcePatient

__all__ = ["ExamCandidate", "choose_exam"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamCandidate:
    """A DICOM study as the source describes it.

    Parameters
    ----------
    study_instance_uid : str
    study_date : date or None
        None where it is blank.
    accession_number : str or None
    n_ct_images : int
        Instances of modality CT.
    modalities : frozenset of str
        All modalities of the study.
    """

    study_instance_uid: str = field(repr=False)
    study_date: date | None = field(default=None, repr=False)
    accession_number: str | None = field(default=None, repr=False)
    n_ct_images: int = 0
    modalities: frozenset[str] = frozenset({"CT"})


def choose_exam(
    candidates: Sequence[ExamCandidate], patient: SourcePatient, settings: CohortSection, *, case: str
) -> tuple[ExamCandidate | None, Decision]:
    """Choose the exam, or say why there is none.

    Parameters
    ----------
    candidates : sequence of ExamCandidate
        All studies of the patient, of any modality, in any order.
    patient : SourcePatient
    settings : CohortSection
    case : str
        Pseudonym, for the decision.

    Returns
    -------
    (ExamCandidate or None, Decision)
        The decision is of stage ``exam``. A reason on an eligible decision is a note: the rule that could not be
        checked.
    """
    ct = sorted(
        (c for c in candidates if c.n_ct_images >= settings.minimum_exam_images),
        key=lambda c: (c.study_date or date.min, c.n_ct_images, c.study_instance_uid),
    )
    chosen, reasons = _choose(ct, candidates, patient, settings)
    if chosen is not None and patient.surgery_date is None and patient.diagnosis_date is None:
        age = age_years(patient, chosen.study_date)
        if age is not None and age < settings.minimum_age_years:
            chosen, reasons = (
                None,
                [Reason(code="underage", text=f"younger than {settings.minimum_age_years} years at the exam")],
            )
    return chosen, Decision(case=case, stage="exam", eligible=chosen is not None, reasons=tuple(reasons))


def _choose(
    ct: Sequence[ExamCandidate], candidates: Sequence[ExamCandidate], patient: SourcePatient, settings: CohortSection
) -> tuple[ExamCandidate | None, list[Reason]]:
    if not candidates:
        return None, [Reason(code="no-exam-found", text="no exam in the source")]
    if not ct:
        few = any(c.n_ct_images for c in candidates)
        text = f"no exam with {settings.minimum_exam_images} CT images" if few else "no CT exam in the source"
        return None, [Reason(code="no-exam-found", text=text)]
    notes: list[Reason] = []
    if patient.accession_number:
        named = [c for c in ct if c.accession_number and c.accession_number.strip() == patient.accession_number]
        if named:
            return _in_window(named[-1], patient, settings)
        notes.append(Reason(code="accession-not-found", text="the table's accession number is not in the source"))
    dated = [c for c in ct if c.study_date is not None]
    if not dated:
        if len(ct) == 1:
            return ct[0], [*notes, Reason(code="no-date", text="the only exam has no date; the window was not checked")]
        return None, [*notes, Reason(code="no-date", text=f"{len(ct)} exams without dates")]
    if patient.surgery_date is None:
        if patient.group != "control":
            notes.append(Reason(code="no-surgery-date", text="no surgery date; the window was not checked"))
        return dated[-1], notes
    within = [c for c in dated if _days_before(c, patient) in range(settings.maximum_days_before_surgery + 1)]
    if within:
        return within[-1], notes
    days = settings.maximum_days_before_surgery
    return None, [*notes, Reason(code="exam-outside-window", text=f"no CT within {days} days before surgery")]


def _days_before(exam: ExamCandidate, patient: SourcePatient) -> int | None:
    """Days from the exam to surgery; negative after it, None if either date is missing."""
    if exam.study_date is None or patient.surgery_date is None:
        return None
    return (patient.surgery_date - exam.study_date).days


def _in_window(
    exam: ExamCandidate, patient: SourcePatient, settings: CohortSection
) -> tuple[ExamCandidate | None, list[Reason]]:
    """The exam the table names is the exam, but the protocol's window holds for it, too."""
    days = _days_before(exam, patient)
    limit = settings.maximum_days_before_surgery
    if days is not None and days not in range(limit + 1):
        text = f"the exam the table names is not within {limit} days before surgery"
        return None, [Reason(code="exam-outside-window", text=text)]
    if days is None and patient.group != "control":
        return exam, [Reason(code="no-date", text="a date is missing; the window was not checked")]
    return exam, []
