"""What text says when its layers are taken off: escapes, markup, keys, accents, dates in parts, base64 and hex."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.encoded import decoded, without_encoded
from quadphase.deidentify.escapes import unescaped
from quadphase.deidentify.folding import FOLD
from quadphase.deidentify.plain_text import from_utf16
from quadphase.deidentify.regions import Region

__all__ = ["layers"]

_TAG: Final = re.compile(rb"<!--(?s:.){0,2000}?-->|<[^<>]{0,2000}>")
_KEY: Final = re.compile(
    rb"\"[^\"\\\n]{1,64}\"[ \t]*:|^[ \t]*(?:- )?[A-Za-z_\x80-\xff][\w\x80-\xff.-]{0,40}[ \t]*[:=](?=[ \t\"'])",
    re.MULTILINE,
)
"""Keys of JSON, and of YAML and TOML at the beginning of a line."""
_ATTRIBUTE: Final = re.compile(rb"(?<![\w:.-])[A-Za-z_][\w:.-]{0,40}=(?=[\"'])")
"""Names of the attributes of a tag."""
_SHORT_YEAR: Final = re.compile(rb"(?<![\w/.-])(\d{1,2})([/-])(\d{1,2})\2(\d{1,2})(?![\w/-]|\.\d)")
LATEST_SECOND: Final = b"59"
"""Two-digit years with hyphens count only beyond it: ``12-05-20`` is also a time of day."""
_SPACED_DATE: Final = re.compile(rb"(?<![\w.])(\d{1,4}) +([-/.]) +(\d{1,2}) +\2 +(\d{1,4})(?!\w)")
_YEAR_CUT: Final = re.compile(rb"(?:'|\xe2\x80\x99)(\d\d)(?!\w)")
"""``Jun 18, '21``"""
LONGEST_DAY: Final = 24
"""Bytes of day and month before such a year."""
_TO_BLANK: Final = bytes(32 if FOLD[code] == 32 else code for code in range(256))
"""Punctuation and white space become blanks; case stays, as it tells joined names from words."""
_INVISIBLE: Final = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
"""Soft hyphens, zero-width characters, marks of direction and of variants: they part a name without being seen."""
_DASH: Final = re.compile("[\u2010-\u2015\u2212]")
_DOT: Final = re.compile("[\u00b7\u2022\u2027\u30fb\uff65]")
"""Between the parts of a name in Chinese text."""
_MISREAD: Final = re.compile(
    "[\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{4,}"
)
"""Bytes of another encoding read as Windows-1252: no language writes four such letters in a row."""
_WINDOWS: Final = {ord(char): code for code in range(0x80, 0xA0) for char in bytes([code]).decode("cp1252", "ignore")}


def layers(region: Region) -> Iterator[Region | tuple[bytes, str]]:
    """Other readings of a text or name, and encoded parts to be taken apart on their own."""
    data, place, nature = bytes(region.data), region.place, region.nature
    wide = from_utf16(data)
    if wide:
        yield wide, f"{place} (UTF-16)"
        return
    plain = unescaped(data)
    if plain != data:
        yield Region(data=plain, nature=nature, place=f"{place} (unescaped)")
    prose = without_encoded(plain)
    unmarked = _TAG.sub(b" ", prose) if b"<" in prose else prose
    closed = _closed(unmarked)
    if len(closed) < len(prose):
        yield Region(data=closed, nature=nature, place=f"{place} (blanks closed)", words_only=True)
    values = _KEY.sub(b" ", prose)
    if b'="' in values or b"='" in values:
        values = _ATTRIBUTE.sub(b" ", values)
    if len(values) < len(prose):
        yield Region(data=_closed(values), nature=nature, place=f"{place} (keys removed)", words_only=True)
    dates = _dates_in_full(prose)
    if dates:
        yield Region(data=dates, nature=nature, place=f"{place} (dates in full)")
    joined = _TAG.sub(b"", prose) if b"<" in prose else prose
    if joined != prose:
        yield Region(data=joined, nature=nature, place=f"{place} (markup removed)")
    for text in _plain_letters(prose):
        yield Region(data=text, nature=nature, place=f"{place} (plain letters)")
    for said, kind in decoded(plain):
        yield said, f"{place} > {kind}"


def _closed(data: bytes) -> bytes:
    """Words with one blank between them, whatever stood there."""
    return b" ".join(data.translate(_TO_BLANK).split())


def _dates_in_full(data: bytes) -> bytes:
    """Dates with a year of two digits, with the year in either century; and dates with blanks, without them.

    ``05/03/61``, ``61/03/05``, ``Mar 5, '61``, ``1961 - 03 - 05``
    """
    full: list[bytes] = []
    for first, mark, middle, last in _SHORT_YEAR.findall(data):
        for year, template in ((last, (first, middle, b"%s")), (first, (b"%s", middle, last))):
            if len(year) == 2 and (mark == b"/" or year > LATEST_SECOND):
                text = mark.join(template)
                full += (text % (b"19" + year), text % (b"20" + year))
    if any(mark in data for mark in (b" - ", b" / ", b" . ")):
        full += (mark.join((first, middle, last)) for first, mark, middle, last in _SPACED_DATE.findall(data))
    if b"'" in data or b"\xe2\x80\x99" in data:
        for match in _YEAR_CUT.finditer(data):
            day = data[max(0, match.start() - LONGEST_DAY) : match.start()].rstrip()
            full += (day + b" 19" + match[1], day + b" 20" + match[1])
    return b"\n".join(full)


def _plain_letters(data: bytes) -> Iterator[bytes]:
    """Text without accents, full-width forms and invisible characters; and what was read in a wrong encoding."""
    if data.isascii():
        return
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding, "strict" if encoding == "utf-8" else "ignore")
        except UnicodeDecodeError:
            continue
        visible = _DOT.sub(" ", _DASH.sub("-", _INVISIBLE.sub("", text))).replace("\u2019", "'")
        folded = unicodedata.normalize("NFKD", visible)
        stripped = "".join(char for char in folded if not unicodedata.combining(char))
        if stripped != text:
            yield stripped.encode("utf-8", "replace")
        misread = "\n".join(_MISREAD.findall(text)).translate(_WINDOWS).encode("latin-1", "ignore")
        if misread:
            yield misread
        return
