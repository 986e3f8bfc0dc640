"""Bounding boxes, and the way back from a cropped mask to the grid it was cropped from.

Cropping itself is `Volume.crop` and `Mask.crop`: every kept voxel keeps its world position. `uncrop_mask` finds from
the two affines alone where a mask came from, so no bookkeeping can be lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.errors import GridMismatchError
from quadphase.model import GEOMETRY_TOLERANCE_MM, Box, Grid, Mask

__all__ = ["bounding_box", "box_within", "slice_range", "uncrop_mask"]


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """Smallest half-open box that holds every True voxel of an ``(I, J, K)`` array; None for an empty mask."""
    limits = []
    for axis in range(3):
        hits = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if hits.size == 0:
            return None
        limits.append((int(hits[0]), int(hits[-1]) + 1))
    return Box((limits[0][0], limits[1][0], limits[2][0]), (limits[0][1], limits[1][1], limits[2][1]))


def slice_range(mask: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Slices ``first <= k < stop`` of an ``(I, J, K)`` array that hold a True voxel; None for an empty mask."""
    hits = np.flatnonzero(mask.any(axis=(0, 1)))
    return (int(hits[0]), int(hits[-1]) + 1) if hits.size else None


def box_within(part: Grid, whole: Grid) -> Box:
    """Where the grid `part` lies in the grid `whole` it was cropped from.

    Raises
    ------
    GridMismatchError
        ``"not-a-crop"`` if its voxels are not voxels of `whole` (within 0.01 mm) or lie outside.
    """
    start = np.rint(whole.index_from_world(part.origin_mm)).astype(int)
    stop = start + part.shape
    fits = bool((start >= 0).all() and (stop <= whole.shape).all())
    if fits:
        box = Box((int(start[0]), int(start[1]), int(start[2])), (int(stop[0]), int(stop[1]), int(stop[2])))
        if whole.crop(box).is_close(part, tolerance_mm=GEOMETRY_TOLERANCE_MM):
            return box
    raise GridMismatchError("not-a-crop", "The image is not a crop of that grid", "Use the grid it was cropped from")


def uncrop_mask(mask: Mask, whole: Grid) -> Mask:
    """Put a cropped mask back on its original grid, False outside.

    Raises
    ------
    GridMismatchError
        As `box_within`.
    """
    full = np.zeros(whole.shape, dtype=np.bool_)
    full[box_within(mask.grid, whole).slices] = mask.voxels
    return Mask(voxels=full, grid=whole)
