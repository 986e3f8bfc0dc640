"""A coarse copy of a stack on a grid that all stacks of an exam share, small enough to keep while the exam is judged.

Voxels are 4 × 4 × 5 mm, aligned to multiples of that in the frame of reference (RAS+), so the same index means the
same place in every stack of the exam. In the plane voxels average all pixels under them; along the patient they
interpolate between slices about that far apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.imaging.reorient import reorient_volume
from quadphase.model import Grid, Volume

__all__ = ["SPACING_MM", "Thumbnail", "thumbnail"]

SPACING_MM: Final = (4.0, 4.0, 5.0)
"""An aorta is five voxels wide, a thumbnail of an abdomen below one megabyte."""

_FLOOR_HU, _CEILING_HU = -1000, 1500
"""Padding and metal beyond these say nothing about contrast."""

_TALL_MM: Final = 60.0
"""Of a lower stack every slice counts; of a higher one, one each 5 mm is enough."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """Coarse HU.

    Parameters
    ----------
    hu : (X, Y, Z) ndarray of float32
        Axes towards right, front, head; NaN outside the stack.
    start : (int, int, int)
        Index of the first voxel on the shared grid; its centre is ``start × SPACING_MM``, RAS+.
    """

    hu: Array
    start: tuple[int, int, int]

    @property
    def stop(self) -> tuple[int, int, int]:
        """Index behind the last voxel on the shared grid."""
        a, n = self.start, self.hu.shape
        return (a[0] + n[0], a[1] + n[1], a[2] + n[2])


def thumbnail(volume: Volume) -> Thumbnail:
    """Coarse copy of a volume of any orientation; obliquity is resolved by interpolation."""
    upright = reorient_volume(volume, ("R", "A", "S"))
    affine = upright.grid.affine
    skew = np.abs(affine[:3, :3] - np.diag(np.diag(affine[:3, :3])))
    # Off-axis parts that move no voxel by more than half a coarse voxel across the stack may be ignored.
    if (skew @ np.array(upright.grid.shape)).max() <= SPACING_MM[0] / 2:
        return _axis_aligned(upright)
    return _oblique(upright)


def _range(low_mm: float, high_mm: float, spacing_mm: float) -> tuple[int, int]:
    """First and behind-last index of the shared grid inside ``[low, high]``; at least one voxel."""
    first, last = int(np.ceil(low_mm / spacing_mm - 1e-6)), int(np.floor(high_mm / spacing_mm + 1e-6))
    if last < first:
        first = last = round((low_mm + high_mm) / 2 / spacing_mm)
    return first, last + 1


def _box_weights(origin_mm: float, step_mm: float, n: int, first: int, stop: int, spacing_mm: float) -> Array:
    """(stop - first, n) weights that average the samples of one axis under each coarse voxel, tapered at borders."""
    centres = np.arange(first, stop)[:, None] * spacing_mm
    distance = np.abs(origin_mm + step_mm * np.arange(n)[None, :] - centres)
    reach = max(spacing_mm, step_mm)
    weights = np.clip((reach + min(spacing_mm, step_mm)) / 2 - distance, 0.0, min(spacing_mm, step_mm))
    if step_mm > spacing_mm:  # coarser than the thumbnail: interpolate instead
        weights = np.clip(1.0 - distance / step_mm, 0.0, None)
    total = weights.sum(axis=1, keepdims=True)
    return (weights / np.where(total > 0, total, 1.0)).astype(np.float32)


def _axis_aligned(volume: Volume) -> Thumbnail:
    grid = volume.grid
    origins, steps = grid.affine[:3, 3], np.diag(grid.affine)[:3]
    bins = [max(1, int(SPACING_MM[axis] / steps[axis] / 1.2)) for axis in (0, 1)]
    bins = [min(b, n) for b, n in zip(bins, grid.shape, strict=False)]
    skip = max(1, int(SPACING_MM[2] / steps[2] + 1e-6)) if grid.shape[2] * steps[2] >= _TALL_MM else 1
    weights, starts = [], []
    for axis, step in enumerate((*bins, skip)):
        first, stop = _range(origins[axis], origins[axis] + steps[axis] * (grid.shape[axis] - 1), SPACING_MM[axis])
        n = grid.shape[axis] // step if axis < 2 else len(range(0, grid.shape[2], step))
        origin = origins[axis] + (steps[axis] * (step - 1) / 2 if axis < 2 else 0.0)
        weights.append(_box_weights(origin, steps[axis] * step, n, first, stop, SPACING_MM[axis]))
        starts.append(first)
    planes = np.empty((len(weights[0]), len(weights[1]), weights[2].shape[1]), dtype=np.float32)
    for number, k in enumerate(range(0, grid.shape[2], skip)):
        planes[:, :, number] = weights[0] @ _binned(volume.hu[:, :, k], bins[0], bins[1]) @ weights[1].T
    return Thumbnail(hu=planes @ weights[2].T, start=(starts[0], starts[1], starts[2]))


def _binned(plane: NDArray[Any], a: int, b: int) -> Array:
    """Means of blocks of ``a`` by ``b`` pixels; the rest at the far border is dropped."""
    n, m = plane.shape[0] // a, plane.shape[1] // b
    cut = np.clip(plane, _FLOOR_HU, _CEILING_HU)
    total = np.zeros((n, m), dtype=np.float32)
    for i in range(a):
        for j in range(b):
            total += cut[i : n * a : a, j : m * b : b]
    return np.asarray(total / (a * b), dtype=np.float32)


def _oblique(volume: Volume) -> Thumbnail:
    from scipy import ndimage

    corners = volume.grid.corners_mm()
    bounds = [_range(float(corners[:, a].min()), float(corners[:, a].max()), SPACING_MM[a]) for a in range(3)]
    shape = tuple(stop - first for first, stop in bounds)
    starts = (bounds[0][0], bounds[1][0], bounds[2][0])
    target = Grid((shape[0], shape[1], shape[2]), _shared_affine(starts))
    to_index = np.linalg.inv(volume.grid.affine) @ target.affine
    sigma = [max(SPACING_MM[0] / s - 1.0, 0.0) / 2 for s in volume.grid.spacing_mm]
    smooth = ndimage.gaussian_filter(np.clip(volume.hu.astype(np.float32), _FLOOR_HU, _CEILING_HU), sigma)
    hu = ndimage.affine_transform(
        smooth, to_index[:3, :3], to_index[:3, 3], output_shape=shape, order=1, mode="constant", cval=np.nan
    )
    return Thumbnail(hu=hu.astype(np.float32), start=starts)


def _shared_affine(start: tuple[int, int, int]) -> NDArray[np.float64]:
    affine = np.diag([*SPACING_MM, 1.0])
    affine[:3, 3] = np.array(start) * np.array(SPACING_MM)
    return affine
