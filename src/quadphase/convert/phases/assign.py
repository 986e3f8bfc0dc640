"""`assign`: from the evidence of all stacks of an exam to one phase for each, with margins and findings.

Stacks that reconstruct one acquisition are judged together. What people must decide (contradictions, narrow margins,
phases taken twice, unknown overrides) comes out as findings of `REVIEW_CODES`; nothing is settled by silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.phases.acquisitions import group_acquisitions
from quadphase.convert.phases.choice import best_stack
from quadphase.convert.phases.doubts import contradictions, coverage_doubt, margin_doubt, repetition
from quadphase.convert.phases.evidence import acquisition_scores, exam_models, model_evidence, stack_evidence
from quadphase.convert.phases.features import StackFeatures
from quadphase.convert.phases.order import order_matrix
from quadphase.convert.phases.overrides import PhaseOverride
from quadphase.convert.phases.report import ExamReport, stack_reports
from quadphase.convert.phases.solve import MAXIMUM_EXHAUSTIVE, Solution, solve
from quadphase.convert.phases.text import read_texts
from quadphase.model import Evidence, Finding, Phase
from quadphase.model.protocol.sections import PhasesSection

__all__ = ["REVIEW_CODES", "Assignment", "assign"]

REVIEW_CODES = frozenset(
    {
        "phase-contradiction",
        "phase-narrow-margin",
        "phase-repeated",
        "phase-override-unknown",
        "phase-override-ambiguous",
        "phase-override-conflict",
        "phase-many-acquisitions",
    }
)
"""Findings that hold a case until a person decides."""

_PHASES = tuple(Phase)

Scores = NDArray[np.float64]
Groups = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Phases of an exam.

    Parameters
    ----------
    stacks : tuple of StackFeatures
        What was judged, by index.
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

    stacks: tuple[StackFeatures, ...]
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

    def report(self, case: str) -> ExamReport:
        """What `quadphase exams` shows; free of identity."""
        return ExamReport(
            case=case,
            stacks=stack_reports(self.stacks, self.evidence, self.labels, self.by_phase),
            margins={phase: round(margin, 3) for phase, margin in self.margins.items()},
            assigned_by=dict(self.assigned_by),
            missing=self.missing,
            needs_review=self.needs_review,
            findings=self.findings,
        )


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
        Candidates: volumes of one exam with enough slices, any order.
    settings : PhasesSection
    overrides : sequence of PhaseOverride
        Of this case; see `overrides.load_overrides`.
    case : str
        Pseudonym, the location of findings.
    """
    everything = tuple(sorted(stacks, key=lambda stack: stack.index))
    findings: list[Finding] = []
    decided = _decided(everything, overrides, case, findings)
    left_out = {index for index, override in decided.items() if override.phase is None}
    judged = [stack for stack in everything if stack.index not in left_out]
    empty = Assignment(
        stacks=everything,
        by_phase={},
        labels=dict.fromkeys(left_out),
        evidence={},
        margins={},
        assigned_by={},
        missing=tuple(settings.required),
    )
    result = _judge(empty, judged, settings, decided, case, findings) if judged else empty
    findings += [
        Finding.of("missing-phase", case, f"No stack is the {phase.label.lower()} phase ({phase.value})")
        for phase in result.missing
    ]
    return replace(result, findings=tuple(findings))


def _judge(
    empty: Assignment,
    stacks: Sequence[StackFeatures],
    settings: PhasesSection,
    decided: Mapping[int, PhaseOverride],
    case: str,
    findings: list[Finding],
) -> Assignment:
    readings = read_texts(stacks)
    groups = _as_decided(group_acquisitions(stacks, readings), stacks, decided)
    findings += _disputed(groups, stacks, decided, case)
    if any(reading.repaired for reading in readings):
        findings.append(Finding.of("phase-text-repaired", case, "Descriptions were read again in another encoding"))
    if len(groups) > MAXIMUM_EXHAUSTIVE:
        message = f"{len(groups)} acquisitions; only labelings in their order were tried"
        findings.append(Finding.of("phase-many-acquisitions", case, message))
    evidence = stack_evidence(stacks, readings, settings.delay_s)
    models = exam_models([[stacks[n] for n in group] for group in groups], settings.delay_s)
    order = order_matrix([stacks[group[0]] for group in groups])
    scores = np.array([acquisition_scores([evidence[n] for n in group]) for group in groups])
    fixed = [_fixed(group, stacks, decided) for group in groups]
    solution = solve(scores, order, models, fixed=fixed)
    for model in models:
        for group, item in zip(groups, model_evidence(model, order), strict=True):
            for n in group:
                evidence[n] += [item] if item is not None else []
    by_phase, margins, assigned_by = _choose(stacks, groups, solution, scores, decided)
    labels = dict(empty.labels)
    for group, rank in zip(groups, solution.labels, strict=True):
        labels.update({stacks[n].index: _PHASES[rank] for n in group})
    result = replace(
        empty,
        by_phase=by_phase,
        labels=labels,
        evidence={stack.index: tuple(items) for stack, items in zip(stacks, evidence, strict=True)},
        margins=margins,
        assigned_by=assigned_by,
        missing=tuple(phase for phase in settings.required if phase not in by_phase),
    )
    findings += _doubts(result, stacks, groups, decided, settings, case)
    return result


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
            known = f"the name of {len(hits)} stacks"
            code, why = ("ambiguous", known) if hits else ("unknown", "no stack of this exam")
            findings.append(Finding.of(f"phase-override-{code}", case, f"phases.csv names {name}, which is {why}"))
            continue
        earlier = decided.get(hits[0])
        if earlier is not None and earlier.phase is not override.phase:
            text = f"phases.csv decides stack {hits[0]} more than once"
            findings.append(Finding.of("phase-override-conflict", case, text))
        decided[hits[0]] = override
        what = override.phase.value if override.phase else "none"
        findings.append(Finding.of("phase-overridden", case, f"Stack {hits[0]} is {what} by {override.author}"))
    return decided


def _as_decided(
    groups: Sequence[tuple[int, ...]], stacks: Sequence[StackFeatures], decided: Mapping[int, PhaseOverride]
) -> list[tuple[int, ...]]:
    """Acquisitions, taken apart where a person gives their stacks different phases: people see more than clocks."""
    apart: list[tuple[int, ...]] = []
    for group in groups:
        named = {n: d.phase for n in group if (d := decided.get(stacks[n].index))}
        phases = list(dict.fromkeys(named.values()))
        if len(phases) < 2:
            apart.append(group)
            continue
        apart += [tuple(n for n in group if n in named and named[n] is phase) for phase in phases]
        apart += [tuple(rest)] if (rest := [n for n in group if n not in named]) else []
    return apart


def _disputed(
    groups: Groups, stacks: Sequence[StackFeatures], decided: Mapping[int, PhaseOverride], case: str
) -> list[Finding]:
    """Phases that a person gives to several acquisitions."""
    counts = dict.fromkeys(_PHASES, 0)
    for group in groups:
        for phase in {d.phase for n in group if (d := decided.get(stacks[n].index)) and d.phase}:
            counts[phase] += 1
    return [
        Finding.of("phase-override-conflict", case, f"phases.csv gives {phase.value} to {count} acquisitions")
        for phase, count in counts.items()
        if count > 1
    ]


def _fixed(group: Sequence[int], stacks: Sequence[StackFeatures], decided: Mapping[int, PhaseOverride]) -> int | None:
    ranks = {d.phase.order for n in group if (d := decided.get(stacks[n].index)) and d.phase}
    return ranks.pop() if len(ranks) == 1 else None


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


def _doubts(
    result: Assignment,
    stacks: Sequence[StackFeatures],
    groups: Groups,
    decided: Mapping[int, PhaseOverride],
    settings: PhasesSection,
    case: str,
) -> list[Finding]:
    found: list[Finding] = []
    acquisitions = [[stacks[n] for n in group] for group in groups]
    for phase, index in result.by_phase.items():
        where = f"{case} {phase.value}".strip()
        by_person = result.assigned_by[phase] != "evidence"
        same = [group for group in acquisitions if result.labels[group[0].index] is phase]
        if not by_person:
            found += margin_doubt(result.margins[phase], settings.minimum_margin, where)
            found += repetition(phase, same, stacks, index, where)
        found += coverage_doubt(next(s for s in stacks if s.index == index), stacks, where)
    for group in acquisitions:
        label = result.labels[group[0].index]
        if label is not None and not any(stack.index in decided for stack in group):
            evidence = [item for stack in group for item in result.evidence[stack.index]]
            found += contradictions(evidence, label, f"{case} stack {group[0].index}".strip())
    return found
