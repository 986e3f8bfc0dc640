"""`Region`: a stretch of bytes with a name and a nature, and `Flaw`: a stretch that could not be opened.

A file is taken apart into regions until nothing is compressed any more (`unpacking`). The nature decides how short an
identifier may be to count (see `matcher`): chance writes short numbers into pixels and compressed bytes all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = [
    "CHUNK_BYTES", "LARGEST", "OVERLAP_BYTES", "TOO_LARGE", "Flaw", "Nature", "Part", "Region", "joined",
    "outside",
]  # fmt: skip

CHUNK_BYTES: Final = 4 << 20
"""What is searched at a time of data that are unpacked while they are searched: it stays in the cache."""
OVERLAP_BYTES: Final = 16 << 10
"""Of the chunk before that each chunk repeats; an identifier is far shorter in every spelling."""

LARGEST: Final = 2 << 30
"""Contents that unpack to more bytes than this, and are no voxels, are not searched; the scan says so."""
TOO_LARGE: Final = f"more than {LARGEST >> 30} GiB when unpacked"


class Nature(Enum):
    """What kind of bytes a region holds."""

    NAME = "name"
    """Name of a file, folder or archive member."""
    TEXT = "text"
    """Text, or a header with text fields."""
    OPAQUE = "opaque"
    """Binary data of unknown meaning."""
    VOXELS = "voxels"
    """Pixels or voxels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Bytes to be searched.

    Parameters
    ----------
    data : bytes or memoryview
        A memoryview only for voxels; search it before asking for the next region, which may overwrite it.
    nature : Nature
    place : str
        Where within the file, in words without any content: ``"gzip comment"``, ``"member 3 > header"``.
    words_only : bool
        Whether what stood around numbers has been taken away, so that only words and codes can be judged.
    repeated : int
        Bytes that other regions hold too, so that the border between two chunks hides nothing.
    """

    data: bytes | memoryview
    nature: Nature
    place: str
    words_only: bool = False
    repeated: int = 0

    def __repr__(self) -> str:
        return f"Region({self.nature.value}, {len(self.data)} bytes, {self.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A part that could not be opened, so nothing is proved about it."""

    place: str
    reason: str


Part = Region | Flaw | tuple[bytes | Iterator[bytes], str]
"""A region ready to be searched, something that could not be opened, or bytes to be taken apart further and their
place; bytes come in pieces where they are unpacked on the way."""


def joined(first: bytes | memoryview, chunks: Iterator[bytes | memoryview]) -> bytes | None:
    """All chunks as one, each but the first without what it repeats; None where they are more than `LARGEST`."""
    gathered, size = [bytes(first)], len(first)
    for chunk in chunks:
        gathered.append(bytes(chunk[OVERLAP_BYTES:]))
        size += len(gathered[-1])
        if size > LARGEST:
            return None
    return b"".join(gathered)


def outside(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Bytes that lie in none of the spans, with a line break where one was left out."""
    pieces, at = [], 0
    for start, stop in sorted(spans):
        pieces.append(data[at : max(at, start)])
        at = max(at, stop)
    pieces.append(data[at:])
    return b"\n".join(pieces)
