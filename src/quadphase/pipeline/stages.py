"""Each stage over all cases of a study: which cases it takes, its jobs, and what the ledger learns from it.

A stage takes the cases every earlier stage let through. Its decisions replace those it made before, so a corrected
table or
a new override changes the outcome at the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from quadphase import annotate
from quadphase.cohort import ExamCandidate, choose_exam
from quadphase.convert.case import ConvertJob, convert_case
from quadphase.convert.phases import load_overrides
from quadphase.errors import QuadphaseError
from quadphase.io.json_file import save_json
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.localize.case import LocalizeJob, localize_case
from quadphase.localize.overrides import load_range_overrides
from quadphase.model import Decision, Outcome, Reason, Status
from quadphase.model.progress import Progress
from quadphase.model.source import SourceInstance, SourcePatient
from quadphase.pipeline.run_log import RunLog
from quadphase.pipeline.strays import stray_livers, stray_phase_rows, stray_ranges
from quadphase.pipeline.work import Job, run_jobs

__all__ = [
    "ChosenExam",
    "choose_exams",
    "consensus_cases",
    "convert_cases",
    "decide",
    "exams_of",
    "localize_cases",
    "passed",
    "stopped",
]

J = TypeVar("J")


def passed(ledger: Ledger, *stages: str) -> tuple[str, ...]:
    """Cases that every named stage decided and none refused, sorted."""
    decided = [{d.case for d in ledger.decisions(stage) if d.eligible} for stage in stages]
    return tuple(sorted(set.intersection(*decided))) if decided else ()


def stopped(ledger: Ledger) -> tuple[Outcome, ...]:
    """What earlier stages after the cohort decided against, as outcomes."""
    return tuple(
        Outcome(case=d.case, stage=d.stage, status=Status.HELD, reasons=d.reasons)
        for d in ledger.decisions()
        if not d.eligible and d.stage != "cohort"
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExam:
    """The exam of one case: what was decided, its date, and its DICOM files; without files there is none.

    Parameters
    ----------
    damaged : tuple of Path
        Files of the exam that `acquire` could not read, and such files of nobody knows what beside its own: slices may
        be missing.
    """

    decision: Decision
    study_date: date | None = field(default=None, repr=False)
    files: tuple[Path, ...] = field(default=(), repr=False)
    damaged: tuple[Path, ...] = field(default=(), repr=False)


def exams_of(study: Study, ledger: Ledger, cases: Iterable[str]) -> dict[str, ChosenExam]:
    """Exam of each case by the protocol's rule; the ledger is only read."""
    patients = ledger.patients()
    strays = ledger.damaged()
    return {case: _exam_of(study, ledger, case, patients[case], strays) for case in cases}


def _exam_of(
    study: Study, ledger: Ledger, case: str, patient: SourcePatient, strays: Sequence[SourceInstance]
) -> ChosenExam:
    exams: dict[str, list[SourceInstance]] = {}
    for instance in ledger.instances(patient.patient_id):
        exams.setdefault(instance.study_instance_uid, []).append(instance)
    candidates = [_candidate(uid, instances) for uid, instances in sorted(exams.items())]
    chosen, decision = choose_exam(candidates, patient, study.protocol.cohort, case=case)
    if chosen is None:
        return ChosenExam(decision=decision)
    files = tuple(instance.path for instance in exams[chosen.study_instance_uid])
    folders = {path.parent for path in files}
    damaged = tuple(
        instance.path
        for instance in (*ledger.damaged(patient.patient_id), *strays)
        if instance.study_instance_uid == chosen.study_instance_uid
        or (instance.study_instance_uid not in exams and instance.path.parent in folders)
    )
    return ChosenExam(decision=decision, study_date=chosen.study_date, files=files, damaged=damaged)


def choose_exams(study: Study, ledger: Ledger) -> tuple[dict[str, ChosenExam], tuple[Outcome, ...]]:
    """Choose one exam for every eligible patient and tell the ledger.

    Returns
    -------
    chosen : dict of pseudonym to ChosenExam
        Of the patients who have one.
    outcomes : tuple of Outcome
        Stage ``exam``; ``HELD`` for patients without a usable exam.
    """
    exams = exams_of(study, ledger, passed(ledger, "cohort"))
    ledger.decide(exam.decision for exam in exams.values())
    outcomes = tuple(
        Outcome(case=c, stage="exam", status=Status.DONE if e.files else Status.HELD, reasons=e.decision.reasons)
        for c, e in exams.items()
    )
    return {case: exam for case, exam in exams.items() if exam.files}, outcomes


def _candidate(uid: str, instances: Sequence[SourceInstance]) -> ExamCandidate:
    return ExamCandidate(
        study_instance_uid=uid,
        study_date=next((i.study_date for i in instances if i.study_date), None),
        accession_number=next((i.accession_number for i in instances if i.accession_number), None),
        n_ct_images=sum(i.modality == "CT" for i in instances),
        modalities=frozenset(i.modality for i in instances),
    )


def convert_cases(
    study: Study,
    ledger: Ledger,
    exams: Mapping[str, ChosenExam],
    *,
    executor: Executor,
    progress: Progress,
) -> tuple[Outcome, ...]:
    """Convert the chosen exam of every case; what is held leaves its findings in ``reports/held/``.

    A row of ``phases.csv`` for no case of the study is an outcome that failed, after those of the cases.
    """
    overrides = load_overrides(study.overrides / "phases.csv")
    jobs = [
        Job(
            case=case,
            value=ConvertJob(
                study_root=study.root,
                case=case,
                paths=exam.files,
                damaged=exam.damaged,
                key=study.key,
                protocol=study.protocol,
                phase_overrides=overrides.get(case, ()),
            ),
        )
        for case, exam in sorted(exams.items())
    ]
    outcomes = _run(study, ledger, convert_case, jobs, stage="convert", executor=executor, progress=progress)
    _report_held(study, outcomes)
    rows = (override for of_case in overrides.values() for override in of_case)
    return (*outcomes, *_logged(study, stray_phase_rows(rows, set(ledger.pseudonyms().values()))))


def _logged(study: Study, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    log = RunLog(study)
    for outcome in outcomes:
        log.outcome(outcome)
    return outcomes


def _report_held(study: Study, outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        path = study.reports / "held" / f"{outcome.case}.json"
        if outcome.status in (Status.HELD, Status.FAILED):
            save_json(path, outcome.to_dict())
        else:
            path.unlink(missing_ok=True)


def localize_cases(
    study: Study,
    ledger: Ledger,
    *,
    executor: Executor,
    progress: Progress,
    backend: str | None = None,
    command: str = "",
) -> tuple[Outcome, ...]:
    """Find the liver in every converted case; see `localize_case`.

    A row of ``liver_range.csv`` or a mask under ``overrides/livers`` for no case or phase of the study is an outcome
    that failed, after those of the cases.

    Parameters
    ----------
    backend, command : optional
        Instead of the protocol's.
    """
    table = study.overrides / "liver_range.csv"
    ranges = load_range_overrides(table) if table.is_file() else {}
    settings = study.protocol.localize
    converted = passed(ledger, "convert")
    jobs = [
        Job(
            case=case,
            value=LocalizeJob(
                study_root=study.root,
                case=case,
                backend=backend or settings.backend,
                command=command or settings.command,
                ranges={phase: override for (name, phase), override in ranges.items() if name == case},
            ),
        )
        for case in converted
    ]
    outcomes = _run(study, ledger, localize_case, jobs, stage="localize", executor=executor, progress=progress)
    known = set(ledger.pseudonyms().values())
    strays = (*stray_ranges(study, ranges, known, converted), *stray_livers(study, known, converted))
    return (*outcomes, *_logged(study, strays))


def consensus_cases(study: Study, ledger: Ledger, *, dry_run: bool = False) -> tuple[Outcome, ...]:
    """What the readings allow: a consensus where it exists or readers agree, else people must act or NA is released.

    A consensus counts only while its masks and every sealed reading are what they were. A cancer case that nobody has
    read passes without lesion masks, unless the protocol requires them; one that is being read waits until its readings
    are sealed and agreed on. Controls need no reading; what all readers sealed counts for them too.

    Parameters
    ----------
    dry_run : bool
        Write no consensus and decide nothing in the ledger.
    """
    diagnoses = {case: patient.diagnosis for case, patient in ledger.patients().items()}
    outcomes = [
        _consensus(study, case, is_cancer=(d := diagnoses.get(case)) is not None and d.is_cancer, dry_run=dry_run)
        for case in passed(ledger, "localize")
    ]
    if not dry_run:
        decide(ledger, outcomes)
    return tuple(outcomes)


def _consensus(study: Study, case: str, *, is_cancer: bool, dry_run: bool) -> Outcome:
    readers = study.protocol.annotate.readers
    # A seal without its masks is a reading that was begun, and lost: never "nobody has read it".
    begun = [r for r in readers if annotate.reading_files(study.reading(r, case)) or annotate.is_sealed(study, r, case)]
    open_ = [r for r in readers if not annotate.is_sealed(study, r, case)]
    done = Outcome(case=case, stage="annotate", status=Status.DONE)
    if not is_cancer and open_:
        return done
    try:
        if annotate.verify_consensus(study, case) is not None:
            return done
        if not begun and not study.protocol.annotate.require_lesion_masks:
            return done
        if open_:
            reason = Reason(code="readings-open", text=f"reading of {', '.join(open_)} is not sealed yet")
            return Outcome(case=case, stage="annotate", status=Status.HELD, reasons=(reason,))
        return annotate.build_consensus(study, case, dry_run=dry_run)
    except QuadphaseError as error:
        return _held(case, error)


def _held(case: str, error: QuadphaseError) -> Outcome:
    reason = Reason(code=error.code, text=str(error))
    return Outcome(case=case, stage="annotate", status=Status.HELD, reasons=(reason,))


def _run(
    study: Study,
    ledger: Ledger,
    worker: Callable[[J], Outcome],
    jobs: Sequence[Job[J]],
    *,
    stage: str,
    executor: Executor,
    progress: Progress,
) -> tuple[Outcome, ...]:
    log = RunLog(study)
    outcomes = run_jobs(worker, jobs, stage=stage, executor=executor, progress=progress, done=log.outcome)
    decide(ledger, outcomes)
    return outcomes
