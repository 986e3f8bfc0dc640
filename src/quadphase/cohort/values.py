"""What a cell of a hospital's table means: dates, sexes, yes and no, ages, codes, in the spellings met in practice.

Every function takes the text of a cell that is not blank and raises `ValueError` without quoting it: cells hold
identifiers.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from quadphase.model import Sex

__all__ = [
    "clean",
    "has_words_beside_codes",
    "icd10_codes",
    "morphology",
    "parse_age",
    "parse_date",
    "parse_group",
    "parse_sex",
    "parse_yes_no",
]

_YES: Final = frozenset(
    {
        "yes",
        "y",
        "true",
        "t",
        "1",
        "是",
        "有",
        "阳性",
        "确诊",
        "已确诊",
        "已",
        "confirmed",
        "positive",
        "+",
        "√",
        "✓",
        "x",
    }
)
_NO: Final = frozenset(
    {"no", "n", "false", "f", "0", "否", "无", "没有", "阴性", "未", "未确诊", "none", "negative", "-", "×"}
)
_BLANK: Final = frozenset({"na", "n/a", "nan", "null", "不详", "未知", "unknown", "缺失", "\\", "/", "--", "?"})
_MALE: Final = frozenset({"m", "male", "man", "男", "男性", "1", "h", "homme", "männlich"})
_FEMALE: Final = frozenset({"f", "female", "woman", "女", "女性", "2", "w", "femme", "weiblich"})
_SEX_NOT_KNOWN: Final = frozenset({"0", "9"})
"""Not known, and not stated: GB/T 2261.1 and ISO/IEC 5218 agree."""
_CONTROL: Final = frozenset(
    {"control", "controls", "normal", "healthy", "cn", "对照", "对照组", "正常", "正常对照", "0"}
)
_CANCER: Final = frozenset(
    {
        "cancer",
        "case",
        "patient",
        "tumour",
        "tumor",
        "病例",
        "病例组",
        "肝癌",
        "肝癌组",
        "患者",
        "癌症",
        "1",
        "hcc",
        "icc",
        "chcc",
    }
)

_DIAGNOSES: Final = re.compile(r"[;、|\r\n]")
_ICD10: Final = re.compile(
    r"(?<![A-Z0-9])(?:[A-Z]\d{2}|[A-MO-SU-Z]\d[AB])(?:\.[0-9A-Z]{1,8}|\d{0,4}(?:X\d{3})?(?![0-9]))"
)
"""Three characters (ICD-10-CM has some that end in a letter, as C7A; T1a and N2b are stages of a tumour), then a
subcategory, to which ICD-10-CM adds letters and the Chinese edition ``x001``. Criteria match prefixes, so that what
else hangs on a code does no harm."""

_EXCEL_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of Excel's serial dates, its 29 February 1900 included."""

_EARLIEST: Final = date(1900, 1, 1)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def clean(text: str) -> str:
    """Text without full-width forms and outer blanks; words that mean "not known" become blank."""
    value = unicodedata.normalize("NFKC", text).strip()
    return "" if value.lower() in _BLANK else value


def parse_date(text: str) -> date:
    """Calendar day; a time of day after it is dropped.

    Understood: ``2021-03-05``, ``2021/3/5``, ``2021.3.5``, ``20210305``, ``2021年3月5日``, ``5-Mar-2021``, serials of
    Excel. ``05/03/2021`` is refused, because day and month cannot be told apart; ``25/03/2021`` is not.

    Raises
    ------
    ValueError
    """
    value = re.sub(r"[T\s]+\d{1,2}[:时]\d{1,2}.*$", "", text.strip())
    if re.fullmatch(r"\d{8}", value):
        return _day(int(value[:4]), int(value[4:6]), int(value[6:]))
    if re.fullmatch(r"\d{5}(?:\.\d+)?", value):
        return _within(_EXCEL_EPOCH + timedelta(days=int(float(value))))
    if match := re.fullmatch(r"(\d{4})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})\s*日?", value):
        return _day(*(int(part) for part in match.groups()))
    if match := re.fullmatch(r"(\d{1,2})[-/.\s]+([A-Za-z]{3})[a-z]*[-/.,\s]+(\d{4})", value):
        return _day(int(match[3]), _month(match[2]), int(match[1]))
    if match := re.fullmatch(r"([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})", value):
        return _day(int(match[3]), _month(match[1]), int(match[2]))
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", value):
        a, b, year = (int(part) for part in match.groups())
        if a == b or b > 12:
            return _day(year, a, b)
        if a > 12 or "." in value:  # days come first where points are used
            return _day(year, b, a)
        raise ValueError("day and month cannot be told apart; write it as 2021-03-05")
    raise ValueError("is not a date; write it as 2021-03-05")


def _month(name: str) -> int:
    if name.lower() not in _MONTHS:
        raise ValueError("is not a date; write it as 2021-03-05")
    return _MONTHS.index(name.lower()) + 1


def _day(year: int, month: int, day: int) -> date:
    try:
        return _within(date(year, month, day))
    except ValueError:
        raise ValueError("is not a day of the calendar") from None


def _within(day: date) -> date:
    if not _EARLIEST <= day <= date(2100, 1, 1):
        raise ValueError("is not a day of the calendar")
    return day


def parse_sex(text: str) -> Sex | None:
    """Male for ``男``, ``M``, ``male``, ``1``; female for ``女``, ``F``, ``2``; None for ``0`` and ``9``.

    The digits are those of GB/T 2261.1 and ISO/IEC 5218: 0 is not known, 1 male, 2 female, 9 not stated. A table in
    which 0 means female must say so in words; `load_clinical_table` has a finding where these codes occur.

    Raises
    ------
    ValueError
    """
    word = text.strip().lower()
    if word in _MALE:
        return Sex.MALE
    if word in _FEMALE:
        return Sex.FEMALE
    if word in _SEX_NOT_KNOWN:
        return None
    raise ValueError("is not a sex; write male or female")


def parse_yes_no(text: str) -> bool:
    """True or false for yes and no in English and Chinese.

    Raises
    ------
    ValueError
    """
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("is neither yes nor no")


def parse_age(text: str) -> int:
    """Completed years of ``63``, ``63岁``, ``063Y``, ``63.4``; months and days (``018M``) count as 0 or full years.

    Raises
    ------
    ValueError
    """
    match = re.fullmatch(r"(\d{1,3})(?:\.\d+)?\s*(years?|yrs?|y|岁|周岁|m|月|个月|d|天|w|周)?", text.strip().lower())
    if not match:
        raise ValueError("is not an age in years")
    number, unit = int(match[1]), match[2] or "y"
    years = number // 12 if unit in ("m", "月", "个月") else number // 365 if unit in ("d", "天") else number
    years = number // 52 if unit in ("w", "周") else years
    if years > 120:
        raise ValueError("is not an age in years")
    return years


def morphology(text: str) -> str:
    """ICD-O morphology as ``8170/3``; other text comes back as it is (a protocol may name words).

    Understood: ``8170/3``, ``M8170/3``, ``81703``, and the five-digit form of the paper and of Chinese front pages,
    ``M81700/3`` (WHO ICD-O-3 has four digits and a behaviour digit).

    Raises
    ------
    ValueError
        If several different codes are given.
    """
    found = {
        f"{match[1]}/{match[2]}"
        for match in re.finditer(r"(?<!\d)M?[ -]?(\d{4})0?\s*[/\\]?\s*([0-9])(?!\d)", text.upper())
    }
    if len(found) > 1:
        raise ValueError("holds several morphology codes; name the one of the treated tumour")
    return found.pop() if found else text.strip()


def icd10_codes(text: str) -> tuple[str, ...]:
    """ICD-10 codes of a list, in upper case, each once.

    Diagnoses are separated by ``;``, ``、``, ``|`` or line breaks, bare codes also by ``,`` or blanks. Words beside a
    code (``C22.0 肝细胞癌``, ``E11.9 diabetes, without complications``) are passed over; "none" is an empty tuple.

    Raises
    ------
    ValueError
        If a diagnosis has no code: what it names could exclude the patient, and would go unseen.
    """
    codes: list[str] = []
    for diagnosis in _DIAGNOSES.split(text.upper()):
        described = False
        for part in diagnosis.split(","):
            found = _ICD10.findall(part)
            words = _has_letters(_ICD10.sub(" ", part)) and part.strip().lower() not in _NO | _BLANK
            if words and not found and not described:
                raise ValueError("holds a diagnosis without its ICD-10 code; write codes, separated by ;")
            described = words
            codes += found
    return tuple(dict.fromkeys(codes))


def has_words_beside_codes(text: str) -> bool:
    """Whether a list of ICD-10 codes also holds words, which no criterion reads."""
    return bool(_ICD10.search(text.upper())) and _has_letters(_ICD10.sub(" ", text.upper()))


def _has_letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def parse_group(text: str) -> str:
    """``cancer`` or ``control``.

    Raises
    ------
    ValueError
    """
    word = text.strip().lower()
    if word in _CONTROL:
        return "control"
    if word in _CANCER:
        return "cancer"
    raise ValueError("is neither cancer nor control")
