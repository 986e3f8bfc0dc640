"""The flow of patients through a study, counted from the ledger's decisions: what a CONSORT or STROBE diagram shows.

Boxes follow the stages; beside each arrow stands who was left out there and why. A patient with several reasons is
counted under each, and once in the box's total, as STROBE item 13 asks (doi:10.1371/journal.pmed.0040296).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from quadphase.model import Decision, Diagnosis

__all__ = ["STAGES", "Flow", "FlowStep", "build_flow"]

STAGES: Final[tuple[tuple[str, str, str], ...]] = (
    # stage, what those who pass are, what happens to the others
    ("cohort", "Eligible by the clinical table", "Excluded"),
    ("exam", "With a CT exam of the protocol", "Excluded"),
    ("convert", "All required phases converted", "Held back"),
    ("localize", "Liver found in every phase", "Held back"),
    ("annotate", "Lesion masks complete", "Held back"),
    ("release", "Released", "Held back"),
)

_REASON_TITLES: Final[Mapping[str, str]] = {
    "underage": "Younger than the protocol's minimum age",
    "age-unknown": "Age not known",
    "no-diagnosis": "No morphology code",
    "other-morphology": "Other tumour, or no primary liver cancer",
    "pathology-not-confirmed": "Not confirmed by pathology",
    "prior-treatment": "Earlier tumour treatment",
    "other-malignancy": "Other malignancy",
    "liver-disease": "Excluded liver disease",
    "autoimmune-disease": "Rheumatic or autoimmune disease",
    "severe-disease": "Severe heart, brain, lung or kidney disease",
    "hepatobiliary-disease": "Control with hepatobiliary disease",
    "control-with-tumour": "Control with a malignant tumour",
    "outside-period": "Outside the study period",
    "conflicting-rows": "Contradicting rows in the table",
    "unreadable-value": "Unreadable values in the table",
    "impossible-dates": "Impossible dates in the table",
    "no-exam-found": "No CT exam found",
    "exam-outside-window": "No CT within the days before surgery",
    "no-date": "Exams without dates",
    "missing-phase": "A required phase is missing",
    "phase-review": "Phases wait for a person",
    "no-volume": "No usable volume",
    "several-exams": "Files of several exams mixed",
    "no-liver": "No liver found",
    "liver-low-confidence": "Liver mask uncertain",
    "readings-open": "Readings not sealed",
    "no-consensus": "Readers differ, not adjudicated",
    "broken-seal": "A sealed reading was changed",
    "reading-outdated": "Read on another image",
    "consensus-changed": "Consensus masks were changed",
    "control-with-lesion": "Control with a lesion",
    "liver-changed": "Liver masks were changed",
    "liver-outdated": "Liver masks of another image",
    "consensus-outdated": "Consensus of other readings",
    "out-of-memory": "Processing failed",
    "worker-died": "Processing failed",
}

_LIMITS: Final = frozenset({"underage", "exam-outside-window"})
"""Reasons whose text states the protocol's limit; it is shown where it is the same for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One arrow of the diagram.

    Parameters
    ----------
    stage : str
    title : str
        Text of the box the arrow leads to.
    entered, passed : int
        Patients before and after.
    out_title : str
        ``Excluded`` or ``Held back``.
    out : int
        Patients left out at this arrow.
    reasons : tuple of (str, int)
        Title of each reason and the number of patients it applied to, most frequent first.
    waiting : int
        Patients the stage has not decided about yet.
    passed_by_diagnosis : mapping of label to int
    """

    stage: str
    title: str
    entered: int
    passed: int
    out_title: str
    out: int
    reasons: tuple[tuple[str, int], ...]
    waiting: int
    passed_by_diagnosis: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The whole diagram: the first box and one step for each stage that has decided about someone."""

    title: str
    total: int
    total_by_diagnosis: Mapping[str, int]
    steps: tuple[FlowStep, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON form (`reports/flow.json`)."""
        return asdict(self)


def build_flow(decisions: Sequence[Decision], diagnoses: Mapping[str, Diagnosis | None], *, title: str = "") -> Flow:
    """Count patients from decisions.

    Parameters
    ----------
    decisions : sequence of Decision
        Of any stages, any order.
    diagnoses : mapping of case to Diagnosis or None
        Every patient of the clinical table.
    """
    inside = sorted(diagnoses)
    steps = []
    for stage, passed_title, out_title in STAGES:
        decided = {d.case: d for d in decisions if d.stage == stage and d.case in diagnoses}
        if not any(case in decided for case in inside):
            continue
        out = [case for case in inside if case in decided and not decided[case].eligible]
        passed = [case for case in inside if case in decided and decided[case].eligible]
        steps.append(
            FlowStep(
                stage=stage,
                title=passed_title,
                entered=len(inside),
                passed=len(passed),
                out_title=out_title,
                out=len(out),
                reasons=_count_reasons([decided[case] for case in out]),
                waiting=len(inside) - len(out) - len(passed),
                passed_by_diagnosis=_by_diagnosis(passed, diagnoses),
            )
        )
        inside = passed
    return Flow(
        title=title, total=len(diagnoses), total_by_diagnosis=_by_diagnosis(diagnoses, diagnoses), steps=tuple(steps)
    )


def _count_reasons(decisions: Sequence[Decision]) -> tuple[tuple[str, int], ...]:
    titles_of = dict(_REASON_TITLES)
    for code in _LIMITS:
        texts = {reason.text for decision in decisions for reason in decision.reasons if reason.code == code}
        if len(texts) == 1:
            titles_of[code] = _sentence(texts.pop())
    counts: dict[str, int] = {}
    for decision in decisions:
        # Two severe diseases of one patient are one reason of one patient.
        titles = {titles_of.get(reason.code) or _sentence(reason.code.replace("-", " ")) for reason in decision.reasons}
        for title in titles or {"No reason recorded"}:
            counts[title] = counts.get(title, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _by_diagnosis(
    cases: Sequence[str] | Mapping[str, Any], diagnoses: Mapping[str, Diagnosis | None]
) -> dict[str, int]:
    counts = {d.label: sum(diagnoses[case] is d for case in cases) for d in Diagnosis}
    unknown = sum(diagnoses[case] is None for case in cases)
    return {label: n for label, n in counts.items() if n} | ({"Other or unknown": unknown} if unknown else {})
