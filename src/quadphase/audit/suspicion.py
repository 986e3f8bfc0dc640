"""What looks like an identifier of a person: in header fields, in texts, in the columns of a table.

Nobody's identifiers are known here (`quadphase deidentify scan` searches for those of a study's ledger), so this is a
matter of form: dates, archive numbers, UIDs, names as DICOM writes them, columns that say what they hold. Answers are
words of our own, never the text that was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

__all__ = ["suspicious_column", "suspicious_header", "suspicious_text"]

_HEADER: Final = re.compile(
    rb"(19|20)\d{2}[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])"  # a date
    rb"|\d{6,}"  # a number long enough for an archive
    rb"|\d+(\.\d+){4,}"  # a UID
    rb"|[A-Za-z]+\^[A-Za-z]+"  # DICOM's form of a name
    rb"|[\x80-\xff]{2,}"  # text beyond ASCII
    rb"|[0-2]\d:[0-5]\d:[0-5]\d"
)

_DAY: Final = r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "a date": re.compile(
        rf"(?<![\d.])({_DAY}(?![^\W_])|(19|20)\d\d([-/._]|\s*年\s*)(0?[1-9]|1[0-2])([-/._]|\s*月\s*)(0?[1-9]|[12]\d|3[01]))"
        r"(?!\.?\d)"
    ),
    "a UID": re.compile(r"(?<![\d.])[12](\.\d+){6,}"),
    "a name as DICOM writes it": re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}"),
    "an archive number": re.compile(r"(?<![^\W_])([A-Za-z]{1,4}\d{6,}|\d{17}[\dXx])(?![^\W_])"),
}

_NAMED: Final[Mapping[str, re.Pattern[str]]] = {
    "a person's name": re.compile(
        r"^(patients?|subjects?|full|first|last|family|given|sur|middle)?_?names?$|initials|姓名"
    ),
    "a date of birth": re.compile(r"birth|dob$|出生|生日"),
    "an address or number to call": re.compile(r"address|phone|mobile|e_?mail|postcode|zip_?code|电话|手机|地址|住址"),
    "an archive number": re.compile(
        r"mrn$|medical_?record|accession|hospital_?(id|no|number)|admission_?(id|no|number)|(in|out)patient_?(id|no|number)"
        r"|ssn$|passport|(national|identity|id)_?(card|number|no$)|insurance|身份证|住院号|门诊号|病历号|检查号|登记号|影像号"
    ),
}
_YEAR: Final = re.compile(r"(19|20)\d\d(\.0)?")
_PERSON: Final = re.compile(r"[A-Z][A-Za-z'-]+,? [A-Z][A-Za-z'-]+( [A-Z][A-Za-z'-]+)?|[\u4e00-\u9fff]{2,4}")

LEAST_SUBJECTS: Final = 5
"""So many different texts of the form of a name, one a subject, are names; fewer may be anything."""

LEAST_DIGITS: Final = 9
PADDED_DIGITS: Final = 6
"""An organ has up to 8 digits of voxels or cubic millimetres; a number that begins with 0 is none that was measured."""


def suspicious_header(text: bytes) -> bool:
    """Whether a header field looks like a date, a time, a long number, a UID, a name, or is not ASCII."""
    return _HEADER.search(text) is not None


def suspicious_text(text: str) -> tuple[str, ...]:
    """What a free text seems to hold, in our words; empty for nothing.

    Examples
    --------
    >>> suspicious_text("scanned on 2021-06-18, YB204333")
    ('a date', 'an archive number')
    >>> suspicious_text("window -200 to 200, spacing 0.78125 mm, volume of 153600 voxels")
    ()
    """
    return tuple(what for what, form in _FORMS.items() if form.search(text))


def suspicious_column(name: str, cells: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What a column seems to hold beside measurements and answers.

    Parameters
    ----------
    name : str
        Of the column.
    cells : iterable of (subject, text)
        Without those that are blank or NA. Numbers are measurements, unless all look like dates, or all are whole, of
        one length, and longer than counts of voxels are or begin with 0.

    Examples
    --------
    >>> suspicious_column("exam", [("P1", "2021-06-18"), ("P2", "2020-01-31")])
    ('a date',)
    >>> suspicious_column("AFP", [("P1", "20000.5"), ("P2", "1210012")])
    ()
    """
    pairs = list(cells)
    texts = [text for _, text in pairs]
    if not texts or all(_YEAR.fullmatch(text) for text in texts):
        return ()
    key = re.sub(r"\W+", "_", name.strip()).lower()
    found = [what for what, form in _NAMED.items() if form.search(key)]
    numbers = [text for text in texts if _is_number(text)]
    if len(numbers) == len(texts):
        found += _numbers(texts)
    else:
        found += [what for text in texts if not _is_number(text) for what in suspicious_text(text)]
        found += ["a person's name"] if _one_each(pairs) and all(map(_PERSON.fullmatch, texts)) else []
    return tuple(dict.fromkeys(found))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(texts: Sequence[str]) -> list[str]:
    if all(re.fullmatch(_DAY, text) for text in texts):
        return ["a date"]
    whole = all(text.isdigit() for text in texts) and len({len(text) for text in texts}) == 1
    least = PADDED_DIGITS if any(text.startswith("0") for text in texts) else LEAST_DIGITS
    return ["an archive number"] if whole and len(texts[0]) >= least else []


def _one_each(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether subjects have one text each, and each another."""
    subjects = {subject for subject, _ in pairs}
    return len(subjects) >= LEAST_SUBJECTS and len(set(pairs)) == len(subjects) == len({text for _, text in pairs})
