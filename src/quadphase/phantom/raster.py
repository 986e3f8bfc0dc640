"""From the coarse canvas the anatomy is drawn on to the full grid of a series.

Anatomy is drawn at about 1.6 mm (a 256 matrix at 400 mm) or coarser, only where body and table can be, and
interpolated to the matrix asked for: as in a real scan, the kernel and not the matrix limits sharpness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Grid

__all__ = ["Raster"]

Array = NDArray[np.float32]

_ANATOMY_PIXEL_MM: Final = 1.6
_WINDOW_MM: Final = ((-176.0, 176.0), (-130.0, 152.0))
"""Part of the plane, u and v, that body and table can occupy; the rest is air and is not computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """How canvas voxels relate to the pixels of a grid.

    Parameters
    ----------
    shape : (int, int, int)
        Of the full grid, (I, J, K).
    factor : int
        Pixels per canvas voxel in each direction of the plane.
    u, v, w : ndarray of float32
        Phantom coordinates of the canvas voxels.
    window : (slice, slice)
        Rows and columns of the full grid that the canvas covers.
    """

    shape: tuple[int, int, int]
    factor: int
    u: Array
    v: Array
    w: Array
    window: tuple[slice, slice]

    @classmethod
    def of(cls, grid: Grid, *, build: float, table_position_mm: float) -> Raster:
        """Lay a canvas over a grid with axes towards left, back and head."""
        n_i, n_j, n_k = grid.shape
        x0, y0, z0 = grid.origin_mm
        di, dj, dk = grid.spacing_mm
        factor = max(1, int(_ANATOMY_PIXEL_MM / di))
        while n_i % factor or n_j % factor:
            factor -= 1
        middle = (factor - 1) / 2
        u = (-x0 + di * (np.arange(0, n_i, factor) + middle)) / build
        v = (-y0 + dj * (np.arange(0, n_j, factor) + middle)) / build
        w = z0 - table_position_mm + dk * np.arange(n_k)
        spans = []
        for axis, (low, high) in zip((u, v), _WINDOW_MM, strict=True):
            first, stop = (int(n) for n in np.searchsorted(axis, (low, high)))
            spans.append(slice(first, max(stop, first + 2)))
        i, j = spans
        window = (slice(j.start * factor, j.stop * factor), slice(i.start * factor, i.stop * factor))
        u, v, w = u[i].astype(np.float32), v[j].astype(np.float32), w.astype(np.float32)
        return cls(grid.shape, factor, u, v, w, window)

    def expand_hu(self, hu: Array) -> Array:
        """Canvas HU, (K, J', I'), on the full grid, (K, J, I), interpolated linearly; air around."""
        out = np.full(self.shape[::-1], -1000, dtype=np.float32)
        for axis in (1, 2):
            hu = _interpolate(hu, axis, self.factor)
        out[:, self.window[0], self.window[1]] = hu
        return out

    def expand_labels(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Canvas labels, (K, J', I'), on the full grid as (I, J, K); background around."""
        out = np.zeros(self.shape[::-1], dtype=labels.dtype)
        if self.factor > 1:
            labels = labels.repeat(self.factor, axis=1).repeat(self.factor, axis=2)
        out[:, self.window[0], self.window[1]] = labels
        return out.transpose(2, 1, 0)


def _interpolate(values: Array, axis: int, factor: int) -> Array:
    """Linear interpolation of block centres to the pixels of the blocks."""
    if factor == 1:
        return values
    n = values.shape[axis]
    at = np.clip((np.arange(n * factor) - (factor - 1) / 2) / factor, 0, n - 1)
    low = np.minimum(at.astype(np.int64), n - 2)
    shape = [1, 1, 1]
    shape[axis] = -1
    share = (at - low).astype(np.float32).reshape(shape)
    out: Array = values.take(low, axis=axis)
    step = values.take(low + 1, axis=axis)
    step -= out
    step *= share
    out += step
    return out
