"""Open images and arrays (PNG, JPEG, DICOM, NumPy): their text is searched as text, their pixels as pixels."""

from __future__ import annotations

import ast
import io
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.deidentify.regions import TOO_LARGE, Flaw, Nature, Part, Region
from quadphase.deidentify.streams import inflate

__all__ = [
    "is_dicom", "is_jpeg", "is_npy", "is_png", "open_dicom", "open_jpeg", "open_npy", "open_png",
]  # fmt: skip

PIXEL_DATA: Final = 0x7FE00010
LONGEST_NPY_HEADER: Final = 10_000
"""As NumPy's own reader: parsing a longer one could exhaust the memory."""


def is_png(data: bytes) -> bool:
    return data[:8] == b"\x89PNG\r\n\x1a\n"


def open_png(data: bytes, place: str) -> Iterator[Part]:
    """Text chunks (tEXt, zTXt, iTXt), time, profiles and unknown chunks as text; pixels as pixels; bytes after IEND."""
    where = f"{place} > PNG".removeprefix(" > ")
    at, pixels = 8, []
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
        name = kind.decode("latin-1") if kind.isalpha() else "chunk"
        if kind == b"IDAT":
            pixels.append(body)
        elif kind == b"tIME" and length == 7:
            year, month, day, hour, minute, _ = struct.unpack(">H5B", body)
            stamp = f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
            yield Region(data=stamp.encode(), nature=Nature.TEXT, place=f"{where} time")
        elif kind in (b"zTXt", b"iCCP", b"iTXt"):
            begin = _compressed_at(kind, body)
            yield Region(data=body[:begin], nature=Nature.TEXT, place=f"{where} {name}")
            yield body[begin:], f"{where} {name}"
        elif kind != b"IHDR" or length != 13:
            yield Region(data=body, nature=Nature.TEXT, place=f"{where} {name}")
        if kind == b"IEND":
            break
    if pixels:
        yield from _pixels(b"".join(pixels), where)
    if at < len(data):
        yield data[at:], f"{where} after the end"


def _compressed_at(kind: bytes, body: bytes) -> int:
    """Where the compressed text of a chunk begins (PNG 3rd edition 11.3.3); its end where it is not compressed."""
    try:
        after_keyword = body.index(b"\0") + 1
        if kind != b"iTXt":
            return after_keyword + 1
        if body[after_keyword] == 0:
            return len(body)
        language = body.index(b"\0", after_keyword + 2) + 1
        return body.index(b"\0", language) + 1
    except (ValueError, IndexError):
        return len(body)


def _pixels(data: bytes, where: str) -> Iterator[Part]:
    try:
        image, rest = inflate(data)
    except (zlib.error, EOFError):
        yield Flaw(place=f"{where} pixels", reason="damaged PNG data")
        yield Region(data=data, nature=Nature.OPAQUE, place=f"{where} pixels")
        return
    except OverflowError:
        yield Flaw(place=f"{where} pixels", reason=TOO_LARGE)
        return
    yield Region(data=image, nature=Nature.VOXELS, place=f"{where} pixels")
    yield rest, f"{where} after the pixels"


def is_jpeg(data: bytes) -> bool:
    return data[:3] == b"\xff\xd8\xff"


def open_jpeg(data: bytes, place: str) -> Iterator[Part]:
    """Everything before the scan data (EXIF, comments) as text, the scan data as opaque bytes, and what follows."""
    where = f"{place} > JPEG".removeprefix(" > ")
    scan = _scan_of(data)
    end = data.find(b"\xff\xd9", scan) + 2  # scan data never hold this marker (ITU T.81 B.1.1.5)
    end = len(data) if end < 2 else end
    yield Region(data=data[:scan], nature=Nature.TEXT, place=f"{where} header")
    yield Region(data=data[scan:end], nature=Nature.OPAQUE, place=f"{where} scan")
    yield data[end:], f"{where} after the end"


def _scan_of(data: bytes) -> int:
    """Where the scan begins, behind segments that may hold pictures of their own; the end where none does."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b"\xd9", b""):
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    scan = at if data[at : at + 1] == b"\xff" else data.find(b"\xff\xda")
    return min(scan, len(data)) if scan >= 0 else len(data)


def is_npy(data: bytes) -> bool:
    return data[:6] == b"\x93NUMPY"


def open_npy(data: bytes, place: str) -> Iterator[Part]:
    """NumPy array: text and dates as text (they are stored as UTF-32 and as numbers), numbers as pixels, pickles as
    they are; the whole header as text.

    Raises
    ------
    EOFError, ValueError, SyntaxError, TypeError, KeyError
        For a header that says what the file does not hold, or nonsense.
    """
    where = f"{place} > array".removeprefix(" > ")
    start, dtype, count = _npy_layout(data)
    yield Region(data=data[:start], nature=Nature.TEXT, place=f"{where} header")
    if dtype.hasobject:
        yield Region(data=data[start:], nature=Nature.TEXT, place=where)
        return
    if not dtype.itemsize or not 0 <= count * dtype.itemsize <= len(data) - start:
        raise EOFError("the header promises another array")
    array: NDArray[Any] = np.ndarray((count,), dtype, data, start)
    for column in (array[name] for name in dtype.names) if dtype.names else (array,):
        if column.dtype.kind in "UM":
            yield "\n".join(column.astype(str).ravel().tolist()).encode("utf-8", "replace"), where
    if dtype.kind not in "UM":
        nature = Nature.VOXELS if dtype.kind in "iufcb" else Nature.TEXT
        yield Region(data=array.tobytes(), nature=nature, place=where)
    rest = data[start + array.nbytes :]
    if rest:
        yield rest, f"{where} end"


def _npy_layout(data: bytes) -> tuple[int, np.dtype[Any], int]:
    """(start of the values, their type, how many there are), as the header says (NEP 1)."""
    length_format, encoding = ("<H" if data[6] == 1 else "<I"), ("utf-8" if data[6] > 2 else "latin-1")
    start = 8 + struct.calcsize(length_format) + struct.unpack_from(length_format, data, 8)[0]
    if start > LONGEST_NPY_HEADER:
        raise ValueError("a header that long is not parsed")
    header = ast.literal_eval(data[8 + struct.calcsize(length_format) : start].decode(encoding).strip())
    return start, np.lib.format.descr_to_dtype(header["descr"]), math.prod(header["shape"])


def is_dicom(data: bytes) -> bool:
    return data[128:132] == b"DICM"


def open_dicom(data: bytes, place: str) -> Iterator[Part]:
    """Pixel data as pixels, everything else as text; a deflated data set is inflated first.

    Raises
    ------
    Exception
        pydicom raises many kinds for damaged files.
    """
    from pydicom import dcmread
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    where = f"{place} > DICOM".removeprefix(" > ")
    dataset = dcmread(io.BytesIO(data), defer_size=None)
    syntax = dataset.file_meta.TransferSyntaxUID
    value = dataset.get_item(PIXEL_DATA).value if PIXEL_DATA in dataset else None
    is_deflated = syntax == DeflatedExplicitVRLittleEndian
    if is_deflated:
        length = 132 + 12 + int(dataset.file_meta.FileMetaInformationGroupLength)
        contents, rest = inflate(data[length:], bare=True)
        data = data[:length] + contents
        yield rest, f"{where} after the data set"
    start = data.find(value) if isinstance(value, bytes) and len(value) > 0 else -1
    if start < 0 or not isinstance(value, bytes):
        yield Region(data=data, nature=Nature.TEXT, place=f"{where} data set")
        return
    nature = Nature.OPAQUE if syntax.is_compressed and not is_deflated else Nature.VOXELS
    yield Region(data=data[:start], nature=Nature.TEXT, place=f"{where} data set")
    yield Region(data=value, nature=nature, place=f"{where} pixels")
    yield data[start + len(value) :], f"{where} after the pixels"
