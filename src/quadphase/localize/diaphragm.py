"""Where the chest ends: a height over every column, from the bases of the lungs.

On plain scans the heart lies on the liver with no edge between them. Both lungs end at the diaphragm, so the height
of their bases, continued under the heart as a harmonic surface (the shape of a soap film), tells the two apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.body import Body
from quadphase.localize.working_grid import BoolArray

MIN_BASE_CM2 = 40.0
"""Less lung base than this is a recess at the edge of the scan: too little to continue from."""

DOME_SHARE = 0.55
"""Lung in the right half of the uppermost slices from which on the dome counts as covered by the scan."""

NEAR_LUNG_MM = 25.0
"""Chest wall within this distance of a lung is chest wall above that lung's base."""

MAX_SAG_MM = 25.0
"""The heart sinks the diaphragm at most this far under the right dome."""


def find_diaphragm(body: Body, cavity: BoolArray, *, spacing_mm: float) -> npt.NDArray[np.float64] | None:
    """Height of the diaphragm over each column.

    Parameters
    ----------
    body : Body
    cavity : (X, Y, Z) bool array
    spacing_mm : float

    Returns
    -------
    (X, Y) float array or None
        z index, ``inf`` where the scan does not tell; None when too little lung base is seen.
    """
    lung: BoolArray = ndimage.binary_closing(body.lung, iterations=2) | body.lung
    has: BoolArray = np.asarray(lung.any(axis=2))
    base: npt.NDArray[np.float64] = lung.argmax(axis=2).astype(np.float64)
    seen: BoolArray = has & (base > 0)
    if seen.sum() * spacing_mm**2 / 100 < MIN_BASE_CM2:
        return None
    right: BoolArray = np.arange(seen.shape[0])[:, None] > float(body.midline.mean())
    distance, nearest = ndimage.distance_transform_edt(~has, return_distances=True, return_indices=True)
    height: npt.NDArray[np.float64] = base[tuple(nearest)]
    height[(distance * spacing_mm > NEAR_LUNG_MM)] = np.inf
    hull = _hull_of_rows(has) & ~has
    height[hull] = np.inf
    if _dome_share(lung, cavity, right) > DOME_SHARE:
        soap = _harmonic(np.where(has, base, np.nan), hull | has)
        dome = float(np.percentile(base[seen & right], 98)) if (seen & right).any() else 0.0
        height[hull] = np.maximum(soap, dome - MAX_SAG_MM / spacing_mm)[hull]
    return height


def _dome_share(lung: BoolArray, cavity: BoolArray, right: BoolArray) -> float:
    """Share of the right half of the chest that is lung in the uppermost slices: 1 when the dome is below them."""
    top = slice(max(0, lung.shape[2] - 3), None)
    room = (cavity & right[:, :, None])[:, :, top]
    return float((lung[:, :, top] & room).sum() / max(room.sum(), 1))


def _hull_of_rows(seen: BoolArray) -> BoolArray:
    """Between the outermost lung columns of each row or each line: the part the lungs embrace."""
    hull = np.zeros_like(seen)
    for axis in (0, 1):
        forward = np.maximum.accumulate(seen, axis=axis)
        backward = np.flip(np.maximum.accumulate(np.flip(seen, axis), axis=axis), axis)
        hull |= forward & backward
    return hull


def _harmonic(known: npt.NDArray[np.float64], area: BoolArray) -> npt.NDArray[np.float64]:
    """Fill the unknown part of `area` so that each value is the mean of its neighbours (edges reflect)."""
    fixed = np.isfinite(known)
    nearest = ndimage.distance_transform_edt(~fixed, return_distances=False, return_indices=True)
    value = known[tuple(nearest)]
    value = np.where(fixed, known, ndimage.gaussian_filter(value, 4))
    inside = (area | fixed).astype(float)
    for _ in range(400):
        total = np.zeros_like(value)
        weight = np.zeros_like(value)
        for axis in (0, 1):
            for shift in (1, -1):
                neighbour = np.roll(inside, shift, axis)
                total += np.roll(value, shift, axis) * neighbour
                weight += neighbour
        value = np.where(fixed | (weight == 0), value, total / np.maximum(weight, 1))
    return value
