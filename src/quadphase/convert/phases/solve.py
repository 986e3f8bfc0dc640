"""One joint decision: the labeling of an exam's acquisitions that all evidence together makes likeliest.

Every labeling of up to eight acquisitions is scored (at most 65,536), so the best one and every margin are exact. A
phase may be missing or taken twice; what that costs is a prior about how liver exams are run. Scores are log10 of
odds throughout: a margin of 1 means ten to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.hidden import HiddenModel
from quadphase.convert.phases.order import order_score

__all__ = ["MAXIMUM_EXHAUSTIVE", "Solution", "log_prior", "solve"]

MAXIMUM_EXHAUSTIVE: Final = 8
"""Acquisitions up to which every labeling is tried; beyond, only those that follow the known order."""

_REPEAT: Final = (0.3, 0.7, 0.9, 0.7)
"""Cost of each further acquisition labelled P, C1, C2, C3: plain scans are repeated (chest, bone), a second arterial
is a known protocol, a second venous is rare."""

_WITHOUT: Final[dict[tuple[bool, bool, bool], float]] = {
    # (C1, C2, C3 present): cost
    (True, True, True): 0.0,
    (True, True, False): 0.2,
    (False, True, True): 0.7,
    (True, False, True): 1.0,
    (False, True, False): 0.4,
    (True, False, False): 0.7,
    (False, False, True): 1.1,
    (False, False, False): 0.5,
}
_WITHOUT_PLAIN: Final = 0.3
_HOPELESS: Final = 12.0
_MOST: Final = 9.0
"""Margins and marginals are cut here; nothing observed is surer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Best labeling and how it compares.

    Parameters
    ----------
    labels : tuple of int
        Phase rank (0 P … 3 C3) of each acquisition.
    margins : tuple of float
        For each acquisition, log10 of the odds against the best labeling that gives it another phase.
    marginals : (n, 4) ndarray
        Best total with each acquisition held at each phase, minus the best of all (0 at the labels).
    """

    labels: tuple[int, ...]
    margins: tuple[float, ...]
    marginals: NDArray[np.float64]


def candidates(n: int, order: NDArray[np.float64]) -> NDArray[np.int8]:
    """Labelings to try, (N, n)."""
    if n <= MAXIMUM_EXHAUSTIVE:
        return np.indices((4,) * n, dtype=np.int8).reshape(n, -1).T
    rank = np.argsort(-(order > 0).sum(axis=1), kind="stable")
    ascending = np.array(list(combinations_with_replacement(range(4), n)), dtype=np.int8)
    labels = np.empty_like(ascending)
    labels[:, rank] = ascending
    return labels


def solve(
    scores: NDArray[np.float64],
    order: NDArray[np.float64],
    models: Sequence[HiddenModel] = (),
    *,
    fixed: Sequence[int | None] = (),
    with_prior: bool = True,
) -> Solution:
    """Find the likeliest labeling.

    Parameters
    ----------
    scores : (n, 4) ndarray of float64
        Sum of the evidence of each acquisition for each phase, log10 of odds.
    order : (n, n) ndarray of float64
        See `order.order_matrix`.
    models : sequence of HiddenModel
        Evidence that depends on a quantity of the whole exam.
    fixed : sequence of int or None
        Phase ranks a person decided.
    with_prior : bool
        False leaves out what is known of exams in general.
    """
    n = len(scores)
    labels = candidates(n, order)
    for index, rank in enumerate(fixed):
        if rank is not None:
            labels = labels[labels[:, index] == rank]
    total = scores[np.arange(n), labels].sum(axis=1) + order_score(labels, order)
    if with_prior:
        total = total + log_prior(labels)
    for model in models:
        # Labelings hopeless so far stay hopeless; this bounds the work.
        keep = total > total.max() - _HOPELESS
        labels, total = labels[keep], total[keep]
        total = total + model.score(labels)
    best = int(total.argmax())
    marginals = np.full((n, 4), -np.inf)
    for index in range(n):
        for rank in range(4):
            chosen = total[labels[:, index] == rank]
            if len(chosen):
                marginals[index, rank] = chosen.max() - total[best]
    winner = tuple(int(v) for v in labels[best])
    margins = []
    for index, rank in enumerate(winner):
        others = np.delete(marginals[index], rank)
        margins.append(float(min(-others.max(), _MOST)))
    return Solution(labels=winner, margins=tuple(margins), marginals=marginals)


def log_prior(labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """log10 weight of labelings (N, n) as liver exams are usually run, unnormalised; shape (N,)."""
    counts = np.stack([(labels == rank).sum(axis=1) for rank in range(4)], axis=1)
    score = -(np.clip(counts - 1, 0, None) * np.array(_REPEAT)).sum(axis=1)
    present = counts > 0
    score -= _WITHOUT_PLAIN * ~present[:, 0]
    for pattern, cost in _WITHOUT.items():
        score -= cost * (present[:, 1:] == np.array(pattern)).all(axis=1)
    return np.asarray(score, dtype=np.float64)
