"""`Ledger`: the one place that knows who is who. It lives in `restricted/` and only the parent process writes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, and_, create_engine, delete, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from quadphase.errors import InputError
from quadphase.io.ledger.schema import prepare
from quadphase.io.ledger.tables import DecisionRow, FileRow, PatientRow, PseudonymRow, RetrievalRow
from quadphase.model.outcome import Decision, Reason
from quadphase.model.phase import Diagnosis, Sex
from quadphase.model.source import Identifier, SourceInstance, SourcePatient

__all__ = ["Ledger"]


def _patient_values(patient: SourcePatient) -> dict[str, Any]:
    values = {field.name: getattr(patient, field.name) for field in dataclasses.fields(patient)}
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in values.items()}


def _patient(values: Mapping[str, Any]) -> SourcePatient:
    v = dict(values)
    for name in ("birth_date", "diagnosis_date", "surgery_date"):
        v[name] = date.fromisoformat(v[name]) if v[name] else None
    v["sex"] = Sex(v["sex"]) if v["sex"] else None
    v["diagnosis"] = Diagnosis(v["diagnosis"]) if v["diagnosis"] else None
    v["icd10"] = tuple(v["icd10"])
    return SourcePatient(**v)


def _of(patient_id: str) -> ColumnElement[bool]:
    """Files of a patient: matched by `acquire`, or with an equal PatientID before it did; of nobody for a blank id."""
    unmatched = and_(FileRow.owner == "", FileRow.patient_id == patient_id)
    return or_(FileRow.owner == patient_id, unmatched) if patient_id else unmatched


class Ledger:
    """Open a ledger by SQLAlchemy URL; a context manager.

    Parameters
    ----------
    url : str
        ``Study.ledger_url``, or any SQLAlchemy URL.

    Raises
    ------
    InputError
        ``"bad-ledger"`` if the database cannot be opened, or another version made it in a form this one cannot use.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = create_engine(url)
            prepare(self._engine)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise InputError(
                "bad-ledger", f"The ledger cannot be opened: {reason}", "Run `quadphase init`, or restore the file"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back on any exception."""
        with Session(self._engine) as session, session.begin():
            yield session

    # Patients and pseudonyms

    def replace_patients(self, patients: Iterable[SourcePatient], cases: Mapping[str, str]) -> None:
        """Store the clinical table anew; `cases` maps every patient id to its pseudonym. Decisions are forgotten."""
        with self.session() as session:
            session.execute(delete(PatientRow))
            session.execute(delete(DecisionRow))
            for p in patients:
                session.add(PatientRow(patient_id=p.patient_id, case=cases[p.patient_id], values=_patient_values(p)))
                session.merge(PseudonymRow(patient_id=p.patient_id, case=cases[p.patient_id]))

    def pseudonyms(self) -> dict[str, str]:
        """Pseudonym of every patient id the ledger ever knew, also of those no longer in the clinical table."""
        with self.session() as session:
            return {row.patient_id: row.case for row in session.scalars(select(PseudonymRow))} | {
                row.patient_id: row.case for row in session.scalars(select(PatientRow))
            }

    def cases(self) -> dict[str, str]:
        """Pseudonym of every patient id."""
        with self.session() as session:
            return {row.patient_id: row.case for row in session.scalars(select(PatientRow))}

    def patients(self) -> dict[str, SourcePatient]:
        """Patients by pseudonym, sorted by it."""
        with self.session() as session:
            rows = session.scalars(select(PatientRow).order_by(PatientRow.case))
            return {row.case: _patient(row.values) for row in rows}

    # Decisions

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Record decisions; a later decision of the same stage about the same case replaces the earlier one."""
        with self.session() as session:
            for d in decisions:
                reasons = [{"code": r.code, "text": r.text} for r in d.reasons]
                session.merge(DecisionRow(case=d.case, stage=d.stage, eligible=d.eligible, reasons=reasons))

    def decisions(self, stage: str | None = None) -> tuple[Decision, ...]:
        """All decisions, or one stage's, sorted by case."""
        query = select(DecisionRow).order_by(DecisionRow.case)
        if stage is not None:
            query = query.where(DecisionRow.stage == stage)
        with self.session() as session:
            return tuple(
                Decision(
                    case=row.case,
                    stage=row.stage,
                    eligible=row.eligible,
                    reasons=tuple(Reason(**reason) for reason in row.reasons),
                )
                for row in session.scalars(query)
            )

    # Files of the source

    def known_files(self) -> dict[str, tuple[int, int]]:
        """(size, mtime_ns) of every file already read, by path."""
        with self.session() as session:
            rows = session.execute(select(FileRow.path, FileRow.size, FileRow.mtime_ns))
            return {path: (size, mtime) for path, size, mtime in rows}

    def record_files(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add or replace files (mappings with the columns of `FileRow`), in one transaction."""
        if not rows:
            return
        with self.session() as session:
            paths = [row["path"] for row in rows]
            for start in range(0, len(paths), 500):
                session.execute(delete(FileRow).where(FileRow.path.in_(paths[start : start + 500])))
            session.execute(insert(FileRow), list(rows))

    def forget_files(self, paths: Iterable[str]) -> None:
        """Remove files that no longer exist."""
        gone = list(paths)
        with self.session() as session:
            for start in range(0, len(gone), 500):
                session.execute(delete(FileRow).where(FileRow.path.in_(gone[start : start + 500])))

    def file_counts(self) -> dict[str, int]:
        """Number of files by outcome."""
        counts: dict[str, int] = {}
        with self.session() as session:
            for outcome in session.scalars(select(FileRow.outcome)):
                counts[outcome] = counts.get(outcome, 0) + 1
        return counts

    def instances(self, patient_id: str) -> tuple[SourceInstance, ...]:
        """DICOM instances (images and others) of one patient of the clinical table, sorted by path.

        `acquire` matches files to patients (`FileRow.owner`); before it did, PatientID must be equal.
        """
        return self._instances(_of(patient_id), FileRow.outcome.in_(("image", "other-dicom")))

    def damaged(self, patient_id: str = "") -> tuple[SourceInstance, ...]:
        """Files of one patient that are no instances because they cannot be read, by path.

        Without an id those of nobody knows whom: a file that breaks off early, or that may not be opened, does not say.
        """
        return self._instances(_of(patient_id), FileRow.outcome == "unreadable")

    def _instances(self, *conditions: ColumnElement[bool]) -> tuple[SourceInstance, ...]:
        from pathlib import Path

        query = select(FileRow).where(*conditions)
        with self.session() as session:
            return tuple(
                SourceInstance(
                    path=Path(row.path),
                    size=row.size,
                    mtime_ns=row.mtime_ns,
                    patient_id=row.patient_id,
                    study_instance_uid=row.study_instance_uid,
                    series_instance_uid=row.series_instance_uid,
                    sop_instance_uid=row.sop_instance_uid,
                    sop_class_uid=row.sop_class_uid,
                    modality=row.modality,
                    study_date=row.study_date,
                    accession_number=row.accession_number,
                )
                for row in session.scalars(query.order_by(FileRow.path))
            )

    # Everything that must never be released

    def identifiers(self) -> tuple[Identifier, ...]:
        """Every identifier the ledger knows: names, ids, accession numbers, dates, UIDs."""
        found: dict[tuple[str, str], Identifier] = {}

        def add(kind: str, value: str | None, owner: str | None) -> None:
            if value and value.strip():
                found.setdefault((kind, value), Identifier(kind=kind, value=value, case=owner))

        cases = self.pseudonyms()
        for patient_id, name in cases.items():
            add("patient_id", patient_id, name)
        for name, patient in self.patients().items():
            add("patient_id", patient.patient_id, name)
            add("name", patient.name, name)
            add("accession", patient.accession_number, name)
            for day in (patient.birth_date, patient.surgery_date, patient.diagnosis_date):
                add("date", day.isoformat() if day else None, name)
        with self.session() as session:
            columns = (
                FileRow.patient_id,
                FileRow.study_instance_uid,
                FileRow.series_instance_uid,
                FileRow.accession_number,
                FileRow.study_date,
                FileRow.sop_instance_uid,
            )
            for patient_id, study, series, accession, day, sop in session.execute(select(*columns)):
                owner = cases.get(patient_id)
                add("patient_id", patient_id, owner)
                for uid in (study, series, sop):
                    add("uid", uid, owner)
                add("accession", accession, owner)
                add("date", day.isoformat() if day else None, owner)
            for wanted in session.scalars(select(RetrievalRow)):
                owner = cases.get(wanted.patient_id)
                add("patient_id", wanted.patient_id, owner)
                add("uid", wanted.series_instance_uid, owner)
                add("uid", wanted.study_instance_uid, owner)
        return tuple(found.values())
