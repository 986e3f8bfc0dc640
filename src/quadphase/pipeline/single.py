"""One stage of a study on its own, for the commands `convert STUDY`, `localize STUDY` and `release STUDY OUT`."""

from __future__ import annotations

from pathlib import Path

from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Outcome, Status
from quadphase.pipeline.lock import lock_study
from quadphase.pipeline.publish import publish, require_release_folder
from quadphase.pipeline.run import RunResult, StageProgress, silent
from quadphase.pipeline.stages import choose_exams, consensus_cases, convert_cases, localize_cases, passed, stopped
from quadphase.pipeline.work import open_executor

__all__ = ["convert_study", "localize_study", "release_study"]


def convert_study(root: Path, *, workers: int = 1, progress: StageProgress = silent) -> tuple[Outcome, ...]:
    """Choose the exams and convert them; outcomes of cases without an exam come first."""
    study = Study(root)
    _ = study.protocol
    with lock_study(study), Ledger(study.ledger_url) as ledger:
        chosen, exams = choose_exams(study, ledger)
        with open_executor(workers) as executor, progress("convert") as bar:
            converted = convert_cases(study, ledger, chosen, executor=executor, progress=bar)
    return (*(o for o in exams if o.status is not Status.DONE), *converted)


def localize_study(
    root: Path, *, backend: str | None = None, command: str = "", workers: int = 1, progress: StageProgress = silent
) -> tuple[Outcome, ...]:
    """Find the liver in every converted case."""
    study = Study(root)
    _ = study.protocol
    with (
        lock_study(study),
        Ledger(study.ledger_url) as ledger,
        open_executor(workers) as executor,
        progress("localize") as bar,
    ):
        return localize_cases(study, ledger, executor=executor, progress=bar, backend=backend, command=command)


def release_study(
    root: Path,
    out: Path,
    *,
    replace: bool = False,
    dry_run: bool = False,
    workers: int = 1,
    progress: StageProgress = silent,
) -> RunResult:
    """Release what is ready, or with `dry_run` only tell what would be released and what is held back."""
    study = Study(root)
    _ = study.protocol
    if dry_run:
        return _dry_release(study)
    require_release_folder(study, out, replace=replace)
    with lock_study(study), Ledger(study.ledger_url) as ledger:
        outcomes = consensus_cases(study, ledger)
        with open_executor(workers) as executor, progress("release") as bar:
            published = publish(study, ledger, out, executor=executor, progress=bar, replace=replace)
        outcomes = (*stopped(ledger), *outcomes, *published.outcomes)
        excluded = sum(not d.eligible for d in ledger.decisions("cohort"))
    return RunResult(study=root, excluded=excluded, outcomes=outcomes, published=published)


def _dry_release(study: Study) -> RunResult:
    """What a release would hold and what is held back; nothing is written, not even a consensus."""
    with lock_study(study), Ledger(study.ledger_url) as ledger:
        outcomes = consensus_cases(study, ledger, dry_run=True)
        # What an earlier run said of the readings and of the release is said anew.
        before = (o for o in stopped(ledger) if o.stage not in ("annotate", "release"))
        passed_before = set(passed(ledger, "cohort", "exam", "convert"))
        ready = tuple(o.case for o in outcomes if o.status is Status.DONE and o.case in passed_before)
        excluded = sum(not d.eligible for d in ledger.decisions("cohort"))
        return RunResult(study=study.root, excluded=excluded, outcomes=(*before, *outcomes), ready=ready)
