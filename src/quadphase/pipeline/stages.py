"""Each stage over all cases of a study: which cases it takes, its jobs, and what the ledger learns from it.

A stage takes the cases every earlier stage let through. Its decisions replace those it made before, so a corrected table or
a new override changes the outcome at the next run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path

from quadphase import annotate
from quadphase.cohort import ExamCandidate, choose_exam
from quadphase.convert.case import ConvertJob, convert_case
from quadphase.errors import QuadphaseError
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.localize.case import LocalizeJob, localize_case
from quadphase.localize.overrides import load_range_overrides
from quadphase.model import Decision, Outcome, Reason, Status
from quadphase.pipeline.run_log import RunLog
from quadphase.pipeline.work import Job, ProgressCallback, run_jobs

__all__ = ["choose_exams", "consensus_cases", "convert_cases", "decide", "localize_cases", "passed"]


def passed(ledger: Ledger, *stages: str) -> tuple[str, ...]:
    """Cases that every named stage decided and none refused, sorted."""
    decided = [{d.case for d in ledger.decisions(stage) if d.eligible} for stage in stages]
    return tuple(sorted(set.intersection(*decided))) if decided else ()


def decide(ledger: Ledger, outcomes: Iterable[Outcome]) -> None:
    """Tell the ledger what a stage decided about each case."""
    ledger.decide(
        Decision(
            case=o.case,
            stage=o.stage,
            eligible=o.status in (Status.DONE, Status.UNCHANGED),
            reasons=o.reasons,
        )
        for o in outcomes
    )


def choose_exams(study: Study, ledger: Ledger) -> tuple[Outcome, ...]:
    """Choose one exam for every eligible patient by date; the ledger remembers it in the decision of stage ``exam``."""
    patients = ledger.patients()
    outcomes = []
    for case in passed(ledger, "cohort"):
        candidates = _candidates(ledger, patients[case].patient_id)
        _, decision, findings = choose_exam(candidates, patients[case], study.protocol.cohort, case=case)
        ledger.decide([decision])
        status = Status.DONE if decision.eligible else Status.HELD
        outcomes.append(Outcome(case=case, stage="exam", status=status, reasons=decision.reasons, findings=findings))
    return tuple(outcomes)


def _candidates(ledger: Ledger, patient_id: str) -> list[ExamCandidate]:
    exams: dict[str, list] = {}
    for instance in ledger.instances(patient_id):
        exams.setdefault(instance.study_instance_uid, []).append(instance)
    return [
        ExamCandidate(
            study_instance_uid=uid,
            study_date=next((i.study_date for i in instances if i.study_date), None),
            accession_number=next((i.accession_number for i in instances if i.accession_number), None),
            n_ct_images=sum(i.modality == "CT" for i in instances),
            modalities=tuple(sorted({i.modality for i in instances})),
        )
        for uid, instances in sorted(exams.items())
    ]
