"""Tables of the ledger: patients, decisions, files, retrievals. SQLAlchemy 2 declarative; SQLite or PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["Base", "DecisionRow", "FileRow", "PathText", "PatientRow", "RetrievalRow"]


class PathText(TypeDecorator[str]):
    """A path as text, also one whose bytes are not UTF-8 (GBK names from an old archive), which SQL text cannot hold.

    Python keeps such bytes as lone surrogates; they are stored as ``\\x00hex``, a form no path has.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or value.isascii():
            return value
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "\\x00" + value.encode("utf-8", "surrogateescape").hex()
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or not value.startswith("\\x00"):
            return value
        return bytes.fromhex(value[4:]).decode("utf-8", "surrogateescape")


class Base(DeclarativeBase):
    """Root of the schema."""


class PatientRow(Base):
    """One person of the clinical table and the pseudonym that stands for them."""

    __tablename__ = "patients"
    patient_id: Mapped[str] = mapped_column(String, primary_key=True)
    case: Mapped[str] = mapped_column(String, unique=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The normalised row (`SourcePatient`), dates in ISO form."""


class PseudonymRow(Base):
    """A pseudonym once given is never given to anyone else, also after its patient left the clinical table."""

    __tablename__ = "pseudonyms"
    patient_id: Mapped[str] = mapped_column(String, primary_key=True)
    case: Mapped[str] = mapped_column(String, unique=True)


class DecisionRow(Base):
    """What one stage decided about one case, with every reason that applied."""

    __tablename__ = "decisions"
    case: Mapped[str] = mapped_column(String, primary_key=True)
    stage: Mapped[str] = mapped_column(String, primary_key=True)
    eligible: Mapped[bool]
    reasons: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """``[{"code": ..., "text": ...}, ...]``; free of identity."""


class FileRow(Base):
    """One file of the source tree as it was when last read; unchanged files are not opened again."""

    __tablename__ = "files"
    path: Mapped[str] = mapped_column(PathText, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String)
    """``image``, ``other-dicom``, ``not-dicom``, ``dicomdir``, ``unreadable``."""
    reason: Mapped[str] = mapped_column(String, default="")
    """Why it is unreadable; free of identity."""
    owner: Mapped[str] = mapped_column(String, index=True, default="")
    """Patient id **of the clinical table** this file was matched to; blank while unmatched."""
    patient_id: Mapped[str] = mapped_column(String, index=True, default="")
    study_instance_uid: Mapped[str] = mapped_column(String, index=True, default="")
    series_instance_uid: Mapped[str] = mapped_column(String, index=True, default="")
    sop_instance_uid: Mapped[str] = mapped_column(String, default="")
    sop_class_uid: Mapped[str] = mapped_column(String, default="")
    modality: Mapped[str] = mapped_column(String, default="")
    study_date: Mapped[date | None]
    accession_number: Mapped[str | None]


class RetrievalRow(Base):
    """One series to fetch, or fetched, from a network source."""

    __tablename__ = "retrievals"
    series_instance_uid: Mapped[str] = mapped_column(String, primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(String, index=True)
    patient_id: Mapped[str] = mapped_column(String, index=True)
    source: Mapped[str] = mapped_column(String)
    """Source address without credentials."""
    expected: Mapped[int | None]
    """NumberOfSeriesRelatedInstances; None where the source does not say."""
    received: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String, default="wanted")
    """``wanted``, ``partial``, ``done``, ``failed``."""
    attempts: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(String, default="")
