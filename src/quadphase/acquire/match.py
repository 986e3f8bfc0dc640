"""Decide which patient of the clinical table a DICOM file belongs to.

PatientID must equal the table's id after stripping blanks; that is all hospitals agree on. Where it does not (another
archive's numbers, a blank), an accession number that exactly one patient of the table has decides. Nothing looser is
tried: a number that differs by leading zeros may be another person, so near misses are counted for a hint and left
unmatched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from quadphase.io.ledger.acquisition import FileKey
from quadphase.model.source import SourcePatient

__all__ = ["Matching", "match"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Result of `match`."""

    owners: Mapping[FileKey, str] = field(repr=False)
    """Patient id of the clinical table, for every key that was matched."""
    by_accession: int = 0
    """Keys matched by accession number alone."""
    conflicts: int = 0
    """Keys whose PatientID is one patient's and whose accession number is another's; PatientID was believed."""
    near_misses: int = 0
    """Unmatched PatientIDs that equal a table id but for case, leading zeros or punctuation."""
    blank: int = 0
    """Unmatched keys with a blank PatientID."""


def match(keys: Iterable[FileKey], patients: Mapping[str, SourcePatient], *, blank_is: str | None = None) -> Matching:
    """Match identifiers found in files to patients.

    Parameters
    ----------
    keys : iterable of FileKey
    patients : mapping of pseudonym to SourcePatient
    blank_is : str, optional
        Pseudonym of the patient to whom files with a blank PatientID belong, where a person says so.
    """
    ids = {p.patient_id.strip(): p.patient_id for p in patients.values()}
    folded = {_fold(patient_id) for patient_id in ids}
    accessions: dict[str, str | None] = {}
    for patient in patients.values():
        number = (patient.accession_number or "").strip()
        if number:
            accessions[number] = None if number in accessions else patient.patient_id  # shared: decides nothing
    owners: dict[FileKey, str] = {}
    by_accession = conflicts = blank = 0
    near: set[str] = set()
    for key in keys:
        by_number = accessions.get(key.accession_number.strip())
        owner = ids.get(key.patient_id.strip()) if key.patient_id.strip() else None
        if owner is not None:
            owners[key] = owner
            conflicts += by_number is not None and by_number != owner
        elif by_number is not None:
            owners[key] = by_number
            by_accession += 1
        elif not key.patient_id.strip():
            if blank_is is not None:
                owners[key] = patients[blank_is].patient_id
            else:
                blank += 1
        elif _fold(key.patient_id) in folded:
            near.add(key.patient_id)
    return Matching(owners=owners, by_accession=by_accession, conflicts=conflicts, near_misses=len(near), blank=blank)


def _fold(patient_id: str) -> str:
    return "".join(c for c in patient_id.casefold() if c.isalnum()).lstrip("0")
