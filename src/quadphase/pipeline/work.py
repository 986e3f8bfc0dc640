"""Run one stage over many cases on any `concurrent.futures.Executor`; a batch never dies of one case.

A worker is a top-level function that takes a job (a frozen value) and returns an `Outcome`. An expected exception
becomes a ``FAILED`` outcome with its message; what the system refuses one with the system's words, without the path;
any other one that names its type and place only, because its text could hold an identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from quadphase.errors import QuadphaseError, place_of
from quadphase.model import Outcome, Reason, Status
from quadphase.model.progress import Progress
from quadphase.processes import WorkerPool

__all__ = ["Job", "SerialExecutor", "open_executor", "run_jobs"]

J = TypeVar("J")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[J]):
    """One call of a worker: what for, and the value it takes."""

    case: str
    value: J


class SerialExecutor(Executor):
    """Runs each call at once in this process: for one worker, for tests, for debuggers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        """Each call when its result is asked for: what is done is told before the next begins."""
        return map(fn, *iterables)


@contextmanager
def open_executor(workers: int) -> Iterator[Executor]:
    """Processes on this machine, or `SerialExecutor` for one worker; an interrupted block stops both at once."""
    if workers <= 1:
        yield SerialExecutor()
        return
    with WorkerPool(workers) as pool:
        yield pool


def _attempt(worker: Callable[[J], Outcome], stage: str, job: Job[J]) -> Outcome:
    try:
        return worker(job.value)
    except QuadphaseError as error:
        reason = Reason(code=error.code, text=str(error))
    except MemoryError:
        reason = Reason(code="out-of-memory", text="not enough memory; use fewer workers")
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            reason = Reason(code="system-refused", text=f"the system refused: {error.strerror}")
            return Outcome(case=job.case, stage=stage, status=Status.FAILED, reasons=(reason,))
        reason = Reason(code="defect", text=f"a defect of quadphase, {place_of(error)}; please report it")
    return Outcome(case=job.case, stage=stage, status=Status.FAILED, reasons=(reason,))


def run_jobs(
    worker: Callable[[J], Outcome],
    jobs: Iterable[Job[J]],
    *,
    stage: str,
    executor: Executor,
    progress: Progress,
    done: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Outcomes of all jobs, in the order of the jobs.

    Parameters
    ----------
    worker : callable
        Top-level function ``job value -> Outcome``.
    done : callable, optional
        Called in this process as each outcome arrives, e.g. to write the ledger.
    """
    listed: Sequence[Job[J]] = list(jobs)
    progress(0, len(listed), "")
    outcomes: dict[int, Outcome] = {}
    for number, outcome in _arriving(worker, listed, stage=stage, executor=executor):
        outcomes[number] = outcome
        done(outcome)
        progress(len(outcomes), len(listed), outcome.case)
    return tuple(outcomes[number] for number in range(len(listed)))


def _arriving(
    worker: Callable[[J], Outcome], jobs: Sequence[Job[J]], *, stage: str, executor: Executor
) -> Iterator[tuple[int, Outcome]]:
    """Numbers and outcomes of the jobs as they are done."""
    if isinstance(executor, SerialExecutor):  # to submit is to wait: what is done must be told before the next begins
        for number, job in enumerate(jobs):
            yield number, _attempt(worker, stage, job)
        return
    futures = {executor.submit(_attempt, worker, stage, job): number for number, job in enumerate(jobs)}
    for future in as_completed(futures):
        number = futures[future]
        try:
            outcome = future.result()
        except Exception:  # the worker process died
            reason = Reason(code="worker-died", text="the worker process died, perhaps for want of memory")
            outcome = Outcome(case=jobs[number].case, stage=stage, status=Status.FAILED, reasons=(reason,))
        yield number, outcome
