"""Take bytes apart until nothing is packed any more: containers, images, text within text.

`regions` looks at what bytes are, never at what a file is called, and gives every byte of a container to exactly one
region: what lies between members, after the end, or in a header is searched like the contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from quadphase.deidentify import archives, pictures, text_layers
from quadphase.deidentify.regions import Flaw, Nature, Region

__all__ = ["regions"]

DEEPEST: Final = 8
"""Containers in containers beyond this are not opened; the scan says so."""

Opener = Callable[[bytes, str], Iterator["Region | Flaw | tuple[bytes, str]"]]

_OPENERS: Final[tuple[tuple[Callable[[bytes], bool], Opener], ...]] = (
    (archives.is_gzip, archives.open_gzip),
    (archives.is_zip, archives.open_zip),
    (archives.is_tar, archives.open_tar),
    (archives.is_bzip2, archives.open_bzip2),
    (archives.is_xz, archives.open_xz),
    (pictures.is_nifti, pictures.open_nifti),
    (pictures.is_png, pictures.open_png),
    (pictures.is_dicom, pictures.open_dicom),
    (pictures.is_npy, pictures.open_npy),
    (pictures.is_jpeg, pictures.open_jpeg),
    (text_layers.is_pdf, text_layers.open_pdf),
)


def regions(data: bytes, place: str = "", depth: int = 0) -> Iterator[Region | Flaw]:
    """Regions of some bytes.

    Parameters
    ----------
    data : bytes
    place : str
        Prefix of the regions' places.
    depth : int
        How many containers are around it.
    """
    if not data:
        return
    if depth > DEEPEST:
        yield Flaw(place=place, reason=f"more than {DEEPEST} containers inside each other")
        return
    for recognises, opener in _OPENERS:
        if recognises(data):
            for part in opener(data, place):
                if isinstance(part, tuple):
                    yield from regions(part[0], part[1], depth + 1)
                elif isinstance(part, Region) and part.nature is Nature.TEXT:
                    yield from _text(part, depth)
                else:
                    yield part
            return
    nature = Nature.TEXT if text_layers.is_text(data) else Nature.OPAQUE
    yield from _text(Region(data=data, nature=nature, place=place or "contents"), depth)


def _text(region: Region, depth: int) -> Iterator[Region | Flaw]:
    """The region, then what it says when its escapes, markup and encoded parts are undone."""
    yield region
    if region.nature is not Nature.TEXT:
        return
    for layer in text_layers.layers(region):
        if isinstance(layer, Region):
            yield layer
        else:
            yield from regions(layer[0], layer[1], depth + 1)
