"""Evidence from enhancement: how bright aorta, liver and kidneys are, against what the literature expects.

People enhance differently (weight, heart, injection rate) and livers differ before any contrast (fat), so both are
hidden quantities of the exam: what counts is the pattern over its stacks, not a threshold in HU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.features import EnhancementMeasures
from quadphase.convert.phases.hidden import HiddenModel

__all__ = ["appearance_model"]

_EXPECTED: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    # measure: (mean, standard deviation) in plain, arterial, venous, delayed
    "aorta_hu": ((42, 10), (265, 60), (156, 22), (120, 15)),
    "liver_hu": ((57, 6), (82, 15), (111, 11), (97, 9)),
    "cortex_hu": ((36, 10), (180, 40), (178, 25), (157, 22)),
    "corticomedullary_hu": ((6, 7), (62, 25), (24, 12), (9, 9)),
}
"""HU at 120 kV. Aorta and liver: Goshima et al., AJR 2006;187:W25 (bolus tracking, late arterial and venous) and Bae,
Radiology 2010;256:32 (doi:10.1148/radiol.10090908); plain liver: Kodama et al., AJR 2007 (doi:10.2214/AJR.06.0992);
kidneys: Birnbaum et al., Radiology 1996;200:753, blurred to the 4 mm of a thumbnail. Deviations are wide because
protocols differ."""

_STRENGTHS: Final = np.linspace(0.5, 1.7, 13)
_STRENGTH_SPREAD: Final = 0.25
"""Of ln(strength): enhancement per patient varies by about a quarter (Bae 2010)."""

_LIVER_OFFSETS: Final = ((-35.0, 0.05), (-25.0, 0.1), (-15.0, 0.15), (-5.0, 0.3), (3.0, 0.3), (12.0, 0.1))
"""Plain liver against its mean, with prior weights: fat darkens it by up to 40 HU, iron and glycogen brighten it."""

_OUTLIER: Final = 5e-4
"""Density per HU of a measurement at the wrong place: one miss must not decide. Set so that margins keep their promise
when phantom measurements are disturbed by 12 % and 8 HU (`benchmarks/phases.py`)."""

_DEPENDENCE: Final = 0.7
"""The measures of one stack are not independent witnesses; their logarithms are shrunk by this."""

_PLAIN = {name: means[0][0] for name, means in _EXPECTED.items()}


def appearance_model(measures: Sequence[EnhancementMeasures | None]) -> HiddenModel | None:
    """Model of an exam's enhancement; None if no stack could be measured."""
    if not any(values is not None and _values(values) for values in measures):
        return None
    offsets = [offset for offset, _ in _LIVER_OFFSETS]
    table = np.zeros((len(_STRENGTHS) * len(offsets), len(measures), 4))
    for n, values in enumerate(measures):
        if values is None:
            continue
        for name, value in _values(values).items():
            table[:, n, :] += _DEPENDENCE * _log_density(name, value, offsets)
    strength = np.exp(-0.5 * (np.log(_STRENGTHS) / _STRENGTH_SPREAD) ** 2)
    prior = np.outer(strength, [weight for _, weight in _LIVER_OFFSETS]).ravel()
    return HiddenModel(
        source="enhancement",
        detail="aorta, liver and kidneys in the image",
        table=table,
        prior=np.log10(prior / prior.sum()),
    )


def _values(measures: EnhancementMeasures) -> dict[str, float]:
    found = {name: getattr(measures, name) for name in ("aorta_hu", "liver_hu", "cortex_hu")}
    if measures.cortex_hu is not None and measures.medulla_hu is not None:
        found["corticomedullary_hu"] = measures.cortex_hu - measures.medulla_hu
    return {name: value for name, value in found.items() if value is not None}


def _log_density(name: str, value: float, offsets: Sequence[float]) -> NDArray[np.float64]:
    """(hypotheses, 4) log10 density per HU of one measurement."""
    means = np.array([mean for mean, _ in _EXPECTED[name]])
    spreads = np.array([spread for _, spread in _EXPECTED[name]])
    expected = _PLAIN[name] + _STRENGTHS[:, None, None] * (means - _PLAIN[name])
    shift = np.array(offsets) if name == "liver_hu" else np.zeros(len(offsets))
    z = (value - expected - shift[None, :, None]) / spreads
    density = np.exp(-0.5 * z**2) / (spreads * np.sqrt(2 * np.pi)) + _OUTLIER
    return np.asarray(np.log10(density).reshape(-1, 4))
