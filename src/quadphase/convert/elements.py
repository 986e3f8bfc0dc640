"""Walk a DICOM file once and keep the bytes of the few elements conversion needs, and where its pixels lie.

The idea: a slice's header is about a hundred elements of which forty matter, and its pixels are only needed later.  So
the walk jumps over everything else without decoding it, never trusts a length beyond the end of the file, and stops at
the pixel data.  pydicom reads the same values (tested on every real file) but takes five to ten times as long for each
of the thousands of slices of an exam and does not say where pixels start.  Refused: files whose element structure is
broken; nothing is guessed from damaged bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from quadphase.errors import UnsupportedDataError

__all__ = ["Elements", "PixelElement", "open_body", "read_elements"]

PIXEL_DATA: Final = 0x7FE00010
FLOAT_PIXEL_DATA: Final = (0x7FE00008, 0x7FE00009)
UNDEFINED: Final = 0xFFFFFFFF
LONG_VRS: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
"""Value representations with a 32-bit length in explicit encoding (PS3.5 7.1.2)."""
MAXIMUM_DEPTH: Final = 24
"""Sequences nested deeper than this are damage, not CT."""
MAXIMUM_INFLATED_BYTES: Final = 1 << 30
"""A deflated file that grows beyond 1 GiB is refused before it fills the memory."""
IMPLICIT: Final = "1.2.840.10008.1.2"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelElement:
    """Where the value of PixelData lies in the body of a file.

    Parameters
    ----------
    offset : int
        Of the first byte of the value.
    length : int or None
        Bytes; None for encapsulated data of undefined length.
    """

    offset: int
    length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """Raw top-level values of one file.

    Parameters
    ----------
    transfer_syntax : str
        UID of the encoding; implicit little endian where the file says nothing.
    values : dict of int to bytes
        Value bytes by tag, file meta information included.
    big_endian : bool
    pixels : PixelElement, optional
    has_float_pixels : bool
    """

    transfer_syntax: str
    values: dict[int, bytes]
    big_endian: bool
    pixels: PixelElement | None
    has_float_pixels: bool = False

    def __repr__(self) -> str:
        return f"Elements({len(self.values)} values)"  # values may name a person


def _damaged(code: str, message: str) -> UnsupportedDataError:
    return UnsupportedDataError(code, message, "Export or copy the file again")


class _Walk:
    """Position in one data set of one encoding."""

    __slots__ = ("data", "end", "explicit", "long", "order", "short", "tag")

    def __init__(self, data: bytes, *, explicit: bool, big: bool) -> None:
        self.data, self.end, self.explicit = data, len(data), explicit
        self.order = ">" if big else "<"
        self.tag = struct.Struct(self.order + "HHI").unpack_from
        self.short = struct.Struct(self.order + "HH2sH").unpack_from
        self.long = struct.Struct(self.order + "I").unpack_from

    def head(self, position: int) -> tuple[int, bytes, int, int]:
        """(tag, VR, length, offset of the value) of the element at `position`."""
        if position + 8 > self.end:
            raise _damaged("truncated-file", "the file ends inside an element")
        if self.explicit:
            group, element, vr, length = self.short(self.data, position)
            if vr in LONG_VRS:
                if position + 12 > self.end:
                    raise _damaged("truncated-file", "the file ends inside an element")
                return group << 16 | element, vr, self.long(self.data, position + 8)[0], position + 12
            if group != 0xFFFE and vr.isalpha() and vr.isupper():
                return group << 16 | element, vr, length, position + 8
        group, element, length = self.tag(self.data, position)
        return group << 16 | element, b"", length, position + 8

    def skip_undefined(self, position: int, *, vr: bytes, depth: int = 0) -> int:
        """Position after a sequence of undefined length whose value starts at `position`."""
        if depth > MAXIMUM_DEPTH:
            raise _damaged("unreadable-dicom", "sequences are nested without end")
        # An element of VR UN and undefined length holds implicit little endian items (PS3.5 6.2.2, note 2).
        walk = _Walk(self.data, explicit=False, big=False) if vr == b"UN" and self.explicit else self
        while True:
            tag, _, length, value = walk.head(position)
            if tag == 0xFFFEE0DD:
                return value
            if tag != 0xFFFEE000:
                raise _damaged("unreadable-dicom", "a sequence holds something other than items")
            position = value + length if length != UNDEFINED else walk._skip_item(value, depth=depth)

    def _skip_item(self, position: int, *, depth: int) -> int:
        while True:
            tag, vr, length, value = self.head(position)
            if tag == 0xFFFEE00D:
                return value
            nested = length == UNDEFINED
            position = self.skip_undefined(value, vr=vr, depth=depth + 1) if nested else value + length

    def collect(self, position: int, wanted: frozenset[int]) -> tuple[dict[int, bytes], PixelElement | None, bool]:
        values: dict[int, bytes] = {}
        floating = False
        while position < self.end:
            if self.end - position < 8 and not self.data[position:].strip(b"\0"):
                break  # trailing padding of a disk block
            tag, vr, length, value = self.head(position)
            if tag == PIXEL_DATA:
                return values, PixelElement(offset=value, length=None if length == UNDEFINED else length), floating
            floating = floating or tag in FLOAT_PIXEL_DATA
            if length == UNDEFINED:
                position = self.skip_undefined(value, vr=vr)
                continue
            position = value + length
            if position > self.end:
                raise _damaged("truncated-file", "the file ends inside its header")
            if tag in wanted:
                values[tag] = self.data[value:position]
        return values, None, floating


def _meta(data: bytes) -> tuple[dict[int, bytes], int]:
    """File meta information (always explicit little endian, PS3.10 7.1) and where the data set starts."""
    values: dict[int, bytes] = {}
    walk, position = _Walk(data, explicit=True, big=False), 132
    while position + 8 <= walk.end and data[position : position + 2] == b"\x02\x00":
        tag, _, length, value = walk.head(position)
        position = value + length
        if length == UNDEFINED or position > walk.end:
            raise _damaged("truncated-file", "the file ends inside its header")
        values[tag] = data[value:position]
    return values, position


def _start(data: bytes) -> tuple[dict[int, bytes], int, str]:
    """(meta values, start of the data set, transfer syntax), or an error naming what the file is."""
    if not data.strip(b"\0"):
        raise _damaged("empty-file", "the file is empty")
    if data[128:132] == b"DICM":
        meta, start = _meta(data)
        syntax = meta.get(0x00020010, b"").strip(b" \0").decode("ascii", "replace")
        if syntax:
            return meta, start, syntax
    elif data[0:2] == b"\x08\x00" and len(data) > 16:
        meta, start = {}, 0  # a bare data set, as some archives export it
    else:
        raise UnsupportedDataError("not-dicom", "the file is not DICOM", "")
    explicit = data[start + 4 : start + 6].isalpha() and data[start + 4 : start + 6].isupper()
    return meta, start, "1.2.840.10008.1.2.1" if explicit else IMPLICIT


def open_body(data: bytes) -> tuple[bytes, int, str, dict[int, bytes]]:
    """(bytes that element offsets refer to, start of the data set in them, transfer syntax, meta values).

    The bytes are the file itself, except for the deflated encoding, where they are the inflated data set.

    Raises
    ------
    UnsupportedDataError
        ``"empty-file"``, ``"not-dicom"``, ``"truncated-file"``, ``"unreadable-dicom"``.
    """
    meta, start, syntax = _start(data)
    if syntax != DEFLATED:
        return data, start, syntax, meta
    inflater = zlib.decompressobj(-15)
    try:
        body = inflater.decompress(data[start:], MAXIMUM_INFLATED_BYTES)
    except zlib.error:
        raise _damaged("truncated-file", "its deflated content is damaged") from None
    if not inflater.eof:
        raise _damaged("truncated-file", "its deflated content is incomplete or too large")
    return body, 0, syntax, meta


def read_elements(data: bytes, wanted: frozenset[int]) -> Elements:
    """Values of the `wanted` top-level tags of a DICOM file.

    Parameters
    ----------
    data : bytes
        The whole file.
    wanted : frozenset of int
        Tags, ``group << 16 | element``.

    Raises
    ------
    UnsupportedDataError
        As `open_body`.
    """
    body, start, syntax, meta = open_body(data)
    big = syntax == BIG_ENDIAN
    values, pixels, floating = _Walk(body, explicit=syntax != IMPLICIT, big=big).collect(start, wanted)
    return Elements(
        transfer_syntax=syntax, values=meta | values, big_endian=big, pixels=pixels, has_float_pixels=floating
    )
