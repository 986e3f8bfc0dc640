"""The slices of a series before they are files: what each shows, where it claims to be, how its HU are stored.

Anything a scanner or an archive can get wrong is a change to a list of these values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Volume, lps_from_ras
from quadphase.phantom.patient import Scanner

__all__ = ["PIXELS", "PixelFormat", "Slice", "outside_circle", "slices_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How HU are stored.

    Parameters
    ----------
    bits_stored : int
        12 or 16 (allocated is always 16).
    signed : bool
    slope, intercept : float
        Stored value × slope + intercept = HU.
    padding : int, optional
        Stored value outside the circle of reconstruction; written as PixelPaddingValue.
    """

    bits_stored: int = 16
    signed: bool = True
    slope: float = 1.0
    intercept: float = 0.0
    padding: int | None = None

    def encode(self, hu: NDArray[Any]) -> NDArray[Any]:
        """Stored pixel values of an HU array, clipped to the representable range."""
        low, high = self.limits
        stored = hu.astype(np.int32) if hu.dtype.kind in "iu" else hu
        if self.slope != 1.0 or self.intercept != 0.0:
            stored = np.rint((stored - self.intercept) / self.slope)
        elif hu.dtype.kind == "f":
            stored = np.rint(stored)
        clipped: NDArray[Any] = np.clip(stored, low, high).astype(np.int16 if self.signed else np.uint16)
        return clipped

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest stored value."""
        n = self.bits_stored
        return (-(1 << (n - 1)), (1 << (n - 1)) - 1) if self.signed else (0, (1 << n) - 1)


PIXELS: Final[dict[Scanner, PixelFormat]] = {
    Scanner.CANON: PixelFormat(),
    Scanner.PHILIPS: PixelFormat(bits_stored=12, signed=False, intercept=-1024.0),
}
"""What each scanner stores."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """One file to be.

    Parameters
    ----------
    hu : (J, I) ndarray
        Rows by columns, Hounsfield units.
    position_mm : (float, float, float)
        ImagePositionPatient, LPS: centre of the first pixel.
    orientation : tuple of six float
        ImageOrientationPatient: direction along a row, direction down a column, LPS.
    pixel_spacing_mm : (float, float)
        PixelSpacing: between rows, between columns.
    thickness_mm : float
        SliceThickness, a header claim.
    instance_number : int
    pixels : PixelFormat
    tags : mapping
        Attributes of this slice alone, by keyword; None removes one.
    """

    hu: NDArray[Any]
    position_mm: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    pixel_spacing_mm: tuple[float, float]
    thickness_mm: float
    instance_number: int
    pixels: PixelFormat = field(default_factory=PixelFormat)
    tags: Mapping[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> Slice:
        """The slice with some fields changed; ``tags`` are merged."""
        if "tags" in changes:
            changes["tags"] = {**self.tags, **changes["tags"]}
        return replace(self, **changes)


def slices_of(volume: Volume, *, pixels: PixelFormat | None = None, head_first: bool = True) -> list[Slice]:
    """The slices of a volume, ascending in k; any affine is kept, oblique and sheared ones too.

    Parameters
    ----------
    volume : Volume
    pixels : PixelFormat, optional
    head_first : bool
        Whether instance number 1 is the last k (as abdominal scans are usually numbered) or the first.
    """
    affine = lps_from_ras(volume.grid.affine)
    di, dj, dk = volume.grid.spacing_mm
    row, column = affine[:3, 0] / di, affine[:3, 1] / dj
    n = volume.grid.shape[2]
    return [
        Slice(
            hu=volume.hu[:, :, k].T,
            position_mm=_triple(affine[:3, 3] + k * affine[:3, 2]),
            orientation=(*_triple(row), *_triple(column)),
            pixel_spacing_mm=(dj, di),
            thickness_mm=dk,
            instance_number=n - k if head_first else k + 1,
            pixels=pixels or PixelFormat(),
        )
        for k in range(n)
    ]


def outside_circle(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of a (J, I) image outside the circle of reconstruction."""
    y, x = (np.linspace(-1, 1, n) for n in shape)
    return np.asarray(y[:, None] ** 2 + x[None, :] ** 2 > 1.0)


def _triple(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    a, b, c = (float(x) for x in vector)
    return (a, b, c)
