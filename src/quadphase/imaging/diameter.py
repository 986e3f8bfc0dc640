"""Largest diameter of a set of voxels: the greatest distance, in millimetres, between two voxel **centres**.

Centres, not corners: the answer is then the all-pairs answer anyone can check, ITK's Feret diameter and the hull of the
authors' script measure the same points, and a single voxel has diameter 0. Measured from edge to edge a lesion is
longer by at most one voxel diagonal. Only hull vertices can be farthest apart, an affine map keeps hull vertices hull
vertices, and a hull vertex is the first or last voxel of its row along every axis: so candidates are thinned on
integers, hulled by Qhull (Barber, Dobkin & Huhdanpaa 1996, doi:10.1145/235815.235821), and only the remaining few are
compared in pairs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Grid

__all__ = ["largest_diameter_mm"]

_DIRECT: Final = 600
"""Below so many points comparing all pairs is quicker than a hull."""

_BLOCK: Final = 512
"""Points compared with all others at a time; bounds memory for flat sets that have no hull."""


def largest_diameter_mm(points: NDArray[np.int64], grid: Grid) -> float:
    """Greatest distance between the centres of two voxels.

    Parameters
    ----------
    points : (N, 3) ndarray of int
        Voxel indices, 0-based, N >= 1; all voxels of the set, or at least its first and last of each row.
    grid : Grid
        May be anisotropic or sheared.
    """
    for axis in range(3):
        points = _row_ends(points, axis)
    points = _far_out(points, grid)
    if len(points) > _DIRECT:
        points = _hull(points)
    return _farthest(points @ grid.affine[:3, :3].T)


def _far_out(points: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Points that can still belong to the farthest pair, by the triangle inequality around the middle of the set."""
    world = points @ grid.affine[:3, :3].T
    world = world - (world.min(axis=0) + world.max(axis=0)) / 2.0
    radius = np.linalg.norm(world, axis=1)
    one = world[int(radius.argmax())]
    known = float(np.linalg.norm(world - one, axis=1).max())
    # A thousandth of a micrometre keeps a point that rounding would drop.
    return np.asarray(points[radius + radius.max() >= known - 1e-6])


def _row_ends(points: NDArray[Any], axis: int) -> NDArray[Any]:
    """First and last point of every line along `axis`."""
    a, b = (other for other in range(3) if other != axis)
    span = points.max(axis=0) + 1
    line = points[:, a] * span[b] + points[:, b]
    order = np.argsort(line * span[axis] + points[:, axis], kind="stable")
    line = line[order]
    new = np.flatnonzero(np.diff(line)) + 1
    ends = np.unique(np.concatenate([[0], new, new - 1, [len(line) - 1]]))
    return np.asarray(points[order[ends]])


def _hull(points: NDArray[Any]) -> NDArray[Any]:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:  # all in one plane: no volume to hull, few row ends
        return points


def _farthest(world: NDArray[np.float64]) -> float:
    world = world - world.mean(axis=0)  # small numbers: the expansion below loses no digits that matter
    square = np.einsum("ab,ab->a", world, world)
    best = (-1.0, 0, 0)
    for start in range(0, len(world), _BLOCK):
        part = world[start : start + _BLOCK]
        distance = square[start : start + _BLOCK, None] + square[None, start:] - 2.0 * (part @ world[start:].T)
        flat = int(distance.argmax())
        a, b = divmod(flat, distance.shape[1])
        best = max(best, (float(distance[a, b]), start + a, start + b))
    return float(np.linalg.norm(world[best[1]] - world[best[2]]))
