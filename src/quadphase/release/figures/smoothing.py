"""How far each point of the camera's grid lies inside the smoothed surface of a mask.

The signed distance to the mask's border is smoothed over half a slice: that removes the steps between slices without
shrinking lesions as blurring the mask would. A lesion a few voxels wide does not outlive it, yet it may be the one
finding of its patient: it is drawn as the ellipsoid that has its place, volume and moments.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.imaging.components import components

__all__ = ["smooth_distance"]

FAR_MM: Final = -99.0
"""Distance where the mask is nowhere near."""

SMALLEST: Final = 1.0
"""Semi-axis of an ellipsoid in steps of the camera's grid; a smaller one could fall between its points."""


def smooth_distance(
    mask: NDArray[np.bool_],
    spacing_mm: NDArray[np.float64],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, ...],
    *,
    step_mm: float,
) -> NDArray[np.float32]:
    """Distances in millimetres on the camera's grid: positive inside, about zero at the surface, negative outside.

    Parameters
    ----------
    mask : (I, J, K) ndarray of bool
    spacing_mm : (3,) ndarray
        Of the mask's voxels.
    matrix, offset : (3, 3) and (3,) ndarray
        Index in the mask = matrix @ index in the camera's grid + offset.
    shape : tuple of int
        Of the camera's grid.
    step_mm : float
        Distance of neighbouring points of the camera's grid, the same in all directions.
    """
    from scipy.ndimage import affine_transform, distance_transform_edt, gaussian_filter

    labels = components(mask).labels((mask.shape[0], mask.shape[1], mask.shape[2]))
    thin = np.maximum(1, step_mm // spacing_mm).astype(int)  # voxels finer than the picture's
    coarse = np.pad(labels[:: thin[0], :: thin[1], :: thin[2]], 2)
    smooth = np.full(coarse.shape, FAR_MM, np.float32)
    if coarse.any():
        voxel = spacing_mm * thin
        distance = distance_transform_edt(coarse, sampling=voxel) - distance_transform_edt(coarse == 0, sampling=voxel)
        width_mm = max(1.5, 0.7 * float(voxel.max()))
        smooth = gaussian_filter(distance.astype(np.float32), width_mm / voxel, truncate=2.5)
    seen: NDArray[np.float32] = affine_transform(
        smooth, matrix / thin[:, None], offset / thin + 2.0, output_shape=shape, order=1, mode="constant", cval=FAR_MM
    )
    kept = np.bincount(coarse[smooth > 0], minlength=labels.max() + 1)
    lost = kept * 2 <= np.bincount(coarse.ravel(), minlength=labels.max() + 1)
    lost[0] = False
    if lost.any():
        _add_ellipsoids(seen, labels, lost, matrix, offset, step_mm)
    return seen


def _add_ellipsoids(
    seen: NDArray[np.float32],
    labels: NDArray[np.int32],
    lost: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    step_mm: float,
) -> None:
    """Draw the components that smoothing lost into `seen`, each as a solid ellipsoid with its moments."""
    points = np.argwhere(lost[labels])
    back = np.linalg.inv(matrix)
    own = labels[tuple(points.T)]
    order = np.argsort(own, kind="stable")
    for piece in np.split((points - offset)[order] @ back.T, np.flatnonzero(np.diff(own[order])) + 1):
        centre = piece.mean(axis=0)
        # A voxel is a box, not a point: 1/12 is the variance of a box of width 1; a/sqrt(5) that of an ellipsoid.
        spread = (piece - centre).T @ (piece - centre) / len(piece) + back @ back.T / 12
        variances, axes = np.linalg.eigh(spread)
        semi = np.maximum(np.sqrt(5 * variances), SMALLEST)
        reach = semi.max() * (1 + 0.5 / semi.min()) + 3
        start = np.maximum(np.floor(centre - reach), 0).astype(int)
        stop = np.minimum(np.ceil(centre + reach) + 1, seen.shape).astype(int)
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        place = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(start, stop, strict=True)), indexing="ij"), -1)
        inside = (1 - np.linalg.norm((place - centre) @ axes / semi, axis=-1)) * semi.min() * step_mm
        seen[box] = np.maximum(seen[box], inside)
