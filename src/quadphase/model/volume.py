"""Images in the patient: `Volume` (CT in HU), `Mask` (yes or no), `LabelMap` (integers), each an array on a `Grid`.

Arrays are read-only: a stage that changes voxels makes a new image. HU are int16, as the scanner stored them; float32
is accepted only for series whose rescale slope is fractional, and carries a finding elsewhere. Printed, an image is one
line: its size, its place and what it holds, never its voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.errors import GeometryError, GridMismatchError, UnsupportedDataError
from quadphase.model.grid import Box, Grid

__all__ = ["LabelMap", "Mask", "Volume", "require_same_grid"]


def _frozen(array: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    if array.shape != shape:
        raise GeometryError("shape-mismatch", f"The array has shape {array.shape}, its grid {shape}")
    view = array.view()
    view.setflags(write=False)
    return view


def _size(grid: Grid) -> str:
    """``512×512×60 voxels of 0.78×0.78×5 mm, LPS``."""
    voxels, spacing = "×".join(map(str, grid.shape)), "×".join(f"{mm:.4g}" for mm in grid.spacing_mm)
    return f"{voxels} voxels of {spacing} mm, {''.join(grid.axis_codes)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Volume:
    """CT volume.

    Parameters
    ----------
    hu : (I, J, K) ndarray of int16 (or float32)
        Hounsfield units, every one a finite number. The array is not copied; the volume holds a read-only view.
    grid : Grid
    window_hu : (int, int), optional
        Inclusive limits the values were clipped to; None for the full range.

    Raises
    ------
    UnsupportedDataError
        ``"not-hu"`` for another type, ``"not-finite"`` for NaN and infinity: one such voxel would spoil every mean.
    GeometryError
        ``"shape-mismatch"``.
    """

    hu: NDArray[Any]
    grid: Grid
    window_hu: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.hu.dtype not in (np.dtype(np.int16), np.dtype(np.float32)):
            raise UnsupportedDataError("not-hu", f"A volume holds int16 or float32 HU, not {self.hu.dtype}")
        if self.hu.dtype.kind == "f" and not np.isfinite(self.hu).all():
            count = np.count_nonzero(~np.isfinite(self.hu))
            raise UnsupportedDataError(
                "not-finite", f"{count} voxels hold NaN or infinity, which is no HU", "Write air as -1000 HU"
            )
        object.__setattr__(self, "hu", _frozen(self.hu, self.grid.shape))

    def __repr__(self) -> str:
        window = "" if self.window_hu is None else f" clipped to {self.window_hu[0]}…{self.window_hu[1]}"
        return f"<Volume of {_size(self.grid)}; {self.hu.dtype} HU{window}>"

    def crop(self, box: Box) -> Volume:
        """Part of the volume inside `box`, at the same world positions."""
        return Volume(hu=self.hu[box.slices], grid=self.grid.crop(box), window_hu=self.window_hu)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Mask:
    """Boolean image: liver or not, lesion or not.

    Parameters
    ----------
    voxels : (I, J, K) ndarray of bool
    grid : Grid
    """

    voxels: NDArray[np.bool_]
    grid: Grid

    def __post_init__(self) -> None:
        if self.voxels.dtype != np.bool_:
            raise UnsupportedDataError("not-boolean", f"A mask holds booleans, not {self.voxels.dtype}")
        object.__setattr__(self, "voxels", _frozen(self.voxels, self.grid.shape))

    def __repr__(self) -> str:
        return f"<Mask of {_size(self.grid)}; {self.volume_ml:.4g} ml>"

    @property
    def volume_ml(self) -> float:
        return float(np.count_nonzero(self.voxels)) * self.grid.voxel_volume_ml

    def crop(self, box: Box) -> Mask:
        return Mask(voxels=self.voxels[box.slices], grid=self.grid.crop(box))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LabelMap:
    """Integer image; 0 is background, each other value one lesion or organ.

    Parameters
    ----------
    labels : (I, J, K) ndarray of an integer type
    grid : Grid
    """

    labels: NDArray[Any]
    grid: Grid

    def __post_init__(self) -> None:
        if self.labels.dtype.kind not in "iu":
            raise UnsupportedDataError("not-integer", f"A label map holds integers, not {self.labels.dtype}")
        object.__setattr__(self, "labels", _frozen(self.labels, self.grid.shape))

    def __repr__(self) -> str:
        return f"<LabelMap of {_size(self.grid)}; {self.labels.dtype} {self.labels.min()}…{self.labels.max()}>"

    def mask(self, *labels: int) -> Mask:
        """Mask of the given labels, or of everything but background."""
        chosen = np.isin(self.labels, labels) if labels else self.labels != 0
        return Mask(voxels=chosen, grid=self.grid)


def require_same_grid(a: Grid, b: Grid, *, what: str) -> None:
    """Raise `GridMismatchError` unless the two grids agree within 0.01 mm.

    Parameters
    ----------
    what : str
        The pair in words for the message, e.g. ``"CT and liver mask"``.
    """
    if not a.is_close(b):
        detail = f"shapes {a.shape} and {b.shape}" if a.shape != b.shape else "same shape, different positions"
        raise GridMismatchError(
            "grid-mismatch", f"{what} are not on the same grid: {detail}", "Resample or re-export one of them"
        )
