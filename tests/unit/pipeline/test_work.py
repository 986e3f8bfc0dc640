"""One case never ends a batch, and its outcome says why without saying who."""

from __future__ import annotations

import errno
import os

import pytest

from quadphase.errors import InputError
from quadphase.model import Outcome, Status
from quadphase.pipeline.work import Job, SerialExecutor, run_jobs

PERSON = "Zhang_Wei"


def work(what: str) -> Outcome:
    if what == "refused":
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"/pacs/{PERSON}")
    if what == "unforeseen":
        raise KeyError(PERSON)
    if what == "known":
        raise InputError("bad", "It is bad", "Mend it")
    return Outcome(case="P0001", stage="x", status=Status.DONE)


@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        ("refused", "system-refused", "the system refused: Permission denied"),
        ("unforeseen", "defect", "a defect of quadphase, KeyError at "),
        ("known", "bad", "It is bad (Mend it)"),
    ],
)
def test_what_a_failed_case_says(what: str, code: str, says: str) -> None:
    jobs = [Job(case="P0001", value=what), Job(case="P0002", value="fine")]
    first, second = run_jobs(work, jobs, stage="x", executor=SerialExecutor(), progress=lambda *_: None)
    assert (first.status, second.status) == (Status.FAILED, Status.DONE)
    (reason,) = first.reasons
    assert reason.code == code
    assert says in reason.text
    assert PERSON not in repr(first)


def test_each_outcome_is_told_before_the_next_job_begins() -> None:
    told: list[str] = []

    def tell(case: str) -> Outcome:
        told.append(f"begin {case}")
        return Outcome(case=case, stage="x", status=Status.DONE)

    run_jobs(
        tell,
        [Job(case=case, value=case) for case in ("P0001", "P0002")],
        stage="x",
        executor=SerialExecutor(),
        progress=lambda done, total, _: told.append(f"{done}/{total}"),
        done=lambda outcome: told.append(f"done {outcome.case}"),
    )
    assert told == ["0/2", "begin P0001", "done P0001", "1/2", "begin P0002", "done P0002", "2/2"]


def test_one_worker_maps_when_it_is_asked() -> None:
    begun: list[int] = []
    results = SerialExecutor().map(lambda number: begun.append(number) or number, [1, 2])
    assert (next(results), begun) == (1, [1])
    assert list(results) == [2]
