"""Evidence from order: which of two stacks was acquired first, and how sure that is.

Phases come in the order P < C1 < C2 < C3. Acquisition times decide; without them acquisition numbers count much,
instance numbers inside one series less, series numbers little (reconstructions and archives renumber them).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.features import StackFeatures

__all__ = ["CERTAIN", "order_matrix", "order_score"]

CERTAIN: Final = 6.0
"""log10 of the odds that acquisition times are in order."""
_ACQUISITION_NUMBER: Final = 1.5
_INSTANCE_NUMBER: Final = 1.0
_SERIES_NUMBER: Final = 0.4
_SAME_TIME_S: Final = 1.0


def _before(a: StackFeatures, b: StackFeatures) -> float:
    """Weight of "a was acquired before b": positive yes, negative no, 0 unknown."""
    if a.acquisition_s is not None and b.acquisition_s is not None:
        gap = b.acquisition_s - a.acquisition_s
        return 0.0 if abs(gap) < _SAME_TIME_S else CERTAIN * np.sign(gap)
    if a.acquisition_number is not None and b.acquisition_number is not None:
        gap = b.acquisition_number - a.acquisition_number
        if gap:
            return _ACQUISITION_NUMBER * float(np.sign(gap))
    if a.series_group and a.series_group == b.series_group and a.instance_range and b.instance_range:
        if a.instance_range[1] < b.instance_range[0]:
            return _INSTANCE_NUMBER
        if b.instance_range[1] < a.instance_range[0]:
            return -_INSTANCE_NUMBER
    if a.series_number is not None and b.series_number is not None and a.series_number != b.series_number:
        return _SERIES_NUMBER * float(np.sign(b.series_number - a.series_number))
    return 0.0


def order_matrix(stacks: Sequence[StackFeatures]) -> NDArray[np.float64]:
    """(n, n) weights: entry [a, b] > 0 says that a was acquired before b; antisymmetric."""
    n = len(stacks)
    matrix = np.zeros((n, n))
    for a, b in combinations(range(n), 2):
        matrix[a, b] = _before(stacks[a], stacks[b])
        matrix[b, a] = -matrix[a, b]
    return matrix


def order_score(labels: NDArray[np.integer], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Penalty (negative, log10 of odds) of labelings (N, n) that contradict the order; shape (N,)."""
    score = np.zeros(len(labels))
    for a, b in zip(*np.nonzero(matrix > 0), strict=True):
        score -= matrix[a, b] * (labels[:, a] > labels[:, b])
    return score
