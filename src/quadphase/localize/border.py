"""From the working grid to the input grid: the same liver, its border between the coarse voxels.

The probability is interpolated at every input voxel near the liver and cut at one half; then voxels in the narrow
band around that cut which are plainly fat or gas at full resolution are taken out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.working_grid import BoolArray, FloatArray, WorkingVolume, sample_on
from quadphase.model import Grid, Mask, Volume

BAND = (0.15, 0.95)
"""Probability of the voxels that the full resolution may still decide."""


def to_input_grid(
    probability: FloatArray, mask: BoolArray, local_hu: FloatArray, work: WorkingVolume, volume: Volume
) -> Mask:
    """Cut the liver out on the grid of the volume.

    Parameters
    ----------
    probability : (X, Y, Z) float32 array
    mask : (X, Y, Z) bool array
        The accepted piece on the working grid.
    local_hu : (X, Y, Z) float32 array
        Density of the liver nearby.
    work : WorkingVolume
    volume : Volume

    Returns
    -------
    Mask
    """
    voxels = np.zeros(volume.grid.shape, dtype=bool)
    box = _box(mask, work, volume.grid)
    if box is None:
        return Mask(voxels=voxels, grid=volume.grid)
    affine = volume.grid.affine.copy()
    affine[:3, 3] = volume.grid.world_from_index([s.start for s in box])
    shape = voxels[box].shape
    limited = _limited(probability, mask)
    field = sample_on(limited, work.affine, affine, (shape[0], shape[1], shape[2]))
    level = sample_on(local_hu, work.affine, affine, (shape[0], shape[1], shape[2]))
    for k in range(shape[2]):
        plane = field[:, :, k]
        cut = plane > 0.5
        if cut.any():
            hu = volume.hu[box][:, :, k].astype(np.float32)
            voxels[box][:, :, k] = _decide(plane, cut, hu, level[:, :, k], volume.grid.spacing_mm)
    return Mask(voxels=voxels, grid=volume.grid)


def _limited(probability: FloatArray, mask: BoolArray) -> FloatArray:
    """Inside the mask at least just liver, outside at most just not: interpolation then keeps the tidy shape."""
    inside = np.maximum(probability, np.float32(0.51))
    outside = np.minimum(probability, np.float32(0.49))
    near = ndimage.binary_dilation(mask, iterations=2)
    return np.where(mask, inside, np.where(near, outside, np.float32(0)))


def _decide(
    field: FloatArray, cut: BoolArray, hu: FloatArray, level: FloatArray, spacing_mm: tuple[float, float, float]
) -> BoolArray:
    sigma = [0.8 / spacing_mm[0], 0.8 / spacing_mm[1]]
    smooth = ndimage.gaussian_filter(np.clip(hu, -200, 350), sigma)
    half_way_to_fat = (level - 100) / 2
    band = (field > BAND[0]) & (field < BAND[1])
    kept = cut & ~(band & (smooth < half_way_to_fat))
    opened = ndimage.binary_opening(kept, np.ones((2, 2), dtype=bool))
    return np.asarray(ndimage.binary_fill_holes(opened))


def _box(mask: BoolArray, work: WorkingVolume, grid: Grid) -> tuple[slice, slice, slice] | None:
    """Input voxels that the mask, widened by two working voxels, can reach."""
    if not mask.any():
        return None
    where = np.argwhere(mask)
    low, high = where.min(axis=0) - 2, where.max(axis=0) + 2
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, -1)
    world = work.affine[:3, :3] @ corners + work.affine[:3, 3:]
    index: npt.NDArray[np.float64] = grid.index_from_world(world.T)
    start = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    stop = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, grid.shape)
    if (stop <= start).any():
        return None
    return (slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2]))
