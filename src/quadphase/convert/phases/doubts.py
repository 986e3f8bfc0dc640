"""Where an assignment must not be believed without a person: narrow margins, contradictions, phases taken twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from quadphase.convert.phases.choice import FULL_COVERAGE, coverage
from quadphase.convert.phases.features import StackFeatures
from quadphase.model import Evidence, Finding, Phase

__all__ = ["contradictions", "coverage_doubt", "margin_doubt", "repetition"]

_CONTRADICTION: Final = 0.9
"""A kind of evidence contradicts when it favours another phase by more than this (log10 of odds, about 8:1)."""
_WORD_CONTRADICTION: Final = 0.55
"""Of words less is enough: a person wrote another phase, be it as a single letter."""


def margin_doubt(margin: float, minimum: float, where: str) -> Iterable[Finding]:
    """``phase-narrow-margin``."""
    if margin < minimum:
        yield Finding.of("phase-narrow-margin", where, f"Margin {margin:.1f}, at least {minimum:g} is wanted")


def contradictions(evidence: Iterable[Evidence], phase: Phase, where: str) -> Iterable[Finding]:
    """``phase-contradiction``, one for each kind of evidence that clearly favours another phase."""
    seen = set()
    for item in evidence:
        favourite = max(item.scores, key=lambda p: item.scores[p])
        against = item.scores[favourite] - item.scores.get(phase, 0.0)
        limit = _WORD_CONTRADICTION if item.source == "text" else _CONTRADICTION
        if against > limit and item.source not in seen:
            seen.add(item.source)
            yield Finding.of(
                "phase-contradiction",
                where,
                f"{item.source} speaks for {favourite.value}, not {phase.value}: {item.detail}",
            )


def repetition(
    phase: Phase, groups: Sequence[Sequence[StackFeatures]], stacks: Sequence[StackFeatures], used: int, where: str
) -> Iterable[Finding]:
    """``phase-repeated`` or ``plain-repeated``, if more than one acquisition could serve as this phase.

    Parameters
    ----------
    groups : sequence of sequence of StackFeatures
        The acquisitions labelled with this phase.
    used : int
        Index of the stack that is used.
    """
    complete = [g for g in groups if max(coverage(stack, stacks) for stack in g) >= FULL_COVERAGE]
    if len(complete) > 1:
        code = "plain-repeated" if phase is Phase.P else "phase-repeated"
        yield Finding.of(code, where, f"{len(complete)} acquisitions are this phase; stack {used} would be used")


def coverage_doubt(stack: StackFeatures, stacks: Sequence[StackFeatures], where: str) -> Iterable[Finding]:
    """``phase-partial-coverage``."""
    share = coverage(stack, stacks)
    if share < FULL_COVERAGE:
        yield Finding.of("phase-partial-coverage", where, f"Covers {share:.0%} of the exam's common range")
