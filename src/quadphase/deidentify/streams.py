"""Open bzip2, xz, lzma and zlib: one stream, and what follows it; name what is packed as nothing here can open."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from quadphase.deidentify.regions import LARGEST, TOO_LARGE, Flaw, Nature, Part, Region

__all__ = [
    "inflate", "is_bzip2", "is_lzma", "is_sealed", "is_xz", "is_zlib", "open_bzip2", "open_lzma", "open_sealed",
    "open_xz", "open_zlib", "stream_end", "zlib_end",
]  # fmt: skip

TRIAL: Final = 4096
"""Bytes that show whether a stream is one: chance passes far fewer (a block of deflate ends or fails within tens)."""
PIECE: Final = 1 << 20

_SEALED: Final = re.compile(
    rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|\x1f\x9d[\x89-\x90]|\x89HDF\r\n\x1a\n"
)
"""7z, rar, zstd, lz4 frames, compress (.Z), HDF5."""


def is_bzip2(data: bytes) -> bool:
    return data[:3] == b"BZh" and data[4:10] == b"1AY&SY"


def open_bzip2(data: bytes, place: str) -> Iterator[Part]:
    yield from _streams(data, place, "bzip2", bz2.BZ2Decompressor)


def is_xz(data: bytes) -> bool:
    return data[:6] == b"\xfd7zXZ\0"


def open_xz(data: bytes, place: str) -> Iterator[Part]:
    yield from _streams(data, place, "xz", lzma.LZMADecompressor)


def is_lzma(data: bytes) -> bool:
    """The format before xz, which has no magic: usual properties, a dictionary of whole KiB, and data that unpack."""
    if data[:2] != b"]\0" or len(data) < 14:
        return False
    try:
        return bool(lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data[:TRIAL], TRIAL))
    except lzma.LZMAError:
        return False


def open_lzma(data: bytes, place: str) -> Iterator[Part]:
    yield from _streams(data, place, "lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE))


def is_zlib(data: bytes) -> bool:
    """A whole zlib stream (RFC 1950): its header is two bytes only, so its checksum must be right too."""
    return len(data) > 8 and data[0] & 0x8F == 8 and int.from_bytes(data[:2]) % 31 == 0 and zlib_end(data, 0) > 0


def zlib_end(data: bytes, start: int) -> int:
    """Where the zlib stream that begins at `start` ends; 0 where none begins or its checksum is another."""
    from isal.igzip_lib import DECOMP_ZLIB, IgzipDecompressor

    stop, is_whole = stream_end(data, start, IgzipDecompressor(DECOMP_ZLIB))
    return stop if is_whole else 0


def stream_end(data: bytes, start: int, inflater: Any) -> tuple[int, bool]:
    """How far a stream goes that begins at `start`, and whether it ends there; the contents are dropped.

    Parameters
    ----------
    data : bytes
    start : int
    inflater : decompressor
        As `bz2.BZ2Decompressor`.

    Returns
    -------
    int
        Its end, or the end of the data; `start` where they are no such stream.
    bool
    """
    from isal.igzip_lib import IsalError

    damaged: type[Exception] = IsalError  # type: ignore[assignment]  # declared as an instance
    at = start
    try:
        while not inflater.eof and (at < len(data) or not inflater.needs_input):
            packed = data[at : at + (TRIAL if at == start else PIECE)] if inflater.needs_input else b""
            inflater.decompress(packed, PIECE)
            at += len(packed)
    except (damaged, OSError, EOFError, lzma.LZMAError):
        return start, False
    return at - len(inflater.unused_data), inflater.eof


def open_zlib(data: bytes, place: str) -> Iterator[Part]:
    where = f"{place} > zlib".removeprefix(" > ")
    contents, rest = inflate(data)
    yield contents, where
    yield rest, f"{where} end"


def inflate(data: bytes, *, bare: bool = False) -> tuple[bytes, bytes]:
    """Contents of a zlib stream and what follows it.

    Parameters
    ----------
    data : bytes
    bare : bool
        Deflate without header and checksum (RFC 1951).

    Raises
    ------
    zlib.error
        If it is damaged.
    EOFError
        If it ends too early.
    OverflowError
        If it unpacks to more than `LARGEST` bytes.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
    contents = inflater.decompress(data, LARGEST + 1)
    if len(contents) > LARGEST:
        raise OverflowError(TOO_LARGE)
    if not inflater.eof:
        raise EOFError("the stream ends too early")
    return contents, inflater.unused_data


def is_sealed(data: bytes) -> bool:
    """7z, rar, zstd, lz4, compress or HDF5: packed, or perhaps packed inside, in a way that cannot be opened here."""
    return _SEALED.match(data) is not None


def open_sealed(data: bytes, place: str) -> Iterator[Part]:
    yield Flaw(place=place, reason="packed in a way that cannot be opened")
    yield Region(data=data, nature=Nature.OPAQUE, place=place or "contents")


def _streams(data: bytes, place: str, kind: str, decompressor: Callable[[], Any]) -> Iterator[Part]:
    """Streams one after the other, which every reader takes for one; then what is none."""
    where = f"{place} > {kind}".removeprefix(" > ")
    rest, size = data, 0
    contents: list[bytes] = []
    try:
        while rest:
            inflater = decompressor()
            contents.append(inflater.decompress(rest, LARGEST + 1 - size))
            size += len(contents[-1])
            if size > LARGEST:
                yield Flaw(place=where, reason=TOO_LARGE)
                return
            if not inflater.eof:
                yield Flaw(place=where, reason=f"{kind} data ends too early")
                break
            rest = inflater.unused_data
    except (OSError, EOFError, lzma.LZMAError):
        if contents:
            yield rest, f"{where} end"
        else:
            yield Flaw(place=where, reason=f"damaged {kind} data")
            yield Region(data=rest, nature=Nature.OPAQUE, place=where)
    yield b"".join(contents), where
