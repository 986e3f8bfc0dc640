"""One small, upright copy of a scan for the anatomy to be read on, and the way back.

Every rule of the finder speaks of right, front and up, so it never sees the scanner's array order: the volume is
averaged into blocks of about the working spacing (averaging, unlike picking, removes noise), then interpolated along
its own axes, ordered and turned so that they run to the patient's right, front and head as nearly as they can. An
oblique or tilted scan keeps its tilt: turning it upright would cost the ends of the stack, and anatomy read a few
degrees askew does no harm. The way back interpolates a smooth field, so a border stays between the coarse voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.model import Grid

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

AIR_HU = -1000.0
"""What lies outside the scan, and the floor for scanner padding such as −2048."""

HU_CEILING = 1500.0
"""Metal is cut here: one clip must not darken a whole block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingVolume:
    """A scan on an isotropic grid.

    Attributes
    ----------
    hu : (X, Y, Z) float32 array
        Hounsfield units; x to the patient's right, y to the front, z to the head.
    spacing_mm : float
        Edge of a voxel.
    affine : (4, 4) float64 array
        Working index to world, RAS+ mm; oblique or sheared where the scan is.
    """

    hu: FloatArray
    spacing_mm: float
    affine: npt.NDArray[np.float64]


def to_working_grid(hu: npt.NDArray[Any], grid: Grid, *, spacing_mm: float) -> WorkingVolume:
    """Average and interpolate a scan onto an isotropic grid.

    Parameters
    ----------
    hu : (I, J, K) int16 or float32 array
        Hounsfield units, any axis order.
    grid : Grid
        Of that array.
    spacing_mm : float
        Edge of a working voxel.

    Returns
    -------
    WorkingVolume
    """
    lengths = np.array(grid.spacing_mm)
    factors = np.minimum(np.maximum(1, np.floor(spacing_mm / lengths + 0.25).astype(int)), hu.shape)
    blocks = _block_mean(hu, (int(factors[0]), int(factors[1]), int(factors[2])))
    index_from_work = np.zeros((4, 4))
    index_from_work[3, 3] = 1
    shape = [1, 1, 1]
    for axis, code in enumerate(grid.axis_codes):
        towards = next(world for world, pair in enumerate(("LR", "PA", "IS")) if code in pair)
        sign = 1.0 if code in "RAS" else -1.0
        shape[towards] = max(1, round(hu.shape[axis] * lengths[axis] / spacing_mm))
        step = sign * spacing_mm / lengths[axis]
        index_from_work[axis, towards] = step
        index_from_work[axis, 3] = (hu.shape[axis] - 1) / 2 - step * (shape[towards] - 1) / 2
    block_from_index = np.diag([*(1 / factors), 1.0])
    block_from_index[:3, 3] = -(factors - 1) / 2 / factors
    mapping: npt.NDArray[np.float64] = np.asarray(block_from_index @ index_from_work, dtype=np.float64)
    return WorkingVolume(
        hu=_interpolate(blocks, mapping, (shape[0], shape[1], shape[2])),
        spacing_mm=spacing_mm,
        affine=np.asarray(grid.affine @ index_from_work, dtype=np.float64),
    )


def sample_on(
    field: FloatArray,
    field_affine: npt.NDArray[np.float64],
    affine: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
) -> FloatArray:
    """Interpolate a field of one grid at the voxel centres of another, linearly, edges extended.

    Parameters
    ----------
    field : (X, Y, Z) float32 array
    field_affine, affine : (4, 4) array
        Index to world of the field and of the target, RAS+ mm.
    shape : tuple of int
        Target shape.

    Returns
    -------
    (shape) float32 array
    """
    return _interpolate(field, np.linalg.inv(field_affine) @ affine, shape)


def _interpolate(source: FloatArray, mapping: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> FloatArray:
    linear = mapping[:3, :3]
    axis = np.abs(linear).argmax(axis=1)
    straight = np.zeros_like(linear)
    straight[np.arange(3), axis] = linear[np.arange(3), axis]
    if len(set(axis.tolist())) == 3 and np.abs(linear - straight).max() < 1e-6:
        return _interpolate_straight(source, linear, mapping[:3, 3], axis, shape)
    out = ndimage.affine_transform(
        source, linear, offset=mapping[:3, 3], output_shape=shape, order=1, mode="nearest", output=np.float32
    )
    return np.asarray(out, dtype=np.float32)


def _interpolate_straight(
    source: FloatArray,
    linear: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    axis: npt.NDArray[np.intp],
    shape: tuple[int, int, int],
) -> FloatArray:
    """Interpolate one axis after the other: several times faster than the general transform."""
    out = source
    for dim in range(3):
        position = np.clip(offset[dim] + linear[dim, axis[dim]] * np.arange(shape[axis[dim]]), 0, source.shape[dim] - 1)
        lower = np.minimum(position.astype(int), max(source.shape[dim] - 2, 0))
        upper = np.minimum(lower + 1, source.shape[dim] - 1)
        weight = (position - lower).astype(np.float32)
        weight = weight.reshape([-1 if d == dim else 1 for d in range(3)])
        out = np.take(out, lower, axis=dim) * (1 - weight) + np.take(out, upper, axis=dim) * weight
    return np.ascontiguousarray(out.transpose(np.argsort(axis)))


def _block_mean(hu: npt.NDArray[Any], factors: tuple[int, int, int]) -> FloatArray:
    """Mean over blocks, one output slab at a time along the last axis so that memory stays small."""
    fi, fj, fk = factors
    ni, nj, nk = hu.shape[0] // fi, hu.shape[1] // fj, hu.shape[2] // fk
    out = np.empty((ni, nj, nk), dtype=np.float32)
    for k in range(nk):
        slab = hu[: ni * fi, : nj * fj, k * fk : (k + 1) * fk].astype(np.float32)
        np.clip(slab, AIR_HU, HU_CEILING, out=slab)
        out[:, :, k] = slab.reshape(ni, fi, nj, fj, fk).mean(axis=(1, 3, 4), dtype=np.float32)
    return out
