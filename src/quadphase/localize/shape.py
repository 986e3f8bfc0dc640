"""A liver's shape: one piece, no threads, no holes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from quadphase.localize.working_grid import BoolArray

THREAD_MM = 6.0
"""Radius of the opening: strips of muscle, diaphragm and vessel walls are thinner than twice this."""


def tidy(mask: BoolArray, *, spacing_mm: float) -> BoolArray:
    """Fill holes in every axial plane, cut threads, keep the largest piece.

    Parameters
    ----------
    mask : (X, Y, Z) bool array
    spacing_mm : float

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
    thick = _largest(opened)
    return _largest(filled & ndimage.binary_dilation(thick, iterations=radius))


def _flat_ball(radius: int) -> BoolArray:
    """Ball of a full disk in its own plane and a smaller one above and below."""
    grid = np.arange(-radius, radius + 1)
    square = grid[:, None] ** 2 + grid[None, :] ** 2
    ball = np.repeat((square <= radius**2 + 1)[:, :, None], 3, axis=2)
    ball[:, :, ::2] = (square <= 2)[:, :, None]
    return np.asarray(ball)


def _largest(mask: BoolArray) -> BoolArray:
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    return np.asarray(labels == np.bincount(labels.ravel())[1:].argmax() + 1)
