"""`Archive`: what `retrieve` needs of a network source, implemented by DIMSE and DICOMweb, and the values exchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from quadphase.acquire.store import SeriesStore

__all__ = ["Archive", "ExamQuery", "FetchError", "RemoteExam", "RemoteSeries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamQuery:
    """Exams of one patient: by accession number, or by patient id, within dates. Exact values, no wildcards.

    Raises
    ------
    ValueError
        If both keys are blank or hold a wildcard: that would ask for other patients.
    """

    patient_id: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    first: date | None = field(default=None, repr=False)
    last: date | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        key = self.accession_number or self.patient_id
        # PS3.4 C.2.2.2: * and ? are wildcards, \\ separates several values, an empty key matches everything
        if not key.strip() or any(c in key for c in "*?\\"):
            raise ValueError("a blank or wildcard key would match other patients")

    @property
    def date_range(self) -> str:
        """PS3.4 C.2.2.2.5 range matching; blank: any date."""
        if self.first is None and self.last is None:
            return ""
        return "-".join(day.strftime("%Y%m%d") if day else "" for day in (self.first, self.last))

    def accepts(self, exam: RemoteExam) -> bool:
        """Whether an answer is of this patient: some archives ignore keys they do not support."""
        if self.accession_number:
            same = exam.accession_number.strip() == self.accession_number.strip()
        else:
            same = exam.patient_id.strip() == self.patient_id.strip()
        day = exam.study_date
        late = day is not None and self.last is not None and day > self.last
        early = day is not None and self.first is not None and day < self.first
        return same and not late and not early


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteExam:
    """A study as the archive lists it."""

    study_instance_uid: str = field(repr=False)
    patient_id: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSeries:
    """A series as the archive lists it."""

    study_instance_uid: str = field(repr=False)
    series_instance_uid: str = field(repr=False)
    modality: str = ""
    description: str = field(default="", repr=False)
    instances: int | None = None
    """NumberOfSeriesRelatedInstances (0020,1209), where the archive says."""


class FetchError(Exception):
    """One series could not be fetched this time.

    Parameters
    ----------
    reason : str
        In a few words, free of identity.
    retry : bool
        Whether another try may help.
    unreachable : bool
        Whether the archive did not answer at all, as opposed to refusing this series.
    """

    def __init__(self, reason: str, *, retry: bool = True, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.unreachable = unreachable


class Archive(Protocol):
    """A network source. Methods raise `SourceUnreachableError` where nobody answers or we are not let in."""

    def check(self) -> None:
        """Whether the archive answers and knows us (C-ECHO, or a query that finds nothing)."""
        ...

    def exams(self, query: ExamQuery) -> list[RemoteExam]:
        """Studies that match."""
        ...

    def series(self, study_instance_uid: str) -> list[RemoteSeries]:
        """Series of a study."""
        ...

    def instances(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        """SOP instance UIDs of a series."""
        ...

    def fetch(
        self,
        series: RemoteSeries,
        store: SeriesStore,
        *,
        only: Sequence[str] | None = None,
        stored: Callable[[], None],
    ) -> None:
        """Fetch a series, or `only` some instances of it, into `store`.

        Raises
        ------
        FetchError
        OutputError
            The disk refuses.
        """
        ...

    def close(self) -> None:
        """End connections."""
        ...
