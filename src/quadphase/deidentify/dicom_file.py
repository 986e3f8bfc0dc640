"""`read_dicom`: a DICOM file whole, or the reason why not: no DICOM, cut short, or larger than a memory."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

__all__ = ["TooLargeError", "read_dicom"]

PIECE_BYTES: Final = 1 << 20
LARGEST: Final = 2 << 30
"""Bytes of a file, inflated: a CT series in one file (Enhanced CT, 1,000 slices) has half a gigabyte."""


class TooLargeError(ValueError):
    """A file that would fill the memory."""


def read_dicom(path: Path) -> FileDataset | None:
    """A DICOM file with pixel or other data; None for what is none (DICOMDIR included)."""
    with path.open("rb") as stream:
        head = stream.read(132)
    named = path.suffix.lower() in (".dcm", ".dicom", ".ima")
    if head[128:] != b"DICM" and not named:
        return None
    if head[128:] != b"DICM":
        raise ValueError("no DICOM prefix")
    if path.stat().st_size > LARGEST or _inflates_beyond(path):
        raise TooLargeError(f"it has more than {LARGEST >> 30} GiB")
    source = dcmread(path)
    if source.file_meta.get("MediaStorageSOPClassUID", "") == "1.2.840.10008.1.3.10":
        return None
    if "PixelData" in source and source.get_item("PixelData").value is None:
        raise ValueError("no pixel data")
    _require_whole(source)
    return source


def _inflates_beyond(path: Path) -> bool:
    """Whether a deflated file (PS3.5 A.5) is a bomb: inflated piece by piece, and nothing of it kept."""
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return False
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as stream:
        # Preamble, prefix and the group length element (PS3.10 7.1) stand before the group it measures.
        stream.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
        while size <= LARGEST and (piece := inflater.unconsumed_tail or stream.read(PIECE_BYTES)):
            size += len(inflater.decompress(piece, PIECE_BYTES))
    return size > LARGEST


def _require_whole(source: Dataset) -> None:
    """A file cut short reads without an error; its pixel data then are too short."""
    syntax = source.file_meta.TransferSyntaxUID
    if "PixelData" not in source or syntax.is_compressed:
        return
    needed = (
        int(source.Rows) * int(source.Columns) * int(source.get("SamplesPerPixel", 1)) * int(source.BitsAllocated) // 8
    )
    if len(source.PixelData) < needed * int(source.get("NumberOfFrames", 1) or 1):
        raise EOFError("pixel data end too early")
