"""What `acquire` asks of the ledger: whose files these are, what was found, what is still to be fetched.

Functions of a `Ledger`, beside it rather than in it, because no other stage needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, update

from quadphase.io.ledger import Ledger
from quadphase.io.ledger.tables import FileRow, RetrievalRow

__all__ = ["FileKey", "Retrieval", "SeriesFound", "file_keys", "replace_owners", "retrievals", "save_retrievals",
           "series_found", "unreadable_files"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileKey:
    """The identifiers by which files are matched to patients; both may be blank."""

    patient_id: str = field(repr=False)
    accession_number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFound:
    """Image files of one series as the ledger knows them."""

    owner: str = field(repr=False)
    study_instance_uid: str = field(repr=False)
    series_instance_uid: str = field(repr=False)
    modality: str
    files: int
    instances: int
    """Distinct SOP instance UIDs; fewer than `files` where a file is there twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """One series to fetch from a network source, or fetched; see `RetrievalRow`."""

    series_instance_uid: str = field(repr=False)
    study_instance_uid: str = field(repr=False)
    patient_id: str = field(repr=False)
    """Of the clinical table."""
    source: str
    expected: int | None
    received: int = 0
    state: str = "wanted"
    attempts: int = 0
    message: str = ""


def file_keys(ledger: Ledger) -> dict[FileKey, int]:
    """Number of DICOM files for every distinct pair of PatientID and AccessionNumber."""
    query = (
        select(FileRow.patient_id, FileRow.accession_number, func.count())
        .where(FileRow.outcome.in_(("image", "other-dicom")))
        .group_by(FileRow.patient_id, FileRow.accession_number)
    )
    with ledger.session() as session:
        found: dict[FileKey, int] = {}
        for patient_id, accession, count in session.execute(query):
            key = FileKey(patient_id, accession or "")
            found[key] = found.get(key, 0) + count
        return found


def replace_owners(ledger: Ledger, owners: Mapping[FileKey, str]) -> None:
    """Forget every match and store these: patient id of the clinical table by what the files say."""
    with ledger.session() as session:
        session.execute(update(FileRow).where(FileRow.owner != "").values(owner=""))
        for key, owner in owners.items():
            session.execute(
                update(FileRow)
                .where(
                    FileRow.patient_id == key.patient_id,
                    func.coalesce(FileRow.accession_number, "") == key.accession_number,
                )
                .values(owner=owner)
            )


def series_found(ledger: Ledger) -> tuple[SeriesFound, ...]:
    """Image series of matched patients, sorted by owner, study, series."""
    columns = (FileRow.owner, FileRow.study_instance_uid, FileRow.series_instance_uid, FileRow.modality)
    query = (
        select(*columns, func.count(), func.count(func.distinct(FileRow.sop_instance_uid)))
        .where(FileRow.owner != "", FileRow.outcome == "image")
        .group_by(*columns)
        .order_by(*columns)
    )
    with ledger.session() as session:
        return tuple(
            SeriesFound(
                owner=owner,
                study_instance_uid=study,
                series_instance_uid=series,
                modality=modality,
                files=files,
                instances=instances,
            )
            for owner, study, series, modality, files, instances in session.execute(query)
        )


def unreadable_files(ledger: Ledger) -> tuple[tuple[str, str, str], ...]:
    """(path, reason, owner) of every unreadable file, sorted by path. For `restricted/` only."""
    query = (
        select(FileRow.path, FileRow.reason, FileRow.owner)
        .where(FileRow.outcome == "unreadable")
        .order_by(FileRow.path)
    )
    with ledger.session() as session:
        return tuple((path, reason, owner) for path, reason, owner in session.execute(query))


def retrievals(ledger: Ledger, source: str | None = None) -> tuple[Retrieval, ...]:
    """Series known to the retrieval ledger, of one source or of all, sorted by patient, study, series."""
    query = select(RetrievalRow).order_by(
        RetrievalRow.patient_id, RetrievalRow.study_instance_uid, RetrievalRow.series_instance_uid
    )
    if source is not None:
        query = query.where(RetrievalRow.source == source)
    with ledger.session() as session:
        return tuple(
            Retrieval(
                series_instance_uid=row.series_instance_uid,
                study_instance_uid=row.study_instance_uid,
                patient_id=row.patient_id,
                source=row.source,
                expected=row.expected,
                received=row.received,
                state=row.state,
                attempts=row.attempts,
                message=row.message,
            )
            for row in session.scalars(query)
        )


def save_retrievals(ledger: Ledger, rows: Sequence[Retrieval] | Iterable[Retrieval]) -> None:
    """Add or replace series of the retrieval ledger, in one transaction."""
    with ledger.session() as session:
        for row in rows:
            session.merge(
                RetrievalRow(
                    series_instance_uid=row.series_instance_uid,
                    study_instance_uid=row.study_instance_uid,
                    patient_id=row.patient_id,
                    source=row.source,
                    expected=row.expected,
                    received=row.received,
                    state=row.state,
                    attempts=row.attempts,
                    message=row.message,
                )
            )
