"""From a mask to the slices that hold liver."""

from __future__ import annotations

import math

from quadphase.imaging.crop import slice_range
from quadphase.localize.results import NoLiverError, NoLiverReason
from quadphase.model import Mask


def slices_with_liver(mask: Mask) -> tuple[int, int]:
    """`slice_range` in the form of `LiverResult.k_range`: ``(0, 0)`` for an empty mask."""
    return slice_range(mask.voxels) or (0, 0)


def liver_range(mask: Mask, *, margin_mm: float = 0.0) -> tuple[int, int]:
    """Slices with liver, widened on both sides, cut at the ends of the volume.

    Parameters
    ----------
    mask : Mask
    margin_mm : float
        Added above and below, along the distance between slices; rounded up to whole slices.

    Returns
    -------
    first, stop : int
        Half-open, 0-based indices of the last array axis.

    Raises
    ------
    NoLiverError
        ``too-small`` for an empty mask.
    ValueError
        For a negative margin.

    Examples
    --------
    >>> import numpy as np
    >>> voxels = np.zeros((4, 4, 10), bool)
    >>> voxels[:, :, 4:6] = True
    >>> from quadphase.model import Grid
    >>> mask = Mask(voxels=voxels, grid=Grid((4, 4, 10), np.diag([1.0, 1.0, 2.5, 1.0])))
    >>> liver_range(mask, margin_mm=5)
    (2, 8)
    """
    if margin_mm < 0:
        raise ValueError(f"margin_mm is {margin_mm}, but a margin cannot be negative")
    first, stop = slices_with_liver(mask)
    if stop == 0:
        raise NoLiverError(NoLiverReason.TOO_SMALL, "The mask is empty", "It has no slice range")
    extra = math.ceil(margin_mm / mask.grid.spacing_mm[2] - 1e-6)
    return max(0, first - extra), min(mask.grid.shape[2], stop + extra)
