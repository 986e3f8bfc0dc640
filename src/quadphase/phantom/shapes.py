"""Implicit shapes: signed distance (negative inside, millimetres) of ellipsoids and tubes on a part of the canvas.

A `Patch` is a shape evaluated only in the box of voxels it can touch, so a hundred vessels cost less than one organ.
Distances are approximate away from the surface (exact enough within a few millimetres, where edges are blended).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Frame",
    "Patch",
    "Point",
    "carve",
    "clip_to",
    "ellipsoid",
    "inside_of",
    "join",
    "meet",
    "overlap",
    "tube",
    "within",
]

Array = NDArray[np.float32]
Point = tuple[float, float, float]
Slices = tuple[slice, slice, slice]

_VISIBLE: Final = 0.35
"""Tubes thinner than this many pixels (radius) leave no trace in an image and are not drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where each voxel of the canvas is, in phantom millimetres.

    Parameters
    ----------
    u, v, w : 1-D ndarray of float32
        Coordinates of columns, rows and slices, ascending.
    shift : tuple of three (K, J, I) ndarray of float32, optional
        What to add to (u, v, w): the warp that makes bodies differ, and the breath.
    reach_mm : float
        Largest absolute shift.
    """

    u: Array
    v: Array
    w: Array
    shift: tuple[Array, Array, Array] | None = None
    reach_mm: float = 0.0

    @property
    def pixel_mm(self) -> float:
        return float(self.u[1] - self.u[0])

    def box(self, low: Sequence[float] | NDArray[np.float64], high: Sequence[float] | NDArray[np.float64]) -> Slices:
        """Voxels whose coordinates may fall between two corners (u, v, w); may be empty."""
        reach = self.reach_mm + 2.0
        k, j, i = (
            slice(*axis.searchsorted((low[n] - reach, high[n] + reach)).tolist())
            for n, axis in ((2, self.w), (1, self.v), (0, self.u))
        )
        return (k, j, i)

    def at(self, box: Slices) -> tuple[Array, Array, Array]:
        """Coordinates (u, v, w) in a box, broadcastable to ``(K, J, I)``."""
        u, v, w = self.u[None, None, box[2]], self.v[None, box[1], None], self.w[box[0], None, None]
        if self.shift is None:
            return u, v, w
        du, dv, dw = self.shift
        return u + du[box], v + dv[box], w + dw[box]


@dataclass(slots=True, eq=False)
class Patch:
    """A shape on a part of the canvas: ``sdf`` is (K', J', I') float32, millimetres, negative inside."""

    box: Slices
    sdf: Array

    @property
    def empty(self) -> bool:
        return self.sdf.size == 0


def ellipsoid(
    frame: Frame, center: Point, semi: Point, *, turn: float = 0.0, lean: float = 0.0, box: Slices | None = None
) -> Patch:
    """Ellipsoid with semi-axes along u, v, w.

    Parameters
    ----------
    turn : float
        Rotation in the axial plane, degrees, from u towards v.
    lean : float
        Shear of u with w (mm per mm): organs that lean sideways, such as kidneys.
    box : tuple of slices, optional
        Evaluate there instead of in the shape's own box.
    """
    r = max(semi[0], semi[1]) if turn else 0.0
    au, av = max(semi[0], r) + abs(lean) * semi[2], max(semi[1], r)
    if box is None:
        box = frame.box(
            (center[0] - au, center[1] - av, center[2] - semi[2]),
            (center[0] + au, center[1] + av, center[2] + semi[2]),
        )
    u, v, w = frame.at(box)
    w = w - np.float32(center[2])
    u = u - np.float32(center[0]) - np.float32(lean) * w
    v = v - np.float32(center[1])
    if turn:
        c, s = np.float32(np.cos(np.deg2rad(turn))), np.float32(np.sin(np.deg2rad(turn)))
        u, v = c * u + s * v, c * v - s * u
    a, b, c_ = (np.float32(1 / x) for x in semi)
    p, q, r_ = (u * a) ** 2, (v * b) ** 2, (w * c_) ** 2
    norm = np.sqrt(p + q + r_)
    gradient = np.sqrt(p * a**2 + q * b**2 + r_ * c_**2) + np.float32(1e-6)
    return Patch(box, norm * (norm - 1) / gradient)


def tube(frame: Frame, points: Sequence[Point], radii: Sequence[float] | float) -> Patch:
    """Polyline with a radius at each point: vessels, bowel, ducts."""
    pts = np.asarray(points, dtype=np.float64)
    rad = np.full(len(pts), radii) if isinstance(radii, float | int) else np.asarray(radii, dtype=np.float64)
    if rad.max() < _VISIBLE * frame.pixel_mm:
        nothing = slice(0, 0)
        return Patch((nothing, nothing, nothing), np.empty((0, 0, 0), dtype=np.float32))
    box = frame.box((pts - rad[:, None]).min(0), (pts + rad[:, None]).max(0))
    shape = tuple(max(0, s.stop - s.start) for s in box)
    sdf = np.full(shape, 1e3, dtype=np.float32)
    if sdf.size == 0:
        return Patch(box, sdf)
    for a, b, ra, rb in zip(pts[:-1], pts[1:], rad[:-1], rad[1:], strict=True):
        r = max(ra, rb)
        part = overlap(frame.box(np.minimum(a, b) - r, np.maximum(a, b) + r), box)
        if part is None:
            continue
        u, v, w = frame.at(part)
        d = (b - a).astype(np.float32)
        length2 = np.float32(max(float(d @ d), 1e-6))
        x, y, z = u - np.float32(a[0]), v - np.float32(a[1]), w - np.float32(a[2])
        t = np.clip((x * d[0] + y * d[1] + z * d[2]) / length2, 0, 1)
        x, y, z = x - t * d[0], y - t * d[1], z - t * d[2]
        piece = np.sqrt(x * x + y * y + z * z) - (np.float32(ra) + t * np.float32(rb - ra))
        into = within(part, box)
        np.minimum(sdf[into], piece, out=sdf[into])
    return Patch(box, sdf)


def join(a: Array, b: Array, smooth_mm: float) -> Array:
    """Union of two shapes with a fillet of `smooth_mm` (polynomial smooth minimum)."""
    h = np.clip(np.float32(smooth_mm) - np.abs(a - b), 0, None)
    return np.asarray(np.minimum(a, b) - h * h * np.float32(0.25 / smooth_mm))


def meet(a: Array, b: Array, smooth_mm: float) -> Array:
    """Intersection of two shapes with its edge rounded by `smooth_mm`."""
    return -join(-a, -b, smooth_mm)


def inside_of(patch: Patch, other: Patch, depth_mm: float) -> Patch:
    """The part of `patch` that lies at least `depth_mm` under the surface of `other`, where `other` is known."""
    box = overlap(patch.box, other.box)
    if box is None:
        return Patch(patch.box, patch.sdf[:0])
    surface = other.sdf[within(box, other.box)] + np.float32(depth_mm)
    return Patch(box, np.maximum(patch.sdf[within(box, patch.box)], surface))


def overlap(a: Slices, b: Slices) -> Slices | None:
    """Common part of two boxes; None if there is none."""
    k, j, i = (slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a, b, strict=True))
    return None if k.stop <= k.start or j.stop <= j.start or i.stop <= i.start else (k, j, i)


def within(part: Slices, box: Slices) -> Slices:
    """A part of a box in coordinates of the box."""
    k, j, i = (slice(p.start - q.start, p.stop - q.start) for p, q in zip(part, box, strict=True))
    return (k, j, i)


def carve(a: Array, b: Array, gap_mm: float = 0.0) -> Array:
    """`a` without `b` grown by `gap_mm`."""
    return np.asarray(np.maximum(a, np.float32(gap_mm) - b))


def clip_to(a: Array, b: Array, inset_mm: float = 0.0) -> Array:
    """The part of `a` inside `b` shrunk by `inset_mm`."""
    return np.asarray(np.maximum(a, b + np.float32(inset_mm)))
