"""Subjects as jobs, and the processes that run them: the audit and the repair share both."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from quadphase.io.release import Release
from quadphase.io.release_rows import ReleaseRow
from quadphase.processes import WorkerPool

__all__ = ["rows_by_subject", "worker_pool"]


def rows_by_subject(release: Release) -> dict[str, tuple[ReleaseRow, ...]]:
    """Rows of each subject in the table's order; a row that names none stands alone under its line (``line 7``)."""
    rows_of: dict[str, list[ReleaseRow]] = {}
    for row in release.rows:
        rows_of.setdefault(row.subject or f"line {row.line}", []).append(row)
    return {case: tuple(rows) for case, rows in rows_of.items()}


@contextmanager
def worker_pool(given: Executor | None, workers: int, jobs: int) -> Iterator[Executor | None]:
    """The given executor, a pool of processes, or None where one process does."""
    if given is not None or workers <= 1 or jobs <= 1:
        yield given
        return
    with WorkerPool(workers) as pool:
        yield pool
