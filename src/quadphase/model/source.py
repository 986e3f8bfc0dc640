"""Nouns that carry identity. Only `acquire`, `cohort`, `convert`, `deidentify`, `phantom` and `io` may import this.

Their reprs show nothing: a traceback or a log line of a value from here must not disclose a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from quadphase.model.phase import Diagnosis, Sex

__all__ = ["Identifier", "SourceInstance", "SourcePatient"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePatient:
    """Row of the clinical table, normalised. Dates are calendar dates; None where the table is blank."""

    patient_id: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    age_years: int | None = field(default=None, repr=False)
    """Given age, used when the birth date is missing."""
    diagnosis_date: date | None = field(default=None, repr=False)
    surgery_date: date | None = field(default=None, repr=False)
    diagnosis: Diagnosis | None = None
    morphology_code: str | None = None
    pathology_confirmed: bool | None = None
    prior_treatment: bool | None = None
    icd10: tuple[str, ...] = ()
    accession_number: str | None = field(default=None, repr=False)
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInstance:
    """One DICOM file as `acquire` found it: enough to group files by exam without opening them again."""

    path: Path = field(repr=False)
    size: int
    mtime_ns: int
    patient_id: str = field(repr=False)
    study_instance_uid: str = field(repr=False)
    series_instance_uid: str = field(repr=False)
    sop_instance_uid: str = field(repr=False)
    sop_class_uid: str
    modality: str
    study_date: date | None = field(default=None, repr=False)
    accession_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A value that must never be released, and its kind: name, patient_id, accession, uid or date."""

    kind: str
    value: str = field(repr=False)
    case: str | None = None
    """Pseudonym of the person it belongs to, for messages."""
