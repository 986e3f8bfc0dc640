"""All evidence about the stacks of an exam, gathered: what each says by itself, and what hangs on the whole exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.appearance import appearance_model
from quadphase.convert.phases.contrast import contrast_evidence
from quadphase.convert.phases.features import StackFeatures
from quadphase.convert.phases.hidden import HiddenModel
from quadphase.convert.phases.solve import solve
from quadphase.convert.phases.text import Reading, text_evidence
from quadphase.convert.phases.timing import stated_delay_evidence, time_model
from quadphase.model import Evidence, Phase

__all__ = ["acquisition_scores", "exam_models", "model_evidence", "stack_evidence"]

_LEAST: Final = -6.0
"""Recorded scores stop here; below, the number only says "no"."""


def stack_evidence(
    stacks: Sequence[StackFeatures], readings: Sequence[Reading], delay_s: Mapping[Phase, float]
) -> list[list[Evidence]]:
    """What each stack says by itself: words, contrast attributes, stated delays."""
    found: list[list[Evidence]] = []
    for reading, tags in zip(readings, contrast_evidence(stacks), strict=True):
        items = [item for item in (text_evidence(reading), tags) if item is not None]
        if reading.delay_s:
            items.append(stated_delay_evidence(reading.delay_s, delay_s))
        found.append(items)
    return found


def acquisition_scores(evidence: Sequence[Sequence[Evidence]]) -> list[float]:
    """Scores of one acquisition for P, C1, C2, C3.

    Several reconstructions repeat each other's headers, so each source counts once, with its mean.
    """
    by_source: dict[str, list[dict[Phase, float]]] = {}
    for item in (item for stack in evidence for item in stack):
        by_source.setdefault(item.source, []).append(item.scores)
    return [
        sum(float(np.mean([scores.get(phase, 0.0) for scores in seen])) for seen in by_source.values())
        for phase in Phase
    ]


def exam_models(groups: Sequence[Sequence[StackFeatures]], delay_s: Mapping[Phase, float]) -> list[HiddenModel]:
    """Clocks and enhancement of the acquisitions of an exam."""
    first = [group[0] for group in groups]
    timing = time_model([s.acquisition_s for s in first], [s.contrast_start_s for s in first], delay_s)
    seen = [next((s.enhancement for s in group if s.enhancement is not None), None) for group in groups]
    return [model for model in (timing, appearance_model(seen)) if model is not None]


def model_evidence(model: HiddenModel, order: NDArray[np.float64]) -> list[Evidence | None]:
    """For the record: what one model says about each acquisition without any other evidence.

    Clocks are read together with the order they imply.
    """
    n = model.table.shape[1]
    alone = solve(np.zeros((n, len(Phase))), order * (model.source == "time"), (model,), with_prior=False)
    return [
        Evidence(
            source=model.source,
            scores={phase: max(round(float(row[phase.order]), 3), _LEAST) for phase in Phase},
            detail=model.detail,
        )
        if observed
        else None
        for row, observed in zip(alone.marginals, model.observed, strict=True)
    ]
