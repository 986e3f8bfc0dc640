"""Dates moved by whole days, the same number for everything of one patient, which only the study's key determines.

Whole days leave the time of day, so the seconds between the phases of an exam stay what they were (tools that zero
dates destroy them), and one number per patient keeps every interval between exams. PS3.15 E.3.6 (Retain Longitudinal
Temporal Information with Modified Dates).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from quadphase.io.pseudonyms import keyed_hash

__all__ = ["days_of", "is_time", "shift_date", "shift_datetime"]

FEWEST_DAYS: Final = 366
MOST_DAYS: Final = 3652
"""One to ten years back: never into the future, never by so little that a known admission date would fit."""

_DATE: Final = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_CLOCK: Final = r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
"""Hours, then perhaps minutes, seconds (60 in a leap second) and a fraction (PS3.5 6.2); colons as in ACR-NEMA."""
_TIME: Final = re.compile(rf"(?:{_CLOCK})?", re.ASCII)
"""No range: that is for queries, and ``2021-0305`` would be one."""
_TIME_AND_ZONE: Final = re.compile(rf"(?:{_CLOCK})?(?:[+-](?:0\d|1[0-4])(?:00|15|30|45))?", re.ASCII)
"""What follows the day in a DT; zones differ from UTC by quarters of an hour."""


def days_of(key: bytes, patient: str) -> int:
    """Days by which one patient's dates move, negative.

    Parameters
    ----------
    key : bytes
        The study's secret.
    patient : str
        What identifies the patient at the source.
    """
    span = MOST_DAYS - FEWEST_DAYS + 1
    return -(FEWEST_DAYS + int(keyed_hash(key, "date-shift", patient, digits=12), 16) % span)


def shift_date(value: str, days: int) -> str:
    """DA (``YYYYMMDD``, also with dots or hyphens); empty for what is no date.

    Examples
    --------
    >>> shift_date("20210305", -365)
    '20200305'
    """
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return ""
    try:
        return f"{date(int(match[1]), int(match[2]), int(match[3])) + timedelta(days=days):%Y%m%d}".rjust(8, "0")
    except (ValueError, OverflowError):
        return ""


def is_time(value: str) -> bool:
    """Whether a TM is a time of day and nothing else: other digits may be a telephone number or a date.

    Examples
    --------
    >>> [is_time(text) for text in ("101112.25", "10:11", "", "20210305 101112", "13800138000")]
    [True, True, True, False, False]
    """
    return _TIME.fullmatch(value.strip()) is not None


def shift_datetime(value: str, days: int) -> str:
    """DT: the date is moved, time of day and zone stay.

    Empty where the day is not given (it cannot be moved), or where anything else follows it.
    """
    text = value.strip()
    moved = shift_date(text[:8], days)
    return moved + text[8:] if moved and _TIME_AND_ZONE.fullmatch(text[8:]) else ""
