"""Undo escapes: JSON and other programming languages, HTML, CSS, URLs, quoted-printable."""

from __future__ import annotations

import html
import re
from typing import Final

__all__ = ["unescaped"]

# Escapes in a row, as one character may take several; the first is written out, as a literal is sought much faster.
_JSON: Final = re.compile(rb"\\u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*")
_ENTITY: Final = re.compile(rb"&(?:(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6});?|[A-Za-z]{2,8};)")
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*")
_QUOTED: Final = re.compile(rb"=[0-9A-Fa-f]{2}(?:=[0-9A-Fa-f]{2})*")
_OCTAL: Final = re.compile(rb"\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2})(?:\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2}))*")
_CODE_POINT: Final = re.compile(
    rb"\\(?:u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|(0{0,2}[4-9a-fA-F][0-9a-fA-F]{3})(?![0-9a-fA-F]) ?)"
)
"""``\\u{80e1}`` of JavaScript, ``\\U000080e1`` of Python, ``\\80e1`` of CSS (of Chinese characters)."""
_ONE_LETTER: Final = re.compile(rb"\\[\"\\/bfnrt]")
_LETTERS: Final = {
    b"\\b": b"\b", b"\\f": b"\f", b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t",
    b'\\"': b'"', b"\\\\": b"\\", b"\\/": b"/",
}  # fmt: skip


def unescaped(data: bytes) -> bytes:
    """Text without its escapes, also where they are stacked.

    Examples
    --------
    >>> unescaped(rb"Zhang\\tWei, 2021\\/03\\/05, caf&#xe9;").decode()
    'Zhang\\tWei, 2021/03/05, café'
    """
    for _ in range(3):
        before = data
        if b"\\" in data:
            data = _JSON.sub(_from_json, data)
            data = _CODE_POINT.sub(_from_code_point, data)
            data = _OCTAL.sub(_from_backslashes, data)
            data = _ONE_LETTER.sub(lambda m: _LETTERS[m[0]], data)
        if b"&" in data:
            data = _ENTITY.sub(lambda m: html.unescape(m[0].decode("ascii")).encode("utf-8", "replace"), data)
        if b"%" in data:
            data = _PERCENT.sub(lambda m: bytes.fromhex(m[0].replace(b"%", b"").decode("ascii")), data)
        if b"=" in data:
            data = _QUOTED.sub(_from_quoted, data)
        if data == before:
            return data
    return data


def _from_code_point(match: re.Match[bytes]) -> bytes:
    code = int(match[1] or match[2] or match[3], 16)
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else match[0]


def _from_json(match: re.Match[bytes]) -> bytes:
    units = bytes.fromhex(match[0].replace(b"\\u", b"").decode("ascii"))
    return units.decode("utf-16-be", "replace").encode("utf-8", "replace")


def _from_quoted(match: re.Match[bytes]) -> bytes:
    if len(match[0]) == 3 and match[0] != match[0].upper():  # "name=Fang" is no escape
        return match[0]
    return bytes.fromhex(match[0].replace(b"=", b"").decode("ascii"))


def _from_backslashes(match: re.Match[bytes]) -> bytes:
    pieces = re.findall(rb"\\(?:x([0-9A-Fa-f]{2})|([0-7]{3}))", match[0])
    return bytes(int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 255 for hexadecimal, octal in pieces)
