"""Whether a pattern found in folded bytes is the identifier or an accident of its neighbourhood.

The search itself knows no context; here the original bytes around a hit decide. The rules keep ``1234567`` in
``0.1234567`` or in a checksum from stopping a release, and keep ``Li Na`` from being found in *carolina*.
"""

from __future__ import annotations

import re
from typing import Final

from quadphase.deidentify.encoded import in_encoded
from quadphase.deidentify.spellings import Rule

__all__ = ["confirms"]

_PRINTABLE: Final = re.compile(rb"[\t\n\r -~]*")
_HEX_TOKEN: Final = re.compile(rb"[0-9a-fA-F]{16,}")
_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SIZE_KEY: Final = re.compile(rb"\"(?:bytes|contentSize|size)\"\s*:\s*\"?$", re.IGNORECASE)
_QUOTES: Final = frozenset(b"\"'`<>")

LONG_JOINED: Final = 8
"""From this length a joined name is no accident even inside a longer word."""

SHORTEST_IN_ENCODED: Final = 10
"""A shorter hit inside encoded data is an accident: a megabyte of base64 holds any four letters many times."""

SHORTEST_SMALL_JOINED: Final = 6
"""A shorter joined name in small letters (``human`` is also Hu Man) is a word; in CamelCase it is a name."""

_WORDS: Final = frozenset(
    b"banana banding bending binding biding dating dining ending fading finger gaming gaping gender guide guiding "
    b"hanging change changing china handing landing linear linger lining longer lounge machine manage mending mining "
    b"minute naming pending piping range riding sanding sending shading shaping siding taming tangent taping tiling "
    b"timing tuning typing wiping women".split()
)
"""English words that are also two or three syllables of pinyin."""


def confirms(rule: Rule, data: bytes, start: int, end: int, *, in_name: bool = False) -> bool:
    """Decide about one hit.

    Parameters
    ----------
    rule : Rule
    data : bytes
        Original (not folded) bytes.
    start, end : int
        Half-open position of the hit.
    in_name : bool
        Whether `data` is a file name, where numbers stand unquoted.
    """
    if rule is Rule.HAN:  # only the day of a date ends in a digit
        return end == len(data) or not (_is_digit(data[end - 1]) and _is_digit(data[end]))
    if rule is Rule.HAN_WIDE:
        return not _PRINTABLE.fullmatch(data[start:end]) or _among_wide(data, start, end)
    if end - start < SHORTEST_IN_ENCODED and in_encoded(data, start, end):
        return False
    if rule in (Rule.NUMBER, Rule.SHORT_NUMBER):
        while start and data[start - 1] == 0x30:
            start -= 1
    if not _stands_alone(data, start, end, long_is_enough=rule in (Rule.WORDS, Rule.JOINED, Rule.CODE)):
        return rule is Rule.COMPACT_DATE and _is_date_and_time(data, start, end)
    if rule is Rule.JOINED:
        return _is_joined_name(data[start:end])
    if rule is Rule.NUMERIC_DATE:
        return _has_date_separators(data[start:end])
    if rule in (Rule.NUMBER, Rule.SHORT_NUMBER, Rule.COMPACT_DATE, Rule.CODE):
        if _in_hash(data, start, end):
            return False
        if rule is Rule.CODE or in_name:
            return True
        if _in_decimal(data, start, end) or _SIZE_KEY.search(data[max(0, start - 24) : start]):
            return False
        if rule is Rule.SHORT_NUMBER:
            return start > 0 and end < len(data) and data[start - 1] in _QUOTES and data[end] in _QUOTES
    return True


def _among_wide(data: bytes, start: int, end: int) -> bool:
    """Between units of UTF-16 that are no ASCII text: a NUL, a byte order mark, or the end of the data."""
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    marks = (b"\xff\xfe", b"\xfe\xff")
    return (b"\0" in before or before in marks or not before) and (b"\0" in after or not after)


def _is_letter(byte: int) -> bool:
    return 0x41 <= (byte & 0xDF) <= 0x5A


def _is_digit(byte: int) -> bool:
    return 0x30 <= byte <= 0x39


def _stands_alone(data: bytes, start: int, end: int, *, long_is_enough: bool) -> bool:
    enough = long_is_enough and end - start >= LONG_JOINED
    for inside, outside in ((start, start - 1), (end - 1, end)):
        if not 0 <= outside < len(data):
            continue
        a, b = data[inside], data[outside]
        if _is_digit(a) and _is_digit(b):
            return False
        if _is_letter(a) and _is_letter(b) and not enough:
            return False
    return True


def _is_joined_name(text: bytes) -> bool:
    if any(0x41 <= byte <= 0x5A for byte in text[1:]) and not text.isupper():
        return True
    return len(text) >= SHORTEST_SMALL_JOINED and text.lower() not in _WORDS


def _has_date_separators(text: bytes) -> bool:
    marks = re.sub(rb"\d", b"", text)
    if len(marks) != 2 or marks[0] != marks[1] or marks[0] not in b"-/._: ":
        return False
    # Blanks part the numbers of any table; only the padded, year-first form is a date.
    return marks[0] != 0x20 or (len(text) == 10 and text[4] == 0x20)


def _is_date_and_time(data: bytes, start: int, end: int) -> bool:
    """``20210305143000`` and ``202103051430``, as DICOM's DT writes."""
    if start and _is_digit(data[start - 1]):
        return False
    match = re.match(rb"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?!\d)", data[end : end + 7])
    return match is not None and not _in_hash(data, start, end)


def _in_hash(data: bytes, start: int, end: int) -> bool:
    """Inside 16 or more hex digits with a letter among them, or inside a UUID."""
    low = max(0, start - 64)
    window = data[low : end + 64]
    for match in _HEX_TOKEN.finditer(window):
        if match.start() <= start - low and end - low <= match.end() and not match[0].isdigit():
            return True
    return any(m.start() <= start - low and end - low <= m.end() for m in _UUID.finditer(window))


def _in_decimal(data: bytes, start: int, end: int) -> bool:
    """A part of ``0.1234567`` or ``1234567.25``; ``1234567.0`` is an id that a spreadsheet spoilt."""
    if start > 1 and data[start - 1] == 0x2E and _is_digit(data[start - 2]):
        return True
    after = re.match(rb"\.(\d+)", data[end : end + 20])
    return after is not None and after[1].strip(b"0") != b""
