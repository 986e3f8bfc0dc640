"""Packed data inside other bytes: a ZIP archive behind a script, a gzip member behind a picture, zlib in a TIFF.

What these bytes are is not known, and chance writes the first bytes of a packed stream into any megabyte of noise. So a
stream counts only where it unpacks to its end; everything is searched as it stands besides.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from quadphase.deidentify.archives import gzip_header
from quadphase.deidentify.streams import TRIAL, stream_end, zlib_end

__all__ = ["packed_within"]

# One set for all first bytes is sought three times as fast as a choice of beginnings (measured).
_BEGINNING: Final = re.compile(
    rb"[\x1fPB\xfd\x89%x](?:(?<=\x1f)\x8b\x08|(?<=P)K\x03\x04|(?<=B)Zh|(?<=\xfd)7zXZ\0|(?<=\x89)PNG\r\n|(?<=%)PDF-"
    rb"|(?<=x)[\x01\x5e\x9c\xda])"
)

LONG_DEFLATE: Final = 64
"""Bytes of deflate that chance does not get through: gzip beyond that is gzip, whatever its checksum says."""


UNKNOWN_FLAGS: Final = 0x20
"""Flags of a gzip member from here on must be zero (RFC 1952 2.3.1.2)."""


def packed_within(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end (half-open) of packed streams in `data`."""
    if data.isascii():  # as nothing is that was packed
        return
    at = 0
    while match := _BEGINNING.search(data, at):
        start, at = match.start(), match.start() + 1
        stop = _end(data, start, match[0])
        if stop > start:
            yield start, stop
            at = stop


def _end(data: bytes, start: int, beginning: bytes) -> int:
    """Where the stream ends that begins so; 0 where it is none."""
    match beginning:
        case b"PK\x03\x04":
            return _zip_end(data, start)
        case b"\x1f\x8b\x08":
            return _gzip_end(data, start)
        case b"BZh":
            return _stream_end(data, start, bz2.BZ2Decompressor())
        case b"\xfd7zXZ\0":
            return _stream_end(data, start, lzma.LZMADecompressor())
        case b"\x89PNG\r\n":
            end = data.find(b"IEND\xae\x42\x60\x82", start)
            return end + 8 if end > 0 else len(data)
        case b"%PDF-":
            return len(data)
    return zlib_end(data, start)


def _zip_end(data: bytes, start: int) -> int:
    """End of the last archive behind `start`; those before it are what that one begins with."""
    end = data.rfind(b"PK\x05\x06", start)
    if end < 0:
        return 0
    stop = end + 22 + int.from_bytes(data[end + 20 : end + 22], "little")
    try:
        with zipfile.ZipFile(io.BytesIO(data[start:stop])) as archive:
            return min(stop, len(data)) if archive.infolist() else 0
    except Exception:  # zipfile raises many kinds for what is no archive
        return 0


def _gzip_end(data: bytes, start: int) -> int:
    """End of a gzip member, also where it is cut, or damaged behind its data."""
    from isal.igzip_lib import DECOMP_DEFLATE, DECOMP_GZIP, IgzipDecompressor

    try:
        _, body, _ = gzip_header(data, start)
    except (IndexError, ValueError, struct.error):
        return 0
    if data[start + 3] < UNKNOWN_FLAGS:
        stop, is_whole = stream_end(data, body, IgzipDecompressor(DECOMP_DEFLATE))
        if stop - body > (LONG_DEFLATE if is_whole else TRIAL):
            return min(stop + 8, len(data))
        if stop > body and is_whole:
            return stream_end(data, start, IgzipDecompressor(DECOMP_GZIP))[0]
    return 0


def _stream_end(data: bytes, start: int, inflater: Any) -> int:
    stop, is_whole = stream_end(data, start, inflater)
    return stop if is_whole or stop - start > TRIAL else 0
