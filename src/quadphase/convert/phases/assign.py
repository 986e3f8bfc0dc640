"""`assign`: from the evidence of all stacks of an exam to one phase for each, with margins and findings.

Stacks that reconstruct one acquisition are judged together. What people must decide (contradictions, narrow margins,
unknown overrides) comes out as findings of `REVIEW_CODES`; nothing is settled by silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.acquisitions import group_acquisitions
from quadphase.convert.phases.appearance import appearance_model
from quadphase.convert.phases.choice import FULL_COVERAGE, best_stack, coverage
from quadphase.convert.phases.contrast import contrast_evidence
from quadphase.convert.phases.features import StackFeatures
from quadphase.convert.phases.hidden import HiddenModel
from quadphase.convert.phases.order import order_matrix
from quadphase.convert.phases.overrides import PhaseOverride
from quadphase.convert.phases.solve import MAXIMUM_EXHAUSTIVE, Solution, solve
from quadphase.convert.phases.text import read_texts, text_evidence
from quadphase.convert.phases.timing import stated_delay_evidence, time_model
from quadphase.model import Evidence, Finding, Phase
from quadphase.model.protocol.sections import PhasesSection

__all__ = ["REVIEW_CODES", "Assignment", "assign"]

REVIEW_CODES = frozenset({"phase-contradiction", "phase-narrow-margin", "phase-override-unknown"})
"""Findings that hold a case until a person decides."""

_CONTRADICTION = 0.9
"""A kind of evidence contradicts when it favours another phase by more than this (log10 of odds, about 8:1)."""

_PHASES = tuple(Phase)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Phases of an exam.

    Parameters
    ----------
    by_phase : mapping of Phase to int
        ``StackFeatures.index`` of the stack to use for each phase found.
    labels : mapping of int to Phase or None
        Phase of every stack by index, chosen or not; None for stacks a person left out.
    evidence : mapping of int to tuple of Evidence
        By stack index. Scores are log10 of odds.
    margins : mapping of Phase to float
        log10 of the odds of the assignment against the best one that gives the chosen stack another phase.
    assigned_by : mapping of Phase to str
        ``"evidence"`` or the author of an override.
    missing : tuple of Phase
        Required phases without a stack.
    findings : tuple of Finding
    """

    by_phase: Mapping[Phase, int]
    labels: Mapping[int, Phase | None]
    evidence: Mapping[int, tuple[Evidence, ...]]
    margins: Mapping[Phase, float]
    assigned_by: Mapping[Phase, str]
    missing: tuple[Phase, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def margin(self) -> float | None:
        """Smallest margin of the exam; None without phases."""
        return min(self.margins.values(), default=None)

    @property
    def needs_review(self) -> bool:
        """Whether a person must decide before the case goes on."""
        return any(finding.code in REVIEW_CODES for finding in self.findings)


def assign(
    stacks: Sequence[StackFeatures],
    settings: PhasesSection,
    overrides: Sequence[PhaseOverride] = (),
    *,
    case: str = "",
) -> Assignment:
    """Assign phases to the stacks of one exam.

    Parameters
    ----------
    stacks : sequence of StackFeatures
        Candidates: axial volumes of one exam with enough slices, any order.
    settings : PhasesSection
    overrides : sequence of PhaseOverride
        Of this case; see `overrides.load_overrides`.
    case : str
        Pseudonym, the location of findings.
    """
    stacks = sorted(stacks, key=lambda stack: stack.index)
    findings: list[Finding] = []
    decided = _decided(stacks, overrides, case, findings)
    left_out = [stack for stack in stacks if stack.index in decided and decided[stack.index].phase is None]
    stacks = [stack for stack in stacks if stack not in left_out]
    if not stacks:
        return _empty(left_out, settings, case, findings)
    readings = read_texts(stacks)
    groups = group_acquisitions(stacks, readings)
    evidence = _evidence(stacks, settings)
    first = [stacks[group[0]] for group in groups]
    fixed = [_fixed(group, stacks, decided) for group in groups]
    models = _models([[stacks[n] for n in group] for group in groups], settings)
    matrix = order_matrix(first)
    scores = np.array([_group_scores([evidence[n] for n in group]) for group in groups])
    solution = solve(scores, matrix, models, fixed=fixed)
    for model in models:
        for group, item in zip(groups, _alone(model), strict=True):
            if item is not None:
                for n in group:
                    evidence[n].append(item)
    by_phase, margins, assigned_by = _choose(stacks, groups, solution, scores, decided)
    labels: dict[int, Phase | None] = {stack.index: None for stack in left_out}
    for group, rank in zip(groups, solution.labels, strict=True):
        labels.update({stacks[n].index: _PHASES[rank] for n in group})
    missing = tuple(phase for phase in settings.required if phase not in by_phase)
    by_index = {stack.index: tuple(items) for stack, items in zip(stacks, evidence, strict=True)}
    result = Assignment(
        by_phase=by_phase, labels=labels, evidence=by_index, margins=margins, assigned_by=assigned_by, missing=missing
    )
    findings += _findings(result, stacks, groups, settings, case)
    if any(reading.repaired for reading in readings):
        findings.append(Finding.of("phase-text-repaired", case, "Descriptions were read again as Chinese text"))
    if len(groups) > MAXIMUM_EXHAUSTIVE:
        findings.append(
            Finding.of(
                "phase-many-acquisitions", case, f"{len(groups)} acquisitions; only labelings in order were tried"
            )
        )
    return replace(result, findings=tuple(findings))


def _empty(
    left_out: Sequence[StackFeatures], settings: PhasesSection, case: str, findings: list[Finding]
) -> Assignment:
    found = [*findings, *(_missing(phase, case) for phase in settings.required)]
    return Assignment(
        by_phase={},
        labels={stack.index: None for stack in left_out},
        evidence={},
        margins={},
        assigned_by={},
        missing=tuple(settings.required),
        findings=tuple(found),
    )


def _missing(phase: Phase, case: str) -> Finding:
    return Finding.of("missing-phase", case, f"No stack is the {phase.label.lower()} phase ({phase.value})")


def _decided(
    stacks: Sequence[StackFeatures], overrides: Sequence[PhaseOverride], case: str, findings: list[Finding]
) -> dict[int, PhaseOverride]:
    decided: dict[int, PhaseOverride] = {}
    for override in overrides:
        hits = [
            s.index
            for s in stacks
            if (override.stack == s.index if override.series is None else override.series == s.series)
        ]
        if len(hits) != 1:
            name = override.series or f"stack {override.stack}"
            findings.append(
                Finding.of("phase-override-unknown", case, f"phases.csv names {name}, which this exam has not")
            )
            continue
        decided[hits[0]] = override
        what = override.phase.value if override.phase else "none"
        findings.append(Finding.of("phase-overridden", case, f"Stack {hits[0]} is {what} by {override.author}"))
    return decided


def _fixed(group: Sequence[int], stacks: Sequence[StackFeatures], decided: Mapping[int, PhaseOverride]) -> int | None:
    ranks = {d.phase.order for n in group if (d := decided.get(stacks[n].index)) and d.phase}
    return ranks.pop() if len(ranks) == 1 else None


def _evidence(stacks: Sequence[StackFeatures], settings: PhasesSection) -> list[list[Evidence]]:
    readings = read_texts(stacks)
    contrast = contrast_evidence(stacks)
    found: list[list[Evidence]] = []
    for stack, reading, tags in zip(stacks, readings, contrast, strict=True):
        items = [item for item in (text_evidence(reading), tags) if item is not None]
        delay, where = (stack.trigger_delay_s, "header") if stack.trigger_delay_s else (reading.delay_s, "description")
        if delay:
            items.append(stated_delay_evidence(delay, settings.delay_s, where=where))
        found.append(items)
    return found


def _group_scores(items: Sequence[Sequence[Evidence]]) -> list[float]:
    """Evidence of one acquisition: per source the mean over its reconstructions, then the sum of sources."""
    by_source: dict[str, list[dict[Phase, float]]] = {}
    for evidence in (item for stack in items for item in stack):
        by_source.setdefault(evidence.source, []).append(evidence.scores)
    return [
        sum(float(np.mean([scores.get(phase, 0.0) for scores in seen])) for seen in by_source.values())
        for phase in _PHASES
    ]


def _models(groups: Sequence[Sequence[StackFeatures]], settings: PhasesSection) -> list[HiddenModel]:
    first = [group[0] for group in groups]
    timing = time_model([s.acquisition_s for s in first], [s.contrast_start_s for s in first], settings.delay_s)
    seen = [next((s.enhancement for s in group if s.enhancement is not None), None) for group in groups]
    return [model for model in (timing, appearance_model(seen)) if model is not None]


def _alone(model: HiddenModel) -> list[Evidence | None]:
    """For the record: what one hidden-quantity model says about each acquisition, without any other evidence."""
    n = model.table.shape[1]
    marginals = solve(np.zeros((n, len(_PHASES))), np.zeros((n, n)), (model,), with_prior=False).marginals
    return [
        Evidence(
            source=model.source,
            scores={phase: max(float(row[phase.order]), -6.0) for phase in _PHASES},
            detail=model.detail,
        )
        if observed
        else None
        for row, observed in zip(marginals, model.observed, strict=True)
    ]


def _choose(
    stacks: Sequence[StackFeatures],
    groups: Sequence[Sequence[int]],
    solution: Solution,
    scores: Scores,
    decided: Mapping[int, PhaseOverride],
) -> tuple[dict[Phase, int], dict[Phase, float], dict[Phase, str]]:
    by_phase: dict[Phase, int] = {}
    margins: dict[Phase, float] = {}
    assigned_by: dict[Phase, str] = {}
    for phase in _PHASES:
        members = [(n, g) for g, group in enumerate(groups) if solution.labels[g] == phase.order for n in group]
        if not members:
            continue
        named = [(n, g) for n, g in members if (d := decided.get(stacks[n].index)) and d.phase is phase]
        pool = named or members
        preference = [float(scores[g, phase.order] - scores[g].mean()) for _, g in pool]
        chosen = best_stack([n for n, _ in pool], stacks, preference)
        by_phase[phase] = stacks[chosen].index
        group_of = next(g for n, g in pool if n == chosen)
        margins[phase] = solution.margins[group_of]
        assigned_by[phase] = decided[stacks[chosen].index].author if named else "evidence"
    return by_phase, margins, assigned_by


def _findings(
    result: Assignment,
    stacks: Sequence[StackFeatures],
    groups: Sequence[Sequence[int]],
    settings: PhasesSection,
    case: str,
) -> list[Finding]:
    found = [_missing(phase, case) for phase in result.missing]
    for phase, index in result.by_phase.items():
        where = f"{case} {phase.value}".strip()
        mine = next(stack for stack in stacks if stack.index == index)
        if result.assigned_by[phase] == "evidence":
            found += _doubts(result, phase, index, settings, where)
        same = [g for g in groups if result.labels[stacks[g[0]].index] is phase]
        if len(same) > 1:
            found.append(
                Finding.of("phase-repeated", where, f"{len(same)} acquisitions are this phase; stack {index} is used")
            )
        if (share := coverage(mine, stacks)) < FULL_COVERAGE:
            found.append(Finding.of("phase-partial-coverage", where, f"Covers {share:.0%} of the exam's common range"))
    return found


def _doubts(result: Assignment, phase: Phase, index: int, settings: PhasesSection, where: str) -> list[Finding]:
    found = []
    margin = result.margins[phase]
    if margin < settings.minimum_margin:
        found.append(
            Finding.of(
                "phase-narrow-margin", where, f"Margin {margin:.1f} of at least {settings.minimum_margin:g} wanted"
            )
        )
    for item in result.evidence[index]:
        favourite = max(item.scores, key=lambda p: item.scores[p])
        if item.scores[favourite] - item.scores.get(phase, 0.0) > _CONTRADICTION:
            found.append(
                Finding.of("phase-contradiction", where, f"{item.source} speaks for {favourite.value}: {item.detail}")
            )
    return found
