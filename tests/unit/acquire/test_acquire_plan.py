"""Whom to ask for, and which series to take."""

from __future__ import annotations

from datetime import date

import pytest

from quadphase.acquire.archive import ExamQuery, RemoteExam, RemoteSeries
from quadphase.acquire.plan import queries, wanted_series
from quadphase.acquire.web.client import credentials
from quadphase.model import Protocol
from quadphase.model.source import SourcePatient

DAY = date(2024, 3, 15)


@pytest.mark.parametrize("key", ["", "  ", "*", "12?", "1\\2"])
def test_keys_that_would_match_others_cannot_be_asked(key: str) -> None:
    with pytest.raises(ValueError, match="other patients"):
        ExamQuery(patient_id=key)


def test_dates_come_from_the_rule_on_surgery() -> None:
    [query] = queries(SourcePatient(patient_id="7", surgery_date=DAY), Protocol())
    assert query.date_range == "20240301-20240315"
    [query] = queries(SourcePatient(patient_id="7"), Protocol())
    assert query.date_range == ""


def test_accession_number_is_asked_first() -> None:
    first, second = queries(SourcePatient(patient_id="7", accession_number="A", surgery_date=DAY), Protocol())
    assert (first.accession_number, first.date_range) == ("A", "")
    assert second.patient_id == "7"


@pytest.mark.parametrize(
    ("exam", "accepted"),
    [
        ({"patient_id": " 7 ", "study_date": DAY}, True),
        ({"patient_id": "77", "study_date": DAY}, False),
        ({"patient_id": "7", "study_date": date(2024, 3, 16)}, False),
        ({"patient_id": "7", "study_date": date(2024, 2, 28)}, False),
        ({"patient_id": "7"}, True),
    ],
)
def test_answers_are_checked_again(exam: dict[str, object], accepted: bool) -> None:
    [query] = queries(SourcePatient(patient_id="7", surgery_date=DAY), Protocol())
    assert query.accepts(RemoteExam(study_instance_uid="1", **exam)) is accepted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("description", "modality", "images", "kept"),
    [
        ("Arterial 1.0", "CT", 80, True),
        ("", "CT", None, True),
        ("SCOUT 1", "CT", 20, False),
        ("定位像", "CT", 20, False),
        ("Dose Report", "CT", 5, False),
        ("Arterial", "CT", 2, False),
        ("Arterial", "MR", 80, False),
        ("Arterial", "SR", 1, False),
    ],
)
def test_series_that_are_no_volume_stay(description: str, modality: str, images: int | None, kept: bool) -> None:
    series = RemoteSeries(
        study_instance_uid="1", series_instance_uid="2", modality=modality, description=description, instances=images
    )
    assert wanted_series(series, Protocol()) is kept


def test_credentials_come_from_the_environment() -> None:
    assert credentials({"QUADPHASE_DICOMWEB_TOKEN": "t"}) == {"Authorization": "Bearer t"}
    basic = credentials({"QUADPHASE_DICOMWEB_USER": "a", "QUADPHASE_DICOMWEB_PASSWORD": "b"})
    assert basic == {"Authorization": "Basic YTpi"}
    assert credentials({}) == {}
