"""A random walker with priors: from certain liver and hints to a probability at every voxel.

Of all fields p the one is taken that minimises, over neighbouring voxels, w(i, j) (p_i - p_j)² plus
for (1 - p)² plus against p²: it follows the evidence, is smooth inside tissue and steep at edges (Grady 2005, doi
10.1109/CVPR.2005.239). Two properties make it right for a liver: what touches it only through a thin neck stays
outside, since little flows through a neck, and what it encloses (a dark tumour, a vessel) comes in, since nothing
else supplies it. Voxels outside the domain are walls without flow: neither for nor against.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from quadphase.localize.working_grid import BoolArray, FloatArray

MIN_WEIGHT = 1e-4
"""Flow across the sharpest edge, so that the system stays well conditioned."""


def smooth_edges(hu: FloatArray, *, edge_hu: float, steps: int = 8) -> FloatArray:
    """Denoise without crossing edges (Perona and Malik 1990, doi 10.1109/34.56205).

    Parameters
    ----------
    hu : (X, Y, Z) float32 array
    edge_hu : float
        Differences well above this are edges.
    steps : int

    Returns
    -------
    (X, Y, Z) float32 array
    """
    field = hu.astype(np.float32, copy=True)
    for _ in range(steps):
        change = np.zeros_like(field)
        for axis in range(3):
            step = np.diff(field, axis=axis)
            step *= np.exp(-((step / edge_hu) ** 2)) / 7
            lower = [slice(None)] * 3
            upper = [slice(None)] * 3
            lower[axis], upper[axis] = slice(None, -1), slice(1, None)
            change[tuple(lower)] += step
            change[tuple(upper)] -= step
        field += change
    return field


def solve(
    image: FloatArray,
    domain: BoolArray,
    evidence_for: FloatArray,
    evidence_against: FloatArray,
    *,
    edge_hu: float,
    tolerance: float = 1e-5,
) -> FloatArray:
    """Probability field of the random walker.

    Parameters
    ----------
    image : (X, Y, Z) float32 array
        Denoised HU.
    domain : (X, Y, Z) bool array
        Voxels that take part.
    evidence_for, evidence_against : (X, Y, Z) float32 array
        Pull towards 1 and towards 0, in units of the flow between two equal neighbours; large values are seeds.
    edge_hu : float
        Difference at which the flow falls to 1/e.
    tolerance : float
        Relative residual at which the solver stops.

    Returns
    -------
    (X, Y, Z) float32 array
        0 outside the domain.
    """
    out = np.zeros(image.shape, dtype=np.float32)
    count = int(domain.sum())
    if not count:
        return out
    index = np.full(image.shape, -1, dtype=np.int32)
    index[domain] = np.arange(count, dtype=np.int32)
    rows, columns, weights = [], [], []
    for axis in range(3):
        lower = [slice(None)] * 3
        upper = [slice(None)] * 3
        lower[axis], upper[axis] = slice(None, -1), slice(1, None)
        both = domain[tuple(lower)] & domain[tuple(upper)]
        step = (image[tuple(upper)] - image[tuple(lower)])[both]
        rows.append(index[tuple(lower)][both])
        columns.append(index[tuple(upper)][both])
        weights.append(np.exp(-((step / edge_hu) ** 2)).astype(np.float32) + np.float32(MIN_WEIGHT))
    row, column, weight = np.concatenate(rows), np.concatenate(columns), np.concatenate(weights)
    pull_for = evidence_for[domain].astype(np.float32)
    diagonal = (
        np.bincount(row, weight, count)
        + np.bincount(column, weight, count)
        + pull_for
        + evidence_against[domain]
        + 1e-7
    ).astype(np.float32)
    here = np.arange(count, dtype=np.int32)
    system = sparse.coo_array(
        (
            np.concatenate([-weight, -weight, diagonal]),
            (np.concatenate([row, column, here]), np.concatenate([column, row, here])),
        ),
        shape=(count, count),
    ).tocsr()
    scale = 1 / diagonal
    start = pull_for / np.maximum(pull_for + evidence_against[domain], 1e-6)
    result, _ = cg(
        system,
        pull_for,
        x0=start.astype(np.float32),
        rtol=tolerance,
        maxiter=300,
        M=sparse.diags_array(scale, dtype=np.float32),
    )
    out[domain] = np.clip(result, 0, 1)
    return out
