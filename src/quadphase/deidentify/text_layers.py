"""What text says when its layers are taken off: escapes, markup, accents, base64 and hex, PDF streams."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.archives import Part
from quadphase.deidentify.regions import Nature, Region

__all__ = ["is_pdf", "is_text", "layers", "open_pdf"]

SAMPLE: Final = 1 << 16
"""Bytes at both ends that decide whether a file is text."""

_TEXT_BYTES: Final = bytes(range(32, 127)) + b"\t\n\r\f\b" + bytes(range(128, 256))

_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/_-]{16,}(?:\r?\n|\\n)[ \t]*)*[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}[ \r\n]*){8,}")
_TAG: Final = re.compile(rb"<[^<>]{0,2000}>")
_BLANKS: Final = re.compile(rb"[\s!-/:-@\[-`{-~]{2,}")
_JSON: Final = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+")
_ENTITY: Final = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_PERCENT: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_QUOTED: Final = re.compile(rb"(?:=[0-9A-F]{2})+")
_OCTAL: Final = re.compile(rb"(?:\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2}))+")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
"""Soft hyphens, zero-width characters, byte order marks: they part a name without being seen."""


def is_text(data: bytes) -> bool:
    """Whether nearly all bytes at both ends are text of some encoding, UTF-16 included."""
    sample = data[:SAMPLE] + (data[-SAMPLE:] if len(data) > SAMPLE else b"")
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    strange = len(sample.translate(None, _TEXT_BYTES))
    nuls = sample.count(0)
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        high = sum(sample.count(code) for code in range(128, 256))
        return strange * 50 < len(sample) and high * 2 < len(sample)
    # Pure ASCII with many NULs is UTF-16, or a header padded with NULs: text either way.
    return (strange - nuls) * 50 < len(sample) and nuls * 10 < len(sample) * 9


def layers(region: Region) -> Iterator[Region | tuple[bytes, str]]:
    """Other readings of a text region, and encoded parts to be taken apart on their own."""
    data, place = region.data, region.place
    plain = _unescaped(data)
    if plain != data:
        yield Region(data=plain, nature=Nature.TEXT, place=f"{place} (unescaped)")
    closed = _BLANKS.sub(b" ", _TAG.sub(b" ", plain) if b"<" in plain else plain)
    if closed != plain:
        yield Region(data=closed, nature=Nature.TEXT, place=f"{place} (markup removed)")
    joined = _TAG.sub(b"", plain) if b"<" in plain else b""
    if joined and joined != plain:
        yield Region(data=joined, nature=Nature.TEXT, place=f"{place} (markup removed)")
    for text in _plain_letters(plain):
        yield Region(data=text, nature=Nature.TEXT, place=f"{place} (plain letters)")
    yield from _encoded(plain, place)


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
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "gb18030")
    for encoding in encodings:
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
    for match in _BASE64.finditer(data):
        token = re.sub(rb"\s|\\n", b"", match[0]).translate(bytes.maketrans(b"-_", b"+/"))
        if token.isdigit() or (token.isalpha() and len(token) < 24):
            continue
        with_padding = token.rstrip(b"=")
        with_padding += b"=" * (-len(with_padding) % 4)
        try:
            yield base64.b64decode(with_padding), f"{place} > base64"
        except (binascii.Error, ValueError):
            continue
    for match in _HEX.finditer(data):
        token = re.sub(rb"\s", b"", match[0])
        if not token.isdigit() or len(token) >= 24:
            yield bytes.fromhex(token.decode("ascii")), f"{place} > hex"


def is_pdf(data: bytes) -> bool:
    return data[:5] == b"%PDF-"


def open_pdf(data: bytes, place: str) -> Iterator[Part]:
    """Streams inflated where they are compressed; the rest, with the document information, as text."""
    where = f"{place} > PDF".removeprefix(" > ")
    outside, at = [], 0
    for number, match in enumerate(re.finditer(rb"stream\r?\n", data), start=1):
        if match.start() < at or data[max(0, match.start() - 3) : match.start()] == b"end":
            continue
        stop = data.find(b"endstream", match.end())
        if stop < 0:
            break
        body = data[match.end() : stop]
        outside.append(data[at : match.end()])
        at = stop
        try:
            inflater = zlib.decompressobj()
            yield inflater.decompress(body), f"{where} stream {number}"
        except zlib.error:
            yield body, f"{where} stream {number}"
    outside.append(data[at:])
    yield Region(data=b"".join(outside), nature=Nature.TEXT, place=where)
