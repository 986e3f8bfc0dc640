"""Ask an archive what it has of the cohort, and decide which series to fetch.

A patient is asked for by accession number where the table has one, else by PatientID and the dates the cohort's rule
on days before surgery allows. Answers are checked again: an archive that ignores a key would hand over other people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from quadphase.acquire.archive import Archive, ExamQuery, RemoteExam, RemoteSeries
from quadphase.acquire.pace import Clock, with_retries
from quadphase.model.progress import Progress
from quadphase.model.protocol import Protocol
from quadphase.model.source import SourcePatient

T = TypeVar("T")

__all__ = ["Plan", "WantedSeries", "make_plan", "queries", "wanted_series"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSeries:
    """A series to fetch, and for whom."""

    case: str
    patient_id: str = field(repr=False)
    """Of the clinical table."""
    series: RemoteSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the archive has."""

    series: tuple[WantedSeries, ...]
    exams: int
    skipped: int
    """Series of other modalities, localizers, dose reports."""
    without_exam: tuple[str, ...]
    not_askable: tuple[str, ...] = ()
    """Pseudonyms whose id holds a wildcard or is blank: asking for it would ask for other people."""


def queries(patient: SourcePatient, protocol: Protocol) -> list[ExamQuery]:
    """Queries for one patient, the most exact first; the next is asked when one finds nothing."""
    last = first = None
    if patient.surgery_date is not None and not protocol.pacs.all_dates:
        last = patient.surgery_date
        first = last - timedelta(days=protocol.cohort.maximum_days_before_surgery)
    found = []
    keys = ({"accession_number": patient.accession_number or ""}, {"patient_id": patient.patient_id})
    for key in keys:
        try:
            exact = "accession_number" in key  # one exam, whatever its date: the cohort judges it
            found.append(ExamQuery(**key, first=None if exact else first, last=None if exact else last))
        except ValueError:
            continue
    return found


def wanted_series(series: RemoteSeries, protocol: Protocol) -> bool:
    """Whether a series is fetched: its modality, its description, its number of images."""
    settings = protocol.pacs
    words = series.description.casefold()
    if series.modality not in settings.modalities:
        return False
    if series.instances is not None and series.instances < settings.minimum_images:
        return False
    return not any(word.casefold() in words for word in settings.skip_series if word)


def make_plan(
    archive: Archive,
    patients: Mapping[str, SourcePatient],
    protocol: Protocol,
    *,
    progress: Progress,
    clock: Clock,
) -> Plan:
    """Query for every patient.

    Parameters
    ----------
    archive : Archive
    patients : mapping of pseudonym to SourcePatient
    protocol : Protocol
    progress : callable
    clock : Clock
        Sleeps between retries of a query.

    Raises
    ------
    SourceUnreachableError
    """
    settings = protocol.pacs

    def patiently(call: Callable[[], list[T]]) -> list[T]:
        return with_retries(call, retries=settings.retries, first_s=settings.retry_wait_s, clock=clock)

    series: list[WantedSeries] = []
    exams = skipped = 0
    without: list[str] = []
    not_askable: list[str] = []
    for number, (case, patient) in enumerate(sorted(patients.items())):
        progress(number, len(patients), f"asking for {case}")
        asked = queries(patient, protocol)
        if not asked:
            not_askable.append(case)
            continue
        found: list[RemoteExam] = []
        for query in asked:
            answers = patiently(partial(archive.exams, query))
            found = [exam for exam in answers if query.accepts(exam) and exam.study_instance_uid]
            if found:
                break
        wanted: list[RemoteSeries] = []
        for exam in found:
            listed = patiently(partial(archive.series, exam.study_instance_uid))
            of_exam = [s for s in listed if s.series_instance_uid]
            kept = [s for s in of_exam if wanted_series(s, protocol)]
            skipped += len(of_exam) - len(kept)
            exams += bool(kept)
            wanted += kept
        series += [WantedSeries(case=case, patient_id=patient.patient_id, series=s) for s in wanted]
        if not wanted:
            without.append(case)
    progress(len(patients), len(patients), "asked")
    return Plan(
        series=tuple(series),
        exams=exams,
        skipped=skipped,
        without_exam=tuple(without),
        not_askable=tuple(not_askable),
    )
