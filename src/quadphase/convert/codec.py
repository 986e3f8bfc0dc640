"""Compressed slices to stored values: one decoder for each encoding, asked only after the stream was checked.

Decoders are native code and believe what a stream says. So the size, depth and number of components that the stream
declares are compared with the DICOM header first; what disagrees is refused before any decoder sees it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.header import SliceHeader
from quadphase.errors import UnsupportedDataError

__all__ = ["DECODERS", "decode", "reading"]

EXTENDED_JPEG: Final = "1.2.840.10008.1.2.4.51"
RLE: Final = "1.2.840.10008.1.2.5"
DECODERS: Final[dict[str, str]] = {
    "1.2.840.10008.1.2.4.50": "gdcm",
    EXTENDED_JPEG: "imagecodecs",
    "1.2.840.10008.1.2.4.57": "gdcm",
    "1.2.840.10008.1.2.4.70": "gdcm",
    "1.2.840.10008.1.2.4.80": "gdcm",
    "1.2.840.10008.1.2.4.81": "gdcm",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
    RLE: "pydicom",
}
"""Decoder of each encoding (PS3.5 chapter 10), by pydicom's names: one, never whichever works. Fuzzing chose two of
them: the compiled RLE decoder panics on damaged data (pydicom costs 2 ms a slice more), and pyjpegls spends seconds
on a damaged stream of 40 × 32 pixels where GDCM gives up at once."""

END_OF_IMAGE: Final = b"\xff\xd9"
"""EOI of JPEG and JPEG-LS, EOC of JPEG 2000."""
FRAME_MARKERS: Final = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7))
"""Start-of-frame markers of JPEG (ISO 10918-1 B.1.1.3) and JPEG-LS (ISO 14495-1)."""


def _damaged(message: str) -> UnsupportedDataError:
    return UnsupportedDataError("undecodable-pixels", message, "Export or copy the file again")


def declared_size(stream: bytes) -> tuple[int, int, int, int]:
    """(rows, columns, components, bits) that a JPEG, JPEG-LS or JPEG 2000 stream declares.

    Raises
    ------
    UnsupportedDataError
        ``"undecodable-pixels"`` for a stream without a readable declaration.
    """
    if stream[:4] == b"\xff\x4f\xff\x51" and len(stream) >= 43:  # SOC, SIZ (ISO 15444-1 A.5.1)
        right, bottom, left, top = struct.unpack_from(">IIII", stream, 8)
        return bottom - top, right - left, struct.unpack_from(">H", stream, 40)[0], (stream[42] & 0x7F) + 1
    at = 2
    while stream[:2] == b"\xff\xd8" and at + 9 < len(stream):
        if stream[at] != 0xFF:
            break
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in FRAME_MARKERS:
            bits, rows, columns, components = struct.unpack_from(">BHHB", stream, at + 4)
            return rows, columns, components, bits
        at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    raise _damaged("the compressed stream does not say its size")


def _check(frame: bytes, header: SliceHeader) -> None:
    layout, plane = header.pixels, header.plane
    if not frame.rstrip(b"\0").endswith(END_OF_IMAGE):
        # OpenJPEG decodes what is there and leaves the rest of the image grey, without a word.
        raise _damaged("the compressed stream ends too early")
    rows, columns, components, bits = declared_size(frame)
    if (rows, columns, components) != (plane.rows, plane.columns, 1):
        raise _damaged("the compressed stream has another size than its header")
    if not layout.bits_stored - 1 <= bits <= layout.bits_allocated:
        raise _damaged("the compressed stream has another depth than its header")


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the disk refuses into the refusal of a file that was there when its header was read.

    Raises
    ------
    UnsupportedDataError
        ``"unreadable-file"``, without the file's name.
    """
    try:
        yield
    except OSError as error:
        text = f"a file cannot be read any more ({error.strerror})"
        raise UnsupportedDataError("unreadable-file", text, "Check its rights and the disk") from None


def _body(path: Path, offset: int, length: int | None) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read() if length is None else stream.read(length)


@lru_cache(maxsize=1)
def _frames(path: Path, offset: int, length: int | None, n_frames: int, _state: object) -> tuple[bytes, ...]:
    """Streams of all frames of a multi-frame file, kept until another is asked for: finding one means walking them all.

    Parameters
    ----------
    _state
        Size and time of the file: one that was written anew is read anew.
    """
    from pydicom.encaps import generate_frames

    return tuple(generate_frames(_body(path, offset, length), number_of_frames=n_frames))


def _frame(header: SliceHeader) -> bytes:
    """Bytes of one frame, fragments joined, end padding left on."""
    from pydicom.encaps import get_frame

    layout, path = header.pixels, header.origin.path
    with reading():
        if layout.n_frames == 1:
            body = _body(path, layout.offset, layout.length)
        else:
            state = path.stat()
            known = (state.st_size, state.st_mtime_ns)
            frames = _frames(path, layout.offset, layout.length, layout.n_frames, known)
            if header.origin.frame >= len(frames):
                raise _damaged("the compressed stream has fewer frames than its header says")
            return frames[header.origin.frame]
    return get_frame(body, 0, number_of_frames=1)


def decode(header: SliceHeader) -> NDArray[Any]:
    """Stored values of a compressed slice, ``(J, I)``.

    Raises
    ------
    UnsupportedDataError
        ``"undecodable-pixels"``, ``"unsupported-encoding"``, ``"unreadable-file"``.
    Exception
        Whatever a decoder raises; the caller names it.
    """
    layout, plane = header.pixels, header.plane
    frame = _frame(header)
    if layout.transfer_syntax != RLE:
        _check(frame, header)
    stored = _extended(frame) if layout.transfer_syntax == EXTENDED_JPEG else _by_pydicom(frame, header)
    if stored.shape != (plane.rows, plane.columns) or stored.dtype.kind not in "iu":
        raise _damaged("the decoded image has another size than its header")
    return stored


def _extended(frame: bytes) -> NDArray[Any]:
    try:
        from imagecodecs import jpeg_decode
    except ImportError:
        raise UnsupportedDataError("unsupported-encoding", "12-bit JPEG needs the package imagecodecs", "") from None
    return np.asarray(jpeg_decode(frame))


def _by_pydicom(frame: bytes, header: SliceHeader) -> NDArray[Any]:
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    layout, plane = header.pixels, header.plane
    options: dict[str, Any] = {
        "rows": plane.rows,
        "columns": plane.columns,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "photometric_interpretation": "MONOCHROME2",
        "pixel_keyword": "PixelData",
        "decoding_plugin": DECODERS[layout.transfer_syntax],
    }
    body = encapsulate([frame], has_bot=False)
    array, _ = get_decoder(layout.transfer_syntax).as_array(body, index=0, raw=True, **options)
    return np.asarray(array)
