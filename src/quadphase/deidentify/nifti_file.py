"""Open a NIfTI file: header, extensions, the voxels chunk by chunk, and every byte between and behind them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.regions import OVERLAP_BYTES, TOO_LARGE, Flaw, Nature, Part, Region, joined, outside

__all__ = ["is_nifti", "open_nifti"]


LARGEST_CODE: Final = 1000
"""Codes of extensions are given out by twos and had reached 44 in 2024 (nifti1_io.h)."""


def is_nifti(data: bytes | memoryview) -> bool:
    """NIfTI-1 or -2 in one file, either byte order (magic and header size)."""
    if data[344:348] == b"n+1\0":
        return True
    return data[4:8] == b"n+2\0" and len(data) >= 544


def open_nifti(chunks: Iterator[bytes | memoryview], place: str) -> Iterator[Part]:
    """Header with everything before the voxels (extensions, stray bytes), the voxels, and what follows them.

    Parameters
    ----------
    chunks : iterator of bytes or memoryview
        The file, the first chunk with its header; each may be overwritten by the next, and from the second on they
        begin with the last `OVERLAP_BYTES` of the one before. Voxels are passed on chunk by chunk, before the next is
        unpacked: memory stays flat, and what is searched is in the cache.
    place : str
    """
    where = f"{place} > NIfTI".removeprefix(" > ")
    first = next(chunks)
    layout = _nifti_layout(first)
    if layout is None or layout[1] > len(first):
        whole = joined(first, chunks)
        if whole is None:
            yield Flaw(place=where, reason=TOO_LARGE)
            return
        first = whole
    if layout is None:
        yield Region(data=first, nature=Nature.TEXT, place=where)
        return
    size, start, stop = layout
    yield Region(data=bytes(first[:size]), nature=Nature.TEXT, place=f"{where} header")
    yield from _extensions(bytes(first[size:start]), "<" if _is_little(first) else ">", f"{where} before the voxels")
    chunk, left, repeated = memoryview(first)[start:], max(0, stop - start), 0
    while len(chunk) - repeated < left:
        yield Region(data=chunk, nature=Nature.VOXELS, place=f"{where} voxels", repeated=repeated)
        left -= len(chunk) - repeated
        repeated = OVERLAP_BYTES
        chunk = memoryview(next(chunks, b""))
        if not chunk:
            return
    end = repeated + left
    yield Region(data=chunk[:end], nature=Nature.VOXELS, place=f"{where} voxels", repeated=repeated)
    rest = joined(chunk[end:], chunks)
    if rest is None:
        yield Flaw(place=f"{where} after the voxels", reason=TOO_LARGE)
    elif rest:
        yield rest, f"{where} after the voxels"


def _extensions(gap: bytes, order: str, place: str) -> Iterator[Part]:
    """Contents of the extensions, which may embed anything (code 2 holds DICOM), and the bytes that are none.

    Each begins with its size, a multiple of 16 that counts these 8 bytes too, and its code; four bytes stand before
    the first.
    """
    spans: list[tuple[int, int]] = []
    at = 4
    while at + 8 <= len(gap):
        size, code = struct.unpack_from(f"{order}2i", gap, at)
        if size < 16 or size % 16 or not 0 <= code <= LARGEST_CODE:
            break  # stray bytes
        spans.append((at + 8, min(at + size, len(gap))))
        at += size
    for number, (start, stop) in enumerate(spans, start=1):
        yield gap[start:stop], f"{place} > extension {number}"
    yield outside(gap, spans), place


def _is_little(data: bytes | memoryview) -> bool:
    """Whether the size of the header, its first field, is little endian."""
    return struct.unpack_from("<i", data)[0] in (348, 540)


def _nifti_layout(data: bytes | memoryview) -> tuple[int, int, int] | None:
    """(size of the header, start and end of the voxels) as the header says; None where it says nonsense."""
    second = data[4:8] == b"n+2\0"
    size = 540 if second else 348
    order = "<" if _is_little(data) else ">"
    try:
        if second:
            dims = struct.unpack_from(f"{order}8q", data, 16)
            (bits,) = struct.unpack_from(f"{order}h", data, 14)
            (offset,) = struct.unpack_from(f"{order}q", data, 168)
        else:
            dims = struct.unpack_from(f"{order}8h", data, 40)
            (bits,) = struct.unpack_from(f"{order}h", data, 72)
            offset = int(struct.unpack_from(f"{order}f", data, 108)[0])
    except (struct.error, ValueError, OverflowError):
        return None
    count = 1
    for length in dims[1 : 1 + max(0, min(7, dims[0]))]:
        count *= max(0, length)
    start = max(offset, size)
    return size, start, start + count * max(bits, 8) // 8
