"""Open images and arrays (NIfTI, PNG, JPEG, DICOM, NumPy): their text is searched as text, their pixels as pixels."""

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

from quadphase.deidentify.regions import OVERLAP_BYTES, TOO_LARGE, Flaw, Nature, Part, Region, joined

__all__ = [
    "is_dicom", "is_jpeg", "is_nifti", "is_npy", "is_png", "open_dicom", "open_jpeg", "open_nifti", "open_npy",
    "open_png",
]  # fmt: skip

PIXEL_DATA: Final = 0x7FE00010
LONGEST_NPY_HEADER: Final = 10_000
"""As NumPy's own reader: parsing a longer one could exhaust the memory."""


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
    if start > size:
        # Extensions may embed anything (code 2 holds DICOM): take them apart like files of their own.
        yield bytes(first[size:start]), f"{where} before the voxels"
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


def _nifti_layout(data: bytes | memoryview) -> tuple[int, int, int] | None:
    """(size of the header, start and end of the voxels) as the header says; None where it says nonsense."""
    second = data[4:8] == b"n+2\0"
    size = 540 if second else 348
    order = "<" if struct.unpack_from("<i", data)[0] == size else ">"
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
        count *= max(1, length)
    start = max(offset, size)
    return size, start, start + count * max(bits, 8) // 8


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
            yield Region(data=body, nature=Nature.TEXT, place=f"{where} {name}")
            text = _inflated(body[_compressed_at(kind, body) :])
            if text:
                yield text, f"{where} {name}"
        elif kind != b"IHDR":
            yield Region(data=body, nature=Nature.TEXT, place=f"{where} {name}")
        if kind == b"IEND":
            break
    if pixels:
        image = _inflated(b"".join(pixels))
        if image is None:
            yield Flaw(place=f"{where} pixels", reason="damaged PNG data")
        else:
            yield Region(data=image, nature=Nature.VOXELS, place=f"{where} pixels")
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


def _inflated(data: bytes) -> bytes | None:
    if not data:
        return b""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data) + inflater.flush()
    except zlib.error:
        return None
    return inflated + inflater.unused_data


def is_jpeg(data: bytes) -> bool:
    return data[:3] == b"\xff\xd8\xff"


def open_jpeg(data: bytes, place: str) -> Iterator[Part]:
    """Everything before the scan data (EXIF, comments) and after the end as text; the scan data as opaque bytes."""
    where = f"{place} > JPEG".removeprefix(" > ")
    scan = data.find(b"\xff\xda")
    end = data.rfind(b"\xff\xd9")
    scan = len(data) if scan < 0 else scan
    end = max(scan, end)
    yield Region(data=data[:scan], nature=Nature.TEXT, place=f"{where} header")
    yield Region(data=data[scan:end], nature=Nature.OPAQUE, place=f"{where} scan")
    yield Region(data=data[end:], nature=Nature.TEXT, place=f"{where} after the end")


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
    if dtype.kind in "UM":
        yield "\n".join(array.astype(str).tolist()).encode("utf-8", "replace"), where
    else:
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
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        data = data[:length] + inflater.decompress(data[length:]) + inflater.unused_data
        if not inflater.eof:
            raise EOFError("the deflated data set ends too early")
    start = data.find(value) if isinstance(value, bytes) and len(value) > 0 else -1
    if start < 0 or not isinstance(value, bytes):
        yield Region(data=data, nature=Nature.TEXT, place=f"{where} data set")
        return
    nature = Nature.OPAQUE if syntax.is_compressed and not is_deflated else Nature.VOXELS
    yield Region(data=data[:start], nature=Nature.TEXT, place=f"{where} data set")
    yield Region(data=value, nature=nature, place=f"{where} pixels")
    yield Region(data=data[start + len(value) :], nature=Nature.TEXT, place=f"{where} after the pixels")
