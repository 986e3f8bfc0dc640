"""Base64, base32 and hex in text: where they stand, and what they say.

A megabyte of base64 holds any four letters many times. So runs of it are decoded and searched on their own, and a
short hit inside them is an accident. A long path or a word list is made of the same characters and is no base64: it
consists of words and numbers, where base64 changes between capitals, small letters and digits all the time.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.plain_text import is_text

__all__ = ["decoded", "in_encoded", "without_encoded"]

LONG_RUN: Final = 60
"""So many characters of the base64 alphabet are encoded data unless they are words: lines have 76 characters (MIME),
72 (PNG profiles) or 64 (PEM)."""

REACH: Final = 160
"""Bytes around a hit that are looked at."""

_CHARACTERS: Final = re.compile(rb"[0-9A-Za-z+/]+")
_RUN: Final = re.compile(rb"[0-9A-Za-z+/]{60,}(?:\r?\n[ \t]*[0-9A-Za-z+/]+={1,2}(?![0-9A-Za-z+/=]))?")
"""A run, with the last line behind it where padding shows that it is one."""
_SHORT_RUN: Final = re.compile(rb"(?<=base64,)[0-9A-Za-z+/]+")
_WORDS: Final = re.compile(rb"[A-Z]?[a-z]{3,}|[0-9]{4,}|[A-Z]{2,}[0-9]{2,}")
_LINE_BREAK: Final = re.compile(rb"\n(?<=[0-9A-Za-z+/]{60}\n)[ \t]*(?=[0-9A-Za-z+/])")
"""Within a wrapped block."""
_LINE_BEFORE: Final = re.compile(rb"[0-9A-Za-z+/]{60}(?:\r?\n[ \t]*|\\(?:r\\)?)\Z")

SHORTEST: Final = 12
"""Fewer characters of base64 are not decoded: any word is."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_PIECES: Final = re.compile(rb"[A-Za-z0-9+]{12,}")
_BASE32: Final = re.compile(rb"[A-Z2-7]{16,}")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{16,}")
_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_PACKED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x89PNG", b"\xff\xd8\xff", b"%PDF")


def in_encoded(data: bytes, start: int, end: int) -> bool:
    """Whether a hit lies in base64: in a long run, behind ``base64,``, or in the last line of a wrapped block.

    Parameters
    ----------
    data : bytes
    start, end : int
        Half-open position of the hit.
    """
    low = max(0, start - REACH)
    window, at = data[low : end + REACH], start - low
    run = next((m for m in _CHARACTERS.finditer(window) if m.start() <= at < m.end()), None)
    if run is None:
        return False
    if len(run[0]) >= LONG_RUN:
        return not _is_words(run[0])
    before = window[: run.start()]
    if before.endswith(b"base64,"):
        return True
    return window[run.end() : run.end() + 1] == b"=" and _LINE_BEFORE.search(before) is not None


def without_encoded(data: bytes) -> bytes:
    """Text with a blank for each run of base64 that `in_encoded` means."""
    rest = _RUN.sub(lambda run: run[0] if _is_words(run[0][: 2 * REACH]) else b" ", data)
    return _SHORT_RUN.sub(b" ", rest) if b"base64," in rest else rest


def _is_words(run: bytes) -> bool:
    """Whether more than half of a run is words and numbers; in base64 it is a fifth, of 60 characters never half."""
    return 2 * sum(map(len, _WORDS.findall(run))) > len(run)


def decoded(data: bytes) -> Iterator[tuple[bytes, str]]:
    """What base64, base32 and hex in a text say, and which of them it was.

    What is not text and not a container is joined, as such parts are many and small.
    """
    if b"\n" in data:
        data = _LINE_BREAK.sub(b"", data.replace(b"\r\n", b"\n"))
    rest: list[bytes] = []
    for token in _tokens(data):
        if _BASE32.fullmatch(token):
            said = base64.b32decode(token[: len(token) // 8 * 8])
            if said.isascii() and is_text(said):
                yield said, "base32"
        try:
            said = base64.b64decode(token + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            continue
        if len(said) > 4096 or said.startswith(_PACKED) or is_text(said):
            yield said, "base64"
        else:
            rest.append(said)
    for digits in _hex_digits(data):
        token = digits[: len(digits) // 2 * 2]
        said = bytes.fromhex(token.decode("ascii"))
        if len(said) > 4096 or said.startswith(_PACKED) or (is_text(said) and not token.isdigit()):
            yield said, "hex"
        else:
            rest.append(said)
    if rest:
        yield b"\xff\x01\x00\xff".join(rest), "encoded"


def _tokens(data: bytes) -> Iterator[bytes]:
    """Tokens that may be base64, and of paths and names their parts."""
    for match in _BASE64.finditer(data):
        token = match[0].translate(_URL_SAFE)
        if not _is_one_word(token):
            yield token
        if len(token) < LONG_RUN or _is_words(token[: 2 * REACH]):
            for part in _PIECES.findall(match[0]):
                if len(part) < len(token) and not _is_one_word(part):
                    yield part


def _hex_digits(data: bytes) -> Iterator[bytes]:
    """Runs of hex digits, but for those that chance writes into base64: seeking them would take longest of all."""
    for match in _BASE64.finditer(data):
        token = match[0]
        mostly_hex = 2 * len(token.translate(None, _HEX_DIGITS)) < len(token)
        if len(token) < LONG_RUN or mostly_hex or _is_words(token[: 2 * REACH]):
            yield from _HEX.findall(token)


def _is_one_word(token: bytes) -> bool:
    return bool(_HEX.fullmatch(token)) or token.isdigit() or (token.isalpha() and len(token) < 24)
