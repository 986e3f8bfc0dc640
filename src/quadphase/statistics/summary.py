"""Summaries that always know how many values they rest on: `Quartiles` of numbers and `Share` of a whole.

Quartiles are those of the paper (and of NumPy, pandas and R's default, type 7): linear interpolation between order
statistics, Hyndman & Fan 1996, doi:10.2307/2684934.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["Quartiles", "Share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartiles:
    """Median, quartiles and range of the known values among `total`.

    Parameters
    ----------
    known : int
        Values the numbers rest on, at least 1.
    total : int
        Values there should be.
    """

    known: int
    total: int
    median: float
    lower: float
    upper: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Quartiles | None:
        """Summarise; None among the values is unknown. None if nothing is known."""
        given = list(values)
        known = np.array([v for v in given if v is not None], dtype=np.float64)
        if known.size == 0:
            return None
        lower, median, upper = (float(q) for q in np.percentile(known, [25, 50, 75]))
        return cls(
            known=int(known.size),
            total=len(given),
            median=median,
            lower=lower,
            upper=upper,
            minimum=float(known.min()),
            maximum=float(known.max()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `known`, where `total` should be known.

    Percentages are of `known`: an unknown sex is neither male nor female.
    """

    count: int
    known: int
    total: int

    @property
    def percent(self) -> float:
        return 100.0 * self.count / self.known if self.known else float("nan")
