"""A liver's shape: one piece, no threads, no holes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from quadphase.localize.working_grid import BoolArray

THREAD_MM = 6.0
"""Radius of the opening: strips of muscle, diaphragm and vessel walls are thinner than twice this."""


LEAST_PART_ML = 10.0
"""Smaller pieces beside the largest are leaks."""


def tidy(mask: BoolArray, *, spacing_mm: float, apart: BoolArray | None = None) -> BoolArray:
    """Fill holes in every axial plane, cut threads, keep the largest piece and those that lie in `apart`.

    Parameters
    ----------
    mask : (X, Y, Z) bool array
    spacing_mm : float
    apart : (X, Y, Z) bool array, optional
        Where a piece of its own is expected, as the left lateral segment beyond its fissure.

    Returns
    -------
    (X, Y, Z) bool array
    """
    filled = np.zeros_like(mask)
    for k in range(mask.shape[2]):
        filled[:, :, k] = ndimage.binary_fill_holes(mask[:, :, k])
    radius = max(1, round(THREAD_MM / spacing_mm))
    ball = _flat_ball(radius)
    pad = ((0, 0), (0, 0), (1, 1))
    opened = ndimage.binary_opening(np.pad(filled, pad, mode="edge"), ball)[:, :, 1:-1]
    least = LEAST_PART_ML * 1000 / spacing_mm**3
    thick = _pieces(opened, apart, least)
    return _pieces(filled & ndimage.binary_dilation(thick, iterations=radius), apart, least)


def _flat_ball(radius: int) -> BoolArray:
    """Ball of a full disk in its own plane and a smaller one above and below."""
    grid = np.arange(-radius, radius + 1)
    square = grid[:, None] ** 2 + grid[None, :] ** 2
    ball = np.repeat((square <= radius**2 + 1)[:, :, None], 3, axis=2)
    ball[:, :, ::2] = (square <= 2)[:, :, None]
    return np.asarray(ball)


def _pieces(mask: BoolArray, apart: BoolArray | None, least: float) -> BoolArray:
    """The largest piece, and others of at least `least` voxels that lie in `apart` for the most part."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = np.zeros(count + 1, dtype=bool)
    if apart is not None:
        expected = np.bincount(labels[apart], minlength=count + 1)
        keep = (sizes >= least) & (expected > 0.5 * sizes)
    keep[sizes.argmax()] = True
    return np.asarray(keep[labels])
