"""Whether bytes are text, and text in UTF-16 as UTF-8."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["from_utf16", "is_text"]

SAMPLE: Final = 1 << 16
"""Bytes at both ends that decide whether a file is text."""

_ASCII: Final = bytes(range(128))
_HANZI_PAIR: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_TEXT_BYTES: Final = bytes(range(32, 127)) + b"\t\n\r\f\b" + bytes(range(128, 256))

PIECE: Final = 4096
"""Bytes judged at a time."""
_USUAL: Final = re.compile("[\\t-\\r -~\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


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
    wide = from_utf16(sample)
    return wide.count(b" ") * 50 > len(wide)


def from_utf16(data: bytes) -> bytes:
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
