"""The protocol's criteria applied to one patient: a decision with every reason that applied, not only the first.

An inclusion criterion must be affirmed by the table; an exclusion criterion must be found in it. The texts of reasons
hold codes and limits, never a date or an age of the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from quadphase.cohort.table import ClinicalTable
from quadphase.model import Diagnosis, Reason
from quadphase.model.protocol.sections import CohortSection
from quadphase.model.source import SourcePatient

__all__ = ["age_at_exam", "age_years", "eligibility"]


def age_years(patient: SourcePatient, exam_date: date | None = None) -> int | None:
    """Completed years at surgery, else at diagnosis, else at the exam; the given age where the birth date is missing.

    None if it cannot be known.
    """
    at = patient.surgery_date or patient.diagnosis_date or exam_date
    if patient.birth_date is None or at is None:
        return patient.age_years
    return _years(patient.birth_date, at)


def age_at_exam(patient: SourcePatient, exam_date: date | None) -> int | None:
    """Completed years at the exam: what a release states.

    Where the exam has no date, the age `age_years` judges by; where the birth date is missing, the age the clinical
    table gives. None if it cannot be known, and for an exam dated before birth.
    """
    if patient.birth_date is None or exam_date is None:
        age = age_years(patient, exam_date)
    else:
        age = _years(patient.birth_date, exam_date)
    return None if age is None or age < 0 else age


def _years(born: date, at: date) -> int:
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def eligibility(patient: SourcePatient, table: ClinicalTable, settings: CohortSection) -> tuple[Reason, ...]:
    """Every reason against this patient; empty means eligible."""
    reasons = [*_troubles(patient, table), *_age(patient, settings), *_period(patient, settings)]
    if patient.diagnosis is Diagnosis.CN:
        reasons += _control_diseases(patient, settings)
    else:
        reasons += _tumour(patient, table, settings)
    reasons += _diseases(patient, settings)
    return tuple(dict.fromkeys(reasons))


def _troubles(patient: SourcePatient, table: ClinicalTable) -> Iterable[Reason]:
    if columns := table.conflicting.get(patient.patient_id):
        yield Reason(code="conflicting-rows", text=f"rows of the table contradict each other ({', '.join(columns)})")
    if columns := table.unreadable.get(patient.patient_id):
        yield Reason(code="unreadable-value", text=f"unreadable {', '.join(columns)}")


def _age(patient: SourcePatient, settings: CohortSection) -> Iterable[Reason]:
    limit = settings.minimum_age_years
    if limit <= 0:
        return
    age = age_years(patient)
    if age is not None and age < 0:
        yield Reason(code="impossible-dates", text="birth date after surgery or diagnosis")
    elif age is not None and age < limit:
        yield Reason(code="underage", text=f"younger than {limit} years")
    elif age is None and patient.birth_date is None:
        # With a birth date but no clinical date, the age is judged at the exam.
        yield Reason(code="age-unknown", text="age not known")


def _period(patient: SourcePatient, settings: CohortSection) -> Iterable[Reason]:
    at = patient.surgery_date or patient.diagnosis_date
    early = settings.first_date is not None and (at is None or at < settings.first_date)
    late = settings.last_date is not None and (at is None or at > settings.last_date)
    if early or late:
        yield Reason(
            code="outside-period", text="not within the study period" if at else "no date to place in the period"
        )


def _tumour(patient: SourcePatient, table: ClinicalTable, settings: CohortSection) -> Iterable[Reason]:
    if patient.morphology_code is None and "morphology_code" not in table.unreadable.get(patient.patient_id, ()):
        yield Reason(code="no-diagnosis", text="no morphology code")
    elif patient.diagnosis is None and patient.morphology_code is not None:
        yield Reason(code="other-morphology", text="not one of the protocol's tumours")
    if settings.require_pathology and not patient.pathology_confirmed:
        yield Reason(code="pathology-not-confirmed", text="diagnosis not confirmed by pathology")
    if settings.exclude_prior_treatment and patient.prior_treatment:
        yield Reason(code="prior-treatment", text="earlier tumour treatment")


def _matches(code: str, prefixes: Iterable[str]) -> int:
    """Length of the longest prefix that matches an ICD-10 code, dots aside; 0 for none."""
    bare = code.replace(".", "").upper()
    lengths = [len(p) for prefix in prefixes if bare.startswith(p := prefix.replace(".", "").upper())]
    return max(lengths, default=0)


def _any(patient: SourcePatient, prefixes: Iterable[str]) -> bool:
    wanted = tuple(prefixes)
    return any(_matches(code, wanted) for code in patient.icd10)


def _control_diseases(patient: SourcePatient, settings: CohortSection) -> Iterable[Reason]:
    if _any(patient, settings.hepatobiliary_codes):
        yield Reason(code="hepatobiliary-disease", text="control with a hepatobiliary disease")
    if patient.morphology_code is not None and patient.morphology_code.endswith("/3"):
        yield Reason(code="control-with-tumour", text="control with the morphology code of a malignant tumour")


def _diseases(patient: SourcePatient, settings: CohortSection) -> Iterable[Reason]:
    own = () if patient.diagnosis is Diagnosis.CN else settings.own_tumour_codes
    for code in patient.icd10:
        other = _matches(code, settings.other_malignancy_codes)
        if other and other > _matches(code, own):
            yield Reason(code="other-malignancy", text="another malignancy")
    for disease, codes in settings.liver_disease_codes.items():
        if _any(patient, codes):
            yield Reason(code="liver-disease", text=disease)
    if _any(patient, settings.autoimmune_codes):
        yield Reason(code="autoimmune-disease", text="rheumatic or autoimmune disease")
    for organ, codes in settings.severe_disease_codes.items():
        if _any(patient, codes):
            yield Reason(code="severe-disease", text=f"severe disease of the {organ}")
