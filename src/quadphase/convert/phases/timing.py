"""Evidence from clocks: when each scan started, against the delays of the protocol.

The time of injection is often unknown, so it is a hidden variable: every second in question is tried, and an
assignment is as likely as the average over them. A header's ContrastBolusStartTime only narrows them down. Delays
scatter log-normally around the protocol's; a small constant keeps one wrong clock from deciding an exam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.hidden import HiddenModel
from quadphase.model import Evidence, Phase

__all__ = ["stated_delay_evidence", "time_model"]

_SPREAD: Final = {Phase.C1: 0.25, Phase.C2: 0.25, Phase.C3: 0.40}
"""Standard deviation of ln(delay). Bolus triggering makes the arterial delay vary by about a quarter (Bae 2010,
doi:10.1148/radiol.10090908); delayed scans are taken from 150 s to 5 min."""

_PLAIN_LEAD_S: Final = 60.0
"""Median time between the plain scan and the injection, log-normal with sigma 1: the patient stays on the table."""

_OUTLIER_PER_S: Final = 1e-5
"""Density of times that follow no protocol."""

_BOLUS_SPREAD_S: Final = 8.0
"""Scanners note the start of injection, of the bolus or of monitoring; they differ by seconds."""

_STEP_S: Final = 3.0

Array = NDArray[np.float64]


def time_model(
    acquired_s: Sequence[float | None], contrast_start_s: Sequence[float | None], delay_s: Mapping[Phase, float]
) -> HiddenModel | None:
    """Model of an exam's acquisition times; None if they cannot tell phases apart.

    Parameters
    ----------
    acquired_s : sequence of float or None
        Start of each acquisition.
    contrast_start_s : sequence of float or None
        Start of the bolus as each header gives it, on the same clock.
    delay_s : mapping of phase to float
        The protocol's delays after injection.
    """
    times = [t for t in acquired_s if t is not None]
    starts = [t for t in contrast_start_s if t is not None]
    if not times or (len({round(t) for t in times}) < 2 and not starts):
        return None
    lowest, highest = min(times) - 600.0, max(times) + 240.0
    injected = np.arange(lowest, highest, max(_STEP_S, (highest - lowest) / 2000))
    table = np.zeros((len(injected), len(acquired_s), len(Phase)))
    for n, at in enumerate(acquired_s):
        if at is not None:
            table[:, n, :] = _log_density(at - injected, delay_s)
    prior = np.full(len(injected), 1.0)
    if starts:
        bolus = float(np.median(starts))
        prior = 0.02 + np.exp(-0.5 * ((injected - bolus) / _BOLUS_SPREAD_S) ** 2) * len(injected) / 10
    return HiddenModel(
        source="time",
        detail="acquisition times" + (" and start of the bolus" if starts else ""),
        table=table,
        prior=np.log10(prior / prior.sum()),
    )


def _log_density(after_s: Array, delay_s: Mapping[Phase, float]) -> Array:
    """log10 density per second of a scan `after_s` the injection, (T, 4)."""
    columns = []
    for phase in Phase:
        sign = -1.0 if phase is Phase.P else 1.0
        median = _PLAIN_LEAD_S if phase is Phase.P else delay_s.get(phase, _DEFAULT_DELAY_S[phase])
        columns.append(_log_normal(sign * after_s, median, _SPREAD.get(phase, 1.0)))
    return np.log10(np.stack(columns, axis=1) + _OUTLIER_PER_S)


_DEFAULT_DELAY_S: Final = {Phase.C1: 30.0, Phase.C2: 60.0, Phase.C3: 180.0}


def _log_normal(x: Array, median: float, sigma: float) -> Array:
    inside = np.clip(x, 1e-3, None)
    density = np.exp(-0.5 * (np.log(inside / median) / sigma) ** 2) / (inside * sigma * np.sqrt(2 * np.pi))
    return np.where(x > 0, density, 0.0)


def stated_delay_evidence(delay: float, delay_s: Mapping[Phase, float]) -> Evidence:
    """Evidence of a delay written in a description, in seconds after injection."""
    scores = _log_density(np.array([delay]), delay_s)[0]
    best = float(scores.max())
    # A written delay is what was planned, so it cannot weigh more than a clear word.
    values = {phase: max(float(scores[phase.order]) - best, -1.3) for phase in Phase}
    return Evidence(source="delay", scores=values, detail=f"description states {delay:g} s after injection")
