"""Permutation tests: does an order, or a membership, tell the label?

Nothing is assumed about the data: the statistic of what is there is compared with the same statistic after shuffling
the labels, and p is the share of shuffles that do as well, counting the data itself (Phipson & Smyth 2010,
doi:10.2202/1544-6115.1585).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

__all__ = ["SHUFFLES", "membership_p_value", "order_p_value"]

SHUFFLES: Final = 20_000
BATCH: Final = 1_000
"""Shuffles held in memory at once."""


def order_p_value(values: ArrayLike, labels: Sequence[Hashable], *, shuffles: int = SHUFFLES, seed: int = 0) -> float:
    """Chance that labels in random order lie as unevenly along `values` as they do.

    The statistic is the larger of two, each in units of its spread under shuffling: the variance of the classes' mean
    ranks (Kruskal-Wallis; finds classes that come early or late) and the number of neighbours of the same class (finds
    classes in several blocks). Tied values have no order: they share their rank, and neighbours are counted between
    different values only.

    Parameters
    ----------
    values : (N,) array_like of float
        Ids as numbers, rows, times.
    labels : sequence of N hashables
    shuffles, seed : int

    Returns
    -------
    float
        Between 1 / (shuffles + 1) and 1; 1 when all values or all labels are the same.

    Examples
    --------
    >>> order_p_value(range(40), ["HCC"] * 20 + ["CN"] * 20) < 0.001
    True
    """
    given = np.asarray(values, dtype=np.float64)
    codes = _codes(labels)
    if len(given) < 2 or len(set(given.tolist())) < 2 or codes.max(initial=0) == 0:
        return 1.0
    order = np.argsort(given, kind="stable")
    ranks = rankdata(given)[order]
    apart = np.diff(given[order]) > 0
    # A constant sum of values would be a statement about ranks alone, so labels are shuffled, not ranks.
    return _p_value(codes[order], lambda shuffled: _unevenness(shuffled, ranks, apart), shuffles, seed)


def membership_p_value(
    groups: Sequence[Hashable], labels: Sequence[Hashable], *, shuffles: int = SHUFFLES, seed: int = 0
) -> float:
    """Chance that labels dealt to the groups at random differ between them as much as they do (chi-squared).

    Parameters
    ----------
    groups : sequence of N hashables
        Fold or split of each subject.
    labels : sequence of N hashables
    """
    members, codes = _codes(groups), _codes(labels)
    if len(codes) < 2 or members.max(initial=0) == 0 or codes.max(initial=0) == 0:
        return 1.0
    sizes = np.bincount(members).astype(np.float64)
    totals = np.bincount(codes).astype(np.float64)
    expected = sizes[:, None] * totals[None, :] / len(codes)

    def chi_squared(shuffled: NDArray[np.int64]) -> NDArray[np.float64]:
        cells = shuffled + members[None, :] * len(totals)
        offset = np.arange(len(shuffled))[:, None] * expected.size
        counts = np.bincount((cells + offset).ravel(), minlength=len(shuffled) * expected.size)
        table = counts.reshape(len(shuffled), *expected.shape)
        statistic: NDArray[np.float64] = ((table - expected) ** 2 / expected).sum(axis=(1, 2))
        return statistic[:, None]

    return _p_value(codes, chi_squared, shuffles, seed)


def _codes(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(label, len(first)) for label in labels], dtype=np.int64)


def _unevenness(shuffled: NDArray[np.int64], ranks: NDArray[Any], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(shuffles, 2): spread of the classes' mean ranks, neighbours alike."""
    spread = np.zeros(len(shuffled))
    centre = ranks.mean()
    for code in range(int(shuffled.max()) + 1):
        member = shuffled == code
        count = member.sum(axis=1)
        spread += (member @ ranks - count * centre) ** 2 / np.maximum(count, 1)
    alike = (shuffled[:, 1:] == shuffled[:, :-1]) & apart
    return np.stack([spread, alike.sum(axis=1).astype(np.float64)], axis=1)


def _p_value(codes: NDArray[np.int64], statistics: Any, shuffles: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    sizes = (min(BATCH, shuffles - start) for start in range(0, shuffles, BATCH))
    shuffled = (rng.permuted(np.tile(codes, (size, 1)), axis=1) for size in sizes)
    values = np.concatenate([statistics(codes[None, :]), *map(statistics, shuffled)])
    spread = values.std(axis=0)
    scaled = ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).max(axis=1)
    return float(np.count_nonzero(scaled >= scaled[0] - 1e-9)) / (shuffles + 1)
