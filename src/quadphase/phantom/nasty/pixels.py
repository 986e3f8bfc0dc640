"""Series whose stored values need care before they are Hounsfield units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from quadphase.phantom.dicom import PixelFormat, Slice, outside_circle, slices_of
from quadphase.phantom.nasty.case import NastyCase, stack_of, texture
from quadphase.phantom.nasty.geometry import write_case

__all__ = [
    "big_endian",
    "deflated",
    "fractional_slope",
    "implicit",
    "jpeg2000",
    "jpeg_ls",
    "padding",
    "per_slice_rescale",
    "rle",
    "signed_12_bit",
    "unsigned_12_bit",
    "unsigned_16_bit",
]


def _stored(folder: Path, form: PixelFormat, name: str, note: str) -> NastyCase:
    return write_case(folder, slices_of(texture(), pixels=form), name=name, note=note)


def signed_12_bit(folder: Path) -> NastyCase:
    """12 bits stored, two's complement within the 12: the sign bit is bit 11."""
    return _stored(folder, PixelFormat(bits_stored=12), "signed_12_bit", "12 bits, signed")


def unsigned_12_bit(folder: Path) -> NastyCase:
    """12 bits unsigned with intercept -1024."""
    return _stored(
        folder, PixelFormat(bits_stored=12, signed=False, intercept=-1024.0), "unsigned_12_bit", "12 bits, unsigned"
    )


def unsigned_16_bit(folder: Path) -> NastyCase:
    """16 bits unsigned with intercept -32768: stored values exceed int16."""
    return _stored(folder, PixelFormat(signed=False, intercept=-32768.0), "unsigned_16_bit", "16 bits, unsigned")


def per_slice_rescale(folder: Path) -> NastyCase:
    """Every slice has its own intercept, and half of them slope 2 (even HU only, so nothing is lost)."""
    slices = []
    for k, s in enumerate(slices_of(texture())):
        form = PixelFormat(slope=2.0 if k % 2 else 1.0, intercept=-1000.0 - 10 * k)
        slices.append(s.but(hu=(s.hu // 2) * 2, pixels=form))
    return write_case(folder, slices, name="per_slice_rescale", note="slope and intercept differ by slice")


def fractional_slope(folder: Path) -> NastyCase:
    """Slope 0.25 and intercept -1000.5: whole HU cannot hold the values."""
    form = PixelFormat(slope=0.25, intercept=-1000.5)
    slices = []
    for s in slices_of(texture(), pixels=form):
        exact = form.encode(s.hu.astype(np.float64) + 0.3).astype(np.float32) * np.float32(0.25) + np.float32(-1000.5)
        slices.append(s.but(hu=exact))
    stack = stack_of(slices, problems=("fractional-slope",))
    return write_case(folder, slices, (stack,), name="fractional_slope", note="slope 0.25")


def padding(folder: Path) -> NastyCase:
    """-2000 outside the circle of reconstruction, declared as PixelPaddingValue; kept, not clipped."""
    form = PixelFormat(padding=-2000)
    plain = slices_of(texture(), pixels=form)
    seen: list[Slice] = []
    for s in plain:
        hu = s.hu.copy()
        hu[outside_circle(hu.shape)] = -2000
        seen.append(s.but(hu=hu))
    stack = stack_of(seen, problems=("padding",))
    return write_case(folder, plain, (stack,), name="padding", note="padding value -2000")


def _encoded(folder: Path, syntax: str, name: str, form: PixelFormat | None = None) -> NastyCase:
    case = write_case(
        folder, slices_of(texture(), pixels=form), name=name, note=f"transfer syntax {name}", transfer_syntax=syntax
    )
    return replace(case, name=name)


def implicit(folder: Path) -> NastyCase:
    """Implicit VR little endian."""
    return _encoded(folder, ImplicitVRLittleEndian, "implicit")


def big_endian(folder: Path) -> NastyCase:
    """Explicit VR big endian (retired)."""
    return _encoded(folder, ExplicitVRBigEndian, "big_endian")


def deflated(folder: Path) -> NastyCase:
    """Deflated explicit VR little endian."""
    return _encoded(folder, DeflatedExplicitVRLittleEndian, "deflated")


def rle(folder: Path) -> NastyCase:
    """RLE lossless."""
    return _encoded(folder, RLELossless, "rle")


def jpeg2000(folder: Path) -> NastyCase:
    """JPEG 2000 lossless."""
    return _encoded(folder, JPEG2000Lossless, "jpeg2000")


def jpeg_ls(folder: Path) -> NastyCase:
    """JPEG-LS lossless, unsigned as scanners store it."""
    return _encoded(folder, JPEGLSLossless, "jpeg_ls", PixelFormat(bits_stored=12, signed=False, intercept=-1024.0))
