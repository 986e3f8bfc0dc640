"""Take bytes apart until nothing is packed any more: containers, images, text within text.

`regions` looks at what bytes are, never at what a file is called, and gives every byte of a container to exactly one
region: what lies between members, after the end, or in a header is searched like the contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

import numpy as np

from quadphase.deidentify import archives, nifti_file, pdf_file, pictures, streams
from quadphase.deidentify.embedded import packed_within
from quadphase.deidentify.plain_text import is_text
from quadphase.deidentify.regions import CHUNK_BYTES, OVERLAP_BYTES, TOO_LARGE, Flaw, Nature, Part, Region, joined
from quadphase.deidentify.text_layers import layers

__all__ = ["name_regions", "regions"]

DEEPEST: Final = 8
"""Containers in containers beyond this are not opened; the scan says so."""
Opener = Callable[[bytes, str], Iterator[Part]]

_OPENERS: Final[tuple[tuple[Callable[[bytes], bool], Opener], ...]] = (
    (archives.is_gzip, archives.open_gzip),
    (archives.is_zip, archives.open_zip),
    (archives.is_tar, archives.open_tar),
    (streams.is_bzip2, streams.open_bzip2),
    (streams.is_xz, streams.open_xz),
    (streams.is_lzma, streams.open_lzma),
    (streams.is_zlib, streams.open_zlib),
    (streams.is_sealed, streams.open_sealed),
    (pictures.is_png, pictures.open_png),
    (pictures.is_dicom, pictures.open_dicom),
    (pictures.is_npy, pictures.open_npy),
    (pictures.is_jpeg, pictures.open_jpeg),
    (pdf_file.is_pdf, pdf_file.open_pdf),
)


def regions(data: bytes | Iterator[bytes], place: str = "", depth: int = 0) -> Iterator[Region | Flaw]:
    """Regions of some bytes; what no opener foresaw is a `Flaw`, and the bytes are searched as they are.

    Parameters
    ----------
    data : bytes or iterator of bytes
        Pieces are joined, except for voxels.
    place : str
        Prefix of the regions' places.
    depth : int
        How many containers are around it.
    """
    whole = data if isinstance(data, bytes) else None
    try:
        chunks: Iterator[bytes | memoryview] = iter([data]) if isinstance(data, bytes) else _chunks(data)
        first = next(chunks, b"")
        if not first:
            return
        if depth > DEEPEST:
            yield Flaw(place=place, reason=f"more than {DEEPEST} containers inside each other")
            return
        if nifti_file.is_nifti(first):
            yield from _opened(nifti_file.open_nifti(chain([first], chunks), place), depth)
            return
        whole = joined(first, chunks)
        if whole is None:
            yield Flaw(place=place, reason=TOO_LARGE)
            return
        for inner in (whole, whole.lstrip(b"\0")) if whole[0] == 0 else (whole,):
            for recognises, opener in _OPENERS:
                if recognises(inner):
                    yield from _opened(opener(inner, place), depth)
                    return
        nature = Nature.TEXT if is_text(whole) else Nature.OPAQUE
        yield from _text(Region(data=whole, nature=nature, place=place or "contents"), depth)
    except Exception as error:  # libraries raise any kind for what is damaged, and one odd file must not end a scan
        yield Flaw(place=place, reason=f"cannot be opened ({type(error).__name__})")
        if whole is not None:
            yield Region(data=whole, nature=Nature.TEXT, place=place or "contents")


def name_regions(name: bytes) -> Iterator[Region]:
    """Readings of the name of a file: as it stands, and as a text."""
    parts = _text(Region(data=name, nature=Nature.NAME, place="name"), 0)
    yield from (part for part in parts if isinstance(part, Region))


def _opened(parts: Iterator[Part], depth: int) -> Iterator[Region | Flaw]:
    for part in parts:
        if isinstance(part, tuple):
            yield from regions(part[0], part[1], depth + 1)
        elif isinstance(part, Region) and part.nature is not Nature.VOXELS:
            yield from _text(part, depth)
        else:
            yield part


def _chunks(pieces: Iterator[bytes]) -> Iterator[memoryview]:
    """The same bytes in chunks of `CHUNK_BYTES`, the last one smaller; each is overwritten by the next.

    From the second on, a chunk begins with the last `OVERLAP_BYTES` of the one before, so that their border hides
    nothing. One buffer serves all: taking and returning memory would cost a third of the time of a scan (measured).
    """
    buffer = np.empty(CHUNK_BYTES, np.uint8).data
    used = old = 0
    for piece in pieces:
        at = 0
        while at < len(piece):
            count = min(len(piece) - at, CHUNK_BYTES - used)
            buffer[used : used + count] = memoryview(piece)[at : at + count]
            used, at = used + count, at + count
            if used == CHUNK_BYTES:
                yield buffer
                buffer[:OVERLAP_BYTES] = buffer[-OVERLAP_BYTES:]
                used = old = OVERLAP_BYTES
    if used > old:
        yield buffer[:used]


def _text(region: Region, depth: int) -> Iterator[Region | Flaw]:
    """The region, what is packed within it, and what a text says when its escapes, markup and codes are undone."""
    yield region
    data = bytes(region.data)
    for start, stop in packed_within(data):
        yield from regions(data[start:stop], f"{region.place} > packed within", depth + 1)
    if region.nature is Nature.OPAQUE:
        return
    for layer in layers(region):
        if isinstance(layer, Region):
            yield layer
        else:
            yield from regions(layer[0], layer[1], depth + 1)
