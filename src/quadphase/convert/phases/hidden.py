"""Evidence that hangs on something nobody wrote down: the second of injection, how strongly a patient enhances.

Such a quantity is one value for the whole exam, so the stacks cannot be judged one by one. Every plausible value is a
hypothesis with a prior weight; a labeling is as likely as the average over them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HiddenModel"]

_CHUNK = 4096
"""Labelings scored at once; bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HiddenModel:
    """log10 likelihoods of what was observed, for each value of a hidden quantity.

    Parameters
    ----------
    source : str
        Kind of evidence, as `Evidence.source`.
    detail : str
        What was observed, in words, free of identity.
    table : (T, n, 4) ndarray of float64
        log10 density for each hypothesis, acquisition and phase; zero where nothing was observed.
    prior : (T,) ndarray of float64
        log10 weight of each hypothesis.
    """

    source: str
    detail: str
    table: NDArray[np.float64]
    prior: NDArray[np.float64]

    def score(self, labels: NDArray[np.integer]) -> NDArray[np.float64]:
        """log10 likelihood of labelings (N, n), averaged over the hypotheses; shape (N,)."""
        columns = np.arange(labels.shape[1])
        scores = np.empty(len(labels))
        for start in range(0, len(labels), _CHUNK):
            part = labels[start : start + _CHUNK]
            total = self.table[:, columns, part].sum(axis=2) + self.prior[:, None]
            peak = total.max(axis=0)
            scores[start : start + _CHUNK] = peak + np.log10((10 ** (total - peak)).sum(axis=0))
        return scores

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Acquisitions about which something was observed, (n,)."""
        return np.asarray(self.table.any(axis=(0, 2)))
