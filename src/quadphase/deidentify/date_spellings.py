"""Full calendar dates in the formats people and programs write; nothing shorter, as every table holds years.

A year of two digits is spelled only beside the name of a month (``05-MAR-61``, ``61 Mar 05``), where a date is the only
reading; not after it (``Mar 5 20``), which begins a time of day in any log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from quadphase.deidentify.spellings import Rule, Spelling

__all__ = ["date_spellings"]

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

_HAN_DIGITS: Final = "〇一二三四五六七八九"


def date_spellings(value: str) -> Iterator[Spelling]:
    """Spellings of an ISO or DICOM date (``2021-03-05``, ``20210305``); nothing for a text that is no date."""
    match = re.match(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?!\d)", value) or re.match(r"(\d{4})(\d{2})(\d{2})", value)
    try:
        day = date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or day.year < 1880:
        return
    y, m, d = day.year, day.month, day.day
    yy = f"{y % 100:02d}"
    yield Spelling(f"{y}{m:02d}{d:02d}", Rule.COMPACT_DATE)
    yield Spelling(f"{d:02d}{m:02d}{y}", Rule.COMPACT_DATE)
    yield Spelling(f"{m:02d}{d:02d}{y}", Rule.COMPACT_DATE)
    for mm, dd in {(f"{m:02d}", f"{d:02d}"), (str(m), str(d)), (f"{m:02d}", str(d)), (str(m), f"{d:02d}")}:
        for parts in ((y, mm, dd), (dd, mm, y), (mm, dd, y)):
            yield Spelling("-".join(map(str, parts)), Rule.NUMERIC_DATE)
        for before, after in (("", ""), ("", " "), (" ", " ")):
            yield Spelling(f"{y}{before}年{after}{mm}{before}月{after}{dd}", Rule.HAN)
    for zero in "〇零○":
        yield Spelling(f"{_digits(y)}年{_number(m)}月{_number(d)}日".replace("〇", zero), Rule.HAN)
    for month in {MONTHS[m - 1], MONTHS[m - 1][:3], *(("sept",) if m == 9 else ())}:
        yield from (Spelling(text, Rule.WORDS) for text in (f"{d:02d}{month}{yy}", f"{yy}{month}{d:02d}"))
        for dd in {str(d), f"{d:02d}", f"{d}{_ordinal(d)}"}:
            for gap in ("", " ", "  "):
                yield Spelling(f"{dd}{gap}{month}{gap}{y}", Rule.WORDS)
            if dd[-1].isdigit():
                yield from (Spelling(text, Rule.WORDS) for text in (f"{dd} {month} {yy}", f"{yy} {month} {dd}"))
            for text in (f"{month} {dd} {y}", f"{month} {dd}  {y}", f"{y} {month} {dd}", f"{dd} of {month} {y}"):
                yield Spelling(text, Rule.WORDS)


def _ordinal(day: int) -> str:
    return "th" if 10 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _digits(year: int) -> str:
    return "".join(_HAN_DIGITS[int(digit)] for digit in str(year))


def _number(value: int) -> str:
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_HAN_DIGITS[tens]}十"
    return head + (_HAN_DIGITS[ones] if ones else "")
