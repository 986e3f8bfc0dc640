"""What text says when its layers are taken off: escapes, markup, keys, accents, short years, base64 and hex, PDF."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.folding import FOLD
from quadphase.deidentify.regions import TOO_LARGE, Flaw, Nature, Part, Region
from quadphase.deidentify.streams import inflate

__all__ = ["is_pdf", "is_text", "layers", "open_pdf"]

SAMPLE: Final = 1 << 16
"""Bytes at both ends that decide whether a file is text."""

_ASCII: Final = bytes(range(128))
_HANZI_PAIR: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_TEXT_BYTES: Final = bytes(range(32, 127)) + b"\t\n\r\f\b" + bytes(range(128, 256))

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_BASE64_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r"
SHORTEST_WRAPPED: Final = 60
"""Encoded data are broken into lines of 76 (MIME), 72 (PNG profiles) or 64 characters (PEM)."""
_PACKED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x89PNG", b"\xff\xd8\xff", b"%PDF")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{16,}")
_TAG: Final = re.compile(rb"<[^<>]{0,2000}>")
_ENCODED_RUN: Final = re.compile(rb"[0-9A-Za-z+/]{100,}")
"""Encoded data: searched as it is and decoded; its accidents are no words, keys or dates."""
_KEY: Final = re.compile(
    rb"\"[^\"\\\n]{1,64}\"[ \t]*:|^[ \t]*(?:- )?[A-Za-z_\x80-\xff][\w\x80-\xff.-]{0,40}[ \t]*[:=](?=[ \t\"'])",
    re.MULTILINE,
)
"""Keys of JSON, and of YAML and TOML at the beginning of a line."""
_SHORT_YEAR: Final = re.compile(rb"(?<![\w/.-])(\d{1,2})([/-])(\d{1,2})\2(\d{1,2})(?![\w/-]|\.\d)")
LATEST_SECOND: Final = b"59"
"""Two-digit years with hyphens count only beyond it: ``12-05-20`` is also a time of day."""
_TO_BLANK: Final = bytes(32 if FOLD[code] == 32 else code for code in range(256))
"""Punctuation and white space become blanks; case stays, as it tells joined names from words."""
# Escapes in a row, as one character may take several; the first is written out, as a literal is sought much faster.
_JSON: Final = re.compile(rb"\\u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*")
_ENTITY: Final = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*")
_QUOTED: Final = re.compile(rb"=[0-9A-F]{2}(?:=[0-9A-F]{2})*")
_OCTAL: Final = re.compile(rb"\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2})(?:\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2}))*")
PIECE: Final = 4096
"""Bytes judged at a time."""
_USUAL: Final = re.compile("[\\t-\\r -~\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
"""Soft hyphens, zero-width characters, byte order marks: they part a name without being seen."""


def is_text(data: bytes) -> bool:
    """Whether the bytes at both ends are text: UTF-8, GB18030 of common characters, or UTF-16."""
    sample = data[:SAMPLE] + (data[-SAMPLE:] if len(data) > SAMPLE else b"")
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    # Headers padded with NULs and UTF-16 are text too.
    strange = len(sample.translate(None, _TEXT_BYTES)) - sample.count(0)
    if strange * 50 > len(sample) or sample.count(0) * 10 > len(sample) * 9:
        return _is_wide_text(sample)
    high = len(sample.translate(None, _ASCII))
    if not high:
        return True
    # The two cuts of a sample may each have split a character.
    split = 6 if len(sample) < len(data) else 0
    if len(sample) - len(sample.decode("utf-8", "ignore").encode()) <= split:
        return True
    # Common Chinese characters, GB 2312: in random bytes such pairs are few.
    pairs = len(_HANZI_PAIR.findall(sample))
    return pairs * 2 * 10 >= high * 7 or high * 20 < len(sample) or _is_wide_text(sample)


def _is_wide_text(sample: bytes) -> bool:
    """UTF-16 without a byte order mark, as far as there are words in it: HU of a liver are UTF-16 letters as well."""
    wide = _from_utf16(sample)
    return wide.count(b" ") * 50 > len(wide)


def layers(region: Region) -> Iterator[Region | tuple[bytes, str]]:
    """Other readings of a text region, and encoded parts to be taken apart on their own."""
    data, place = bytes(region.data), region.place
    decoded = _from_utf16(data)
    if decoded:
        yield decoded, f"{place} (UTF-16)"
        return
    plain = _unescaped(data)
    if plain != data:
        yield Region(data=plain, nature=Nature.TEXT, place=f"{place} (unescaped)")
    prose = _ENCODED_RUN.sub(b" ", plain)
    unmarked = _TAG.sub(b" ", prose) if b"<" in prose else prose
    closed = _closed(unmarked)
    if len(closed) < len(prose):
        yield Region(data=closed, nature=Nature.TEXT, place=f"{place} (blanks closed)", words_only=True)
    values = _KEY.sub(b" ", prose)
    if len(values) < len(prose):
        yield Region(data=_closed(values), nature=Nature.TEXT, place=f"{place} (keys removed)", words_only=True)
    dates = _years_in_full(prose)
    if dates:
        yield Region(data=dates, nature=Nature.TEXT, place=f"{place} (years in full)")
    joined = _TAG.sub(b"", prose) if b"<" in prose else prose
    if joined != prose:
        yield Region(data=joined, nature=Nature.TEXT, place=f"{place} (markup removed)")
    for text in _plain_letters(prose):
        yield Region(data=text, nature=Nature.TEXT, place=f"{place} (plain letters)")
    yield from _encoded(plain, place)


def _closed(data: bytes) -> bytes:
    """Words with one blank between them, whatever stood there."""
    return b" ".join(data.translate(_TO_BLANK).split())


def _years_in_full(data: bytes) -> bytes:
    """Dates with a year of two digits, ``05/03/61`` or ``61/03/05``, with the year in either century."""
    full: list[bytes] = []
    for first, mark, middle, last in _SHORT_YEAR.findall(data):
        for year, template in ((last, (first, middle, b"%s")), (first, (b"%s", middle, last))):
            if len(year) == 2 and (mark == b"/" or year > LATEST_SECOND):
                text = mark.join(template)
                full += (text % (b"19" + year), text % (b"20" + year))
    return b"\n".join(full)


def _from_utf16(data: bytes) -> bytes:
    """A whole text in UTF-16 as UTF-8; empty where the data is not that."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    if data.isascii() or b"\0" not in data:
        return b""
    for encoding in ("utf-16-le", "utf-16-be"):
        whole = data[: len(data) // 2 * 2]
        if _is_usual(whole, encoding):
            return whole.decode(encoding, "replace").encode("utf-8", "replace")
    return b""


def _is_usual(data: bytes, encoding: str) -> bool:
    """Whether nineteen of twenty characters are usual; given up as soon as they cannot be."""
    strange = 0
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE].decode(encoding, "replace")
        strange += len(piece) - len(_USUAL.findall(piece))
        if strange * 40 > len(data):
            return False
    return True


def _unescaped(data: bytes) -> bytes:
    """Undo JSON, HTML, URL, quoted-printable and backslash escapes, also when they are stacked."""
    for _ in range(3):
        before = data
        if b"\\u" in data:
            data = _JSON.sub(_from_json, data)
        if b"&" in data:
            data = _ENTITY.sub(lambda m: html.unescape(m[0].decode("ascii")).encode("utf-8", "replace"), data)
        if b"%" in data:
            data = _PERCENT.sub(lambda m: bytes.fromhex(m[0].replace(b"%", b"").decode("ascii")), data)
        if b"=" in data:
            data = _QUOTED.sub(lambda m: bytes.fromhex(m[0].replace(b"=", b"").decode("ascii")), data)
        if b"\\" in data:
            data = _OCTAL.sub(_from_backslashes, data)
        if data == before:
            return data
    return data


def _from_json(match: re.Match[bytes]) -> bytes:
    units = bytes.fromhex(match[0].replace(b"\\u", b"").decode("ascii"))
    return units.decode("utf-16-be", "replace").encode("utf-8", "replace")


def _from_backslashes(match: re.Match[bytes]) -> bytes:
    pieces = re.findall(rb"\\(?:x([0-9A-Fa-f]{2})|([0-7]{3}))", match[0])
    return bytes(int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 255 for hexadecimal, octal in pieces)


def _plain_letters(data: bytes) -> Iterator[bytes]:
    """Text without accents, full-width forms and invisible characters, where that changes anything."""
    if data.isascii():
        return
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding, "strict" if encoding == "utf-8" else "ignore")
        except UnicodeDecodeError:
            continue
        visible = _INVISIBLE.sub("", text)
        folded = unicodedata.normalize("NFKD", visible)
        stripped = "".join(char for char in folded if not unicodedata.combining(char))
        if stripped != text:
            yield stripped.encode("utf-8", "replace")
        return


def _encoded(data: bytes, place: str) -> Iterator[tuple[bytes, str]]:
    """Decoded base64 and hex. What is not text and not a container is joined, as such parts are many and small."""
    data = _unwrapped(data)
    rest: list[bytes] = []
    for match in _BASE64.finditer(data):
        token = match[0].translate(_URL_SAFE)
        if _HEX.fullmatch(token) or token.isdigit() or (token.isalpha() and len(token) < 24):
            continue
        try:
            decoded = base64.b64decode(token + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            continue
        if len(decoded) > 4096 or decoded.startswith(_PACKED) or is_text(decoded):
            yield decoded, f"{place} > base64"
        else:
            rest.append(decoded)
    for match in _HEX.finditer(data):
        token = match[0][: len(match[0]) // 2 * 2]
        decoded = bytes.fromhex(token.decode("ascii"))
        if len(decoded) > 4096 or decoded.startswith(_PACKED) or (is_text(decoded) and not token.isdigit()):
            yield decoded, f"{place} > hex"
        else:
            rest.append(decoded)
    if rest:
        yield b"\xff\x01\x00\xff".join(rest), f"{place} > encoded"


def _unwrapped(data: bytes) -> bytes:
    """Lines of encoded data joined, where there are any."""
    if b"\\n" in data:  # a line break inside JSON
        data = data.replace(b"\\n", b"\n")
    lines = data.split(b"\n")
    encoded = [len(line) >= SHORTEST_WRAPPED and not line.strip().translate(None, _BASE64_BYTES) for line in lines]
    if not any(encoded):
        return data
    pieces: list[bytes] = []
    for line, follows in zip(lines, [False, *encoded], strict=False):
        pieces.append(line.strip() if follows else b"\n" + line.rstrip())
    return b"".join(pieces)


def is_pdf(data: bytes) -> bool:
    return data[:5] == b"%PDF-"


def open_pdf(data: bytes, place: str) -> Iterator[Part]:
    """Streams inflated where they are compressed; the rest, with the document information, as text."""
    where = f"{place} > PDF".removeprefix(" > ")
    outer, at = [], 0
    for number, match in enumerate(re.finditer(rb"stream\r?\n", data), start=1):
        if match.start() < at or data[max(0, match.start() - 3) : match.start()] == b"end":
            continue
        stop = data.find(b"endstream", match.end())
        if stop < 0:
            break
        body = data[match.end() : stop]
        outer.append(data[at : match.end()])
        at = stop
        yield from _stream(body, f"{where} stream {number}")
    # Its own beginning is no other file in what is left.
    text = b"".join((*outer, data[at:])).replace(b"%PDF-", b"%pdf-")
    yield Region(data=text, nature=Nature.TEXT, place=where)


def _stream(body: bytes, where: str) -> Iterator[Part]:
    """Contents of a stream of a PDF, packed or not, and what follows them."""
    packed = body.strip()
    try:
        if packed.endswith(b"~>"):
            packed = base64.a85decode(packed.removeprefix(b"<~").removesuffix(b"~>"))
        contents, rest = inflate(packed)
    except (zlib.error, EOFError, ValueError):
        yield body, where
    except OverflowError:
        yield Flaw(place=where, reason=TOO_LARGE)
    else:
        yield contents, where
        yield rest, where
