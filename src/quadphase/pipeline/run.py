"""`quadphase run`: every automatic stage in order; it stops where people must act, and goes on where it stopped.

Each stage leaves its record beside its files. A second run finds inputs and settings unchanged and does nothing for
that
case, so the way to resume is to run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quadphase.acquire import AcquireReport, acquire
from quadphase.cohort import run_cohort, write_flow
from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Outcome, Status
from quadphase.model.progress import Progress
from quadphase.pipeline.lock import lock_study
from quadphase.pipeline.publish import Published, publish, require_release_folder
from quadphase.pipeline.run_log import RunLog
from quadphase.pipeline.stages import choose_exams, consensus_cases, convert_cases, localize_cases
from quadphase.pipeline.work import open_executor

__all__ = ["RunResult", "StageProgress", "run_study", "silent"]

StageProgress = Callable[[str], AbstractContextManager[Progress]]
"""Opens a progress bar for a stage named by its title."""


def silent(title: str) -> AbstractContextManager[Progress]:  # noqa: ARG001
    """Progress for nobody."""
    return nullcontext(lambda done, total, label: None)  # noqa: ARG005


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run did: outcomes by stage in order, and the release if one was made.

    ``held`` are the cases that did not reach the release with the outcome that stopped each.
    """

    study: Path
    excluded: int
    outcomes: tuple[Outcome, ...] = ()
    published: Published | None = None
    acquired: AcquireReport | None = None
    ready: tuple[str, ...] = ()
    """Cases a release would hold, when none was made."""
    stopped_by: InputError | None = field(default=None, repr=False)
    """Why nothing was released, when nothing was ready."""

    @property
    def held(self) -> tuple[Outcome, ...]:
        """The outcome that stopped each case, sorted by case."""
        stopped = {o.case: o for o in self.outcomes if o.status in (Status.HELD, Status.FAILED)}
        return tuple(stopped[case] for case in sorted(stopped))

    def to_dict(self) -> dict[str, Any]:
        published = self.published
        return {
            "study": str(self.study),
            "release": str(published.out) if published else None,
            "acquired": self.acquired.to_dict() if self.acquired else None,
            "released": list(published.summary.released) if published else [],
            "ready": list(self.ready),
            "stopped_by": {"code": self.stopped_by.code, "text": str(self.stopped_by)} if self.stopped_by else None,
            "images": published.summary.images if published else 0,
            "excluded": self.excluded,
            "held": [
                {"case": o.case, "stage": o.stage, "reasons": [{"code": r.code, "text": r.text} for r in o.reasons]}
                for o in self.held
            ],
            "findings": [f.to_dict() for o in self.outcomes for f in o.findings],
            "audit": published.audit.counts if published else None,
        }


def run_study(
    root: Path,
    *,
    table: Path | None = None,
    source: str | None = None,
    out: Path | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    replace: bool = False,
    progress: StageProgress = silent,
    before_release: Callable[[Study, Ledger], Sequence[Outcome]] | None = None,
) -> RunResult:
    """Run every automatic stage of a study.

    Parameters
    ----------
    root : Path
        Study folder with a `protocol.toml`.
    table : Path, optional
        Clinical table; without it the patients of the ledger are used.
    source : str, optional
        Folder, ``dimse://`` or DICOMweb address to acquire from; without it what was acquired before is used.
    out : Path, optional
        Folder of the release; ``STUDY/release`` by default.
    workers : int
        Processes, unless an `executor` is given.
    replace : bool
        Whether an existing release at `out` is replaced; nothing but a release ever is.
    before_release : callable, optional
        Called when all masks are there, before readings are brought to a consensus: the demo imports its readings
        there.

    Raises
    ------
    QuadphaseError
        What concerns the whole study (protocol, ledger, table, source, privacy, audit). Trouble of single cases is in
        the result.
    """
    study = Study(root)
    target = out or root / "release"
    _ = study.protocol
    given = [path for path in (table, Path(source) if source and Path(source).exists() else None) if path is not None]
    require_release_folder(study, target, replace=replace, inputs=given)
    with lock_study(study), Ledger(study.ledger_url) as ledger:
        log = RunLog(study)
        log.event("run", workers=workers)
        if table is not None:
            run_cohort(study, table)
        if not ledger.cases():
            raise InputError("no-cohort", "The study has no patients yet", "Give a clinical table: --table FILE")
        report = None
        if source is not None:
            with progress("acquire") as bar:
                report = acquire(study, source, progress=bar)
        chosen, exams = choose_exams(study, ledger)
        outcomes: list[Outcome] = list(exams)
        pool = nullcontext(executor) if executor is not None else open_executor(workers)
        with pool as shared:
            with progress("convert") as bar:
                outcomes += convert_cases(study, ledger, chosen, executor=shared, progress=bar)
            with progress("localize") as bar:
                outcomes += localize_cases(study, ledger, executor=shared, progress=bar)
            if before_release is not None:
                outcomes += before_release(study, ledger)
            outcomes += consensus_cases(study, ledger)
            published, stopped = None, None
            try:
                with progress("release") as bar:
                    published = publish(study, ledger, target, executor=shared, progress=bar, replace=replace)
                outcomes += published.outcomes
            except InputError as error:
                if error.code != "nothing-to-release":
                    raise
                stopped = error
        write_flow(study)
        excluded = sum(not d.eligible for d in ledger.decisions("cohort"))
        log.event("end", released=len(published.summary.released) if published else 0)
    return RunResult(
        study=root,
        excluded=excluded,
        outcomes=tuple(outcomes),
        published=published,
        acquired=report,
        stopped_by=stopped,
    )
