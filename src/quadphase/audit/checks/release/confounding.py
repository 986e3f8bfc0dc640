"""Age and sex of cancers and controls, as standardised mean differences.

Difference of means over the pooled standard deviation (Austin 2009, doi:10.1002/sim.3697); 0.1 is called balanced,
0.8 large (Cohen 1988). In the published PLC-CECT both exceed 1: a model can tell controls by age and sex alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding, Sex

__all__ = ["check", "standardised_difference"]

LARGE: Final = 0.8
LEAST_SUBJECTS: Final = 10
"""In each group; fewer make any difference likely."""


def standardised_difference(a: Sequence[float], b: Sequence[float]) -> float:
    """(mean a - mean b) / sqrt((variance a + variance b) / 2); infinite if both are constant and differ.

    Examples
    --------
    >>> round(standardised_difference([1, 2, 3], [2, 3, 4]), 3)
    -1.225
    """
    spread = float(np.sqrt((np.var(a) + np.var(b)) / 2))
    gap = float(np.mean(a) - np.mean(b))
    return gap / spread if spread else float(np.sign(gap) * np.inf) if gap else 0.0


def check(context: ReleaseContext) -> Iterator[Finding]:
    cancers = [s for s in context.release if s.diagnosis is not None and s.diagnosis.is_cancer]
    controls = [s for s in context.release if s.diagnosis is not None and not s.diagnosis.is_cancer]
    said = []
    ages = [[s.age_years for s in group if s.age_years is not None] for group in (cancers, controls)]
    if min(map(len, ages)) >= LEAST_SUBJECTS:
        difference = standardised_difference(*ages)
        if abs(difference) > LARGE:
            medians = f"median {np.median(ages[0]):g} against {np.median(ages[1]):g} years"
            said.append(f"age differs by {abs(difference):.2f} standard deviations ({medians})")
    men = [[float(s.sex is Sex.MALE) for s in group if s.sex is not None] for group in (cancers, controls)]
    if min(map(len, men)) >= LEAST_SUBJECTS:
        difference = standardised_difference(*men)
        if abs(difference) > LARGE:
            shares = f"{np.mean(men[0]):.0%} against {np.mean(men[1]):.0%} male"
            said.append(f"sex differs by {abs(difference):.2f} standard deviations ({shares})")
    if said:
        yield Finding.of("age-sex-confounded", context.release.table.name, "cancers and controls: " + "; ".join(said))
