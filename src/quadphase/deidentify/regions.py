"""`Region`: a stretch of bytes with a name and a nature, and `Flaw`: a stretch that could not be opened.

A file is taken apart into regions until nothing is compressed any more (`unpacking`). The nature decides how short an
identifier may be to count (see `matcher`): chance writes short numbers into pixels and compressed bytes all the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Flaw", "Nature", "Region"]


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
        A memoryview only for voxels.
    nature : Nature
    place : str
        Where within the file, in words without any content: ``"gzip comment"``, ``"member 3 > header"``.
    words_only : bool
        Whether what stood around numbers has been taken away, so that only words and codes can be judged.
    """

    data: bytes | memoryview
    nature: Nature
    place: str
    words_only: bool = False

    def __repr__(self) -> str:
        return f"Region({self.nature.value}, {len(self.data)} bytes, {self.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A part that could not be opened, so nothing is proved about it."""

    place: str
    reason: str
