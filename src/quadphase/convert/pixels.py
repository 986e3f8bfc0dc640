"""Stored pixels to HU, slice by slice.

Uncompressed slices are read from their offset straight into the volume, everything else by `quadphase.convert.codec`.
Rescale is applied per slice. HU stay int16; a fractional rescale or values beyond int16 widen the volume to float32.
Padding keeps its rescaled value: changing it would be a repair.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.codec import DECODERS, EXTENDED_JPEG, RLE, decode, reading
from quadphase.convert.header import PixelLayout, SliceHeader
from quadphase.convert.isolated import decode_apart
from quadphase.errors import QuadphaseError, UnsupportedDataError
from quadphase.io.dicom_elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, inflated_body

__all__ = ["NATIVE", "Pixels", "load_hu", "stored_pixels"]

NATIVE: Final = frozenset((IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED))
RETIRED: Final[dict[str, str]] = {
    "1.2.840.10008.1.2.4.53": "JPEG spectral selection (process 6 and 8, retired)",
    "1.2.840.10008.1.2.4.55": "JPEG full progression (process 10 and 12, retired)",
}
INT16: Final = np.iinfo(np.int16)
TWO_BYTES: Final = (np.dtype("int16"), np.dtype("uint16"))
LITTLE_ENDIAN: Final = (IMPLICIT, EXPLICIT)


class TooWideError(Exception):
    """HU of a slice do not fit int16."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pixels:
    """Decoded slices.

    Parameters
    ----------
    hu : (K, J, I) ndarray of int16 or float32
    padding_hu : float or None
        HU that mark pixels outside the reconstruction, where the headers declare one.
    n_padding : int
        Pixels that have it.
    widened : str
        Why the volume is float32; empty for int16.
    masked : int
        Slices whose unused high bits were not empty and were cleared.
    """

    hu: NDArray[Any]
    padding_hu: float | None = None
    n_padding: int = 0
    widened: str = ""
    masked: int = 0


def refusal_of(layout: PixelLayout) -> str | None:
    """Why an encoding is refused, or None if it can be read."""
    syntax = layout.transfer_syntax
    if syntax == EXTENDED_JPEG and find_spec("imagecodecs") is None:
        return "12-bit JPEG, which needs the package imagecodecs"
    if syntax in NATIVE or syntax in DECODERS:
        return None
    return RETIRED.get(
        syntax, f"transfer syntax {syntax[:64]}" if syntax.replace(".", "").isdigit() else "unknown encoding"
    )


def stored_pixels(header: SliceHeader) -> NDArray[Any]:
    """Stored values of one slice, ``(J, I)`` integers, before rescale.

    Raises
    ------
    UnsupportedDataError
        ``"unsupported-encoding"``, ``"undecodable-pixels"``, ``"unreadable-file"``.
    """
    layout = header.pixels
    if (why := refusal_of(layout)) is not None:
        raise UnsupportedDataError("unsupported-encoding", f"pixels are encoded as {why}", "Export them uncompressed")
    try:
        if layout.transfer_syntax in NATIVE:
            return _native(header)
        return decode(header) if layout.transfer_syntax == RLE else decode_apart(header)
    except QuadphaseError:
        raise
    except Exception as error:  # decoders raise many kinds for damaged data
        raise UnsupportedDataError(
            "undecodable-pixels", f"pixels cannot be decoded ({type(error).__name__})", "Export or copy the file again"
        ) from None


def _native(header: SliceHeader) -> NDArray[Any]:
    layout, plane = header.pixels, header.plane
    count = plane.rows * plane.columns
    big = layout.transfer_syntax == BIG_ENDIAN
    kind = np.dtype(f"{'>' if big else '<'}{'i' if layout.signed else 'u'}{layout.bits_allocated // 8}")
    start = _start(header)
    with reading():
        if layout.transfer_syntax == DEFLATED:
            raw = inflated_body(header.origin.path.read_bytes())[start : start + count * kind.itemsize]
        else:
            with header.origin.path.open("rb", buffering=0) as stream:
                stream.seek(start)
                raw = stream.read(count * kind.itemsize)
    if len(raw) != count * kind.itemsize:
        raise UnsupportedDataError("truncated-file", "the file ends inside its pixels", "Copy it again")
    return np.frombuffer(raw, kind).reshape(plane.rows, plane.columns)


def _start(header: SliceHeader) -> int:
    """Offset of a slice's first stored value in its uncompressed body."""
    layout, plane = header.pixels, header.plane
    return layout.offset + header.origin.frame * plane.rows * plane.columns * (layout.bits_allocated // 8)


def _read_into(header: SliceHeader, out: NDArray[np.int16]) -> NDArray[Any]:
    """Read little endian 16-bit values into `out` and return them under their own type, in the same memory."""
    with reading():
        descriptor = os.open(header.origin.path, os.O_RDONLY)
        try:
            got = os.preadv(descriptor, [out.reshape(-1).view(np.uint8).data], _start(header))
        finally:
            os.close(descriptor)
    if got != out.nbytes:
        raise UnsupportedDataError("truncated-file", "the file ends inside its pixels", "Copy it again")
    return out.view(np.int16 if header.pixels.signed else np.uint16)


def _clean(stored: NDArray[Any], layout: PixelLayout) -> tuple[NDArray[Any], bool]:
    """Stored values with bits outside BitsStored cleared, and whether any were set; padding is left alone.

    Where HighBit is not the last bit of BitsStored, values are moved down to it. Above a negative value, both zeros and
    copies of its sign are empty bits.
    """
    bits, shift = layout.bits_stored, layout.high_bit - layout.bits_stored + 1
    if shift == 0 and bits == layout.bits_allocated:
        return stored, False
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if layout.signed else (0, (1 << bits) - 1)
    if shift == 0 and int(stored.min()) >= low and int(stored.max()) <= high:
        return stored, False
    whole = stored.astype(np.int64)
    moved = whole >> shift
    wide = moved & ((1 << bits) - 1)
    if layout.signed:
        wide = np.where(wide >= 1 << (bits - 1), wide - (1 << bits), wide)
    stray = ((moved != wide) & (moved >> bits != 0)) | ((whole & ((1 << shift) - 1)) != 0)
    if layout.padding is not None:
        padding = (stored == layout.padding) | (stored == layout.padding_written)
        wide = np.where(padding, layout.padding, wide)
        stray &= ~padding
    return wide, bool(stray.any())


def _rescale_int16(stored: NDArray[Any], layout: PixelLayout, out: NDArray[np.int16]) -> None:
    """Write slope × stored + intercept into `out`; both are whole numbers."""
    slope, intercept = int(layout.slope), int(layout.intercept)
    if (slope, intercept, stored.dtype) == (1, 0, np.dtype(np.int16)):
        if stored.base is not out.base:
            out[:] = stored
        return
    low, high = int(stored.min()), int(stored.max())
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if ends[0] >= INT16.min and ends[1] <= INT16.max:
        if slope == 1 and abs(intercept) <= INT16.max:
            # Two's complement: the sum is right modulo 2^16, and its true value fits.
            narrow = stored.view(np.int16) if stored.dtype in TWO_BYTES else stored.astype(np.int16)
            np.add(narrow, np.int16(intercept), out=out)
        else:
            out[:] = stored.astype(np.int64) * slope + intercept
        return
    hu = stored.astype(np.int64) * slope + intercept
    inside = stored != layout.padding if layout.padding is not None else np.ones(stored.shape, dtype=bool)
    kept = hu[inside]
    if kept.size and (kept.min() < INT16.min or kept.max() > INT16.max):
        raise TooWideError
    out[:] = np.clip(hu, INT16.min, INT16.max)  # only padding is clipped: it marks a place, it is no density


def _is_whole(layouts: Sequence[PixelLayout]) -> bool:
    return all(
        x.slope.is_integer() and x.intercept.is_integer() and abs(x.intercept) < 1e6 and abs(x.slope) < 1e6
        for x in layouts
    )


def load_hu(headers: Sequence[SliceHeader], *, threads: int = 2) -> Pixels:
    """Decode slices in the given order.

    Raises
    ------
    UnsupportedDataError
        As `stored_pixels`, for the first slice that cannot be read.
    """
    layouts = [h.pixels for h in headers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of values it then repairs; sizes are checked here
        if not _is_whole(layouts):
            return replace(_load(headers, np.float32, threads), widened="the rescale slope or intercept is fractional")
        try:
            return _load(headers, np.int16, threads)
        except TooWideError:
            return replace(_load(headers, np.float32, threads), widened="HU exceed the range of int16")


def _load(headers: Sequence[SliceHeader], kind: type, threads: int) -> Pixels:
    plane = headers[0].plane
    if headers[0].pixels.transfer_syntax not in NATIVE:
        stored_pixels(headers[0])  # a header that lies about its size is found out before memory is taken
    out: NDArray[Any] = np.empty((len(headers), plane.rows, plane.columns), dtype=kind)

    def one(k: int) -> tuple[bool, int]:
        header = headers[k]
        layout = header.pixels
        direct = kind is np.int16 and layout.transfer_syntax in LITTLE_ENDIAN and layout.bits_allocated == 16
        stored, masked = _clean(_read_into(header, out[k]) if direct else stored_pixels(header), layout)
        n = 0 if layout.padding is None else int(np.count_nonzero(stored == layout.padding))
        if kind is np.int16:
            _rescale_int16(stored, layout, out[k])
        else:
            out[k] = stored.astype(np.float64) * layout.slope + layout.intercept
        return masked, n

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        results = list(pool.map(one, range(len(headers))))
    first = headers[0].pixels
    padding = None if first.padding is None else first.padding * first.slope + first.intercept
    if padding is not None and kind is np.int16:
        padding = float(np.clip(padding, INT16.min, INT16.max))
    return Pixels(
        hu=out,
        padding_hu=padding,
        n_padding=sum(n for _, n in results),
        masked=sum(masked for masked, _ in results),
    )
