"""Smooth random fields in patient millimetres: what makes every synthetic organ a little different.

A field is a cubic B-spline on a coarse periodic lattice of seeded normal numbers. It is a function of *position*,
not of a grid: two phases, or the same phase at another matrix size, see the same bumps. Evaluation on a rectilinear
grid is separable (four taps per axis), which is why warping a whole abdomen costs milliseconds. No BLAS is involved,
so results do not depend on the number of threads.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SmoothField", "rng_of"]

Array = NDArray[np.float32]

_UNIT_VARIANCE: Final = 3.0
"""About one over the standard deviation of a cubic B-spline surface of unit normal coefficients in 3-D."""


def rng_of(*words: int | str) -> np.random.Generator:
    """Generator of a stream that depends on the given words only.

    Examples
    --------
    >>> bool(rng_of(7, "liver").integers(100) == rng_of(7, "liver").integers(100))
    True
    """
    text = "\x1f".join(repr(word) for word in words)
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


@dataclass(frozen=True, slots=True, eq=False)
class SmoothField:
    """Periodic cubic B-spline field of zero mean and about unit standard deviation.

    Parameters
    ----------
    lattice : (N, N, N) ndarray of float32
        Spline coefficients, axes (w, v, u).
    pitch_mm : float
        Distance of lattice nodes; features are about twice as wide.
    """

    lattice: Array
    pitch_mm: float

    @classmethod
    def seeded(cls, rng: np.random.Generator, pitch_mm: float, *, nodes: int = 24) -> SmoothField:
        """Draw a field; it repeats after ``nodes * pitch_mm`` millimetres."""
        return cls(rng.standard_normal((nodes, nodes, nodes), dtype=np.float32) * _UNIT_VARIANCE, pitch_mm)

    def on_axes(self, u_mm: Array, v_mm: Array, w_mm: Array) -> Array:
        """Evaluate on the grid spanned by three coordinate vectors; ``(len(w), len(v), len(u))`` float32."""
        out = self.lattice
        for axis, at in ((0, w_mm), (1, v_mm), (2, u_mm)):
            out = _spline(out, axis, at / np.float32(self.pitch_mm))
        return out


def _spline(values: Array, axis: int, at: Array) -> Array:
    base = np.floor(at)
    t = (at - base).astype(np.float32)
    first = base.astype(np.int64) - 1
    taps = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    shape = [1, 1, 1]
    shape[axis] = -1
    out: Array = np.zeros(1, dtype=np.float32)
    for offset, tap in enumerate(taps):
        part = values.take((first + offset) % values.shape[axis], axis=axis)
        part *= tap.astype(np.float32).reshape(shape)
        part += out
        out = part
    return out
