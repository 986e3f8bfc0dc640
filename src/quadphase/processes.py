"""Work in processes of this machine, and how it ends when someone presses Ctrl-C.

A terminal sends Ctrl-C to every process of a command at once. Here only the parent speaks: a worker unwinds the job it
has in hand, so that nothing half-written stays, and then idles until the parent lets it go. `ProcessPoolExecutor`
alone does neither: its workers die with a traceback or go on with the next job, and at the second Ctrl-C the parent
waits for processes that no longer answer.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final

from quadphase.errors import QuadphaseError
from quadphase.interrupts import interrupt_held

__all__ = ["WorkerPool", "stopped_with"]

GRACE_S: Final = 2.0
"""What interrupted jobs get to clear away after themselves: a killed one would leave a scan in the temporary folder."""


class WorkerPool(ProcessPoolExecutor):
    """Processes that end their jobs when the block fails or is interrupted.

    They are spawned, not forked: the parent holds threads (isal's, OpenMP's) and an open ledger, which must not be
    copied. A spawned process imports the script that started it; a script that works outside
    ``if __name__ == "__main__":`` would start the work anew in each of them.
    """

    def __init__(self, workers: int) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):  # set while that script is imported
            raise SystemExit(1)  # without a word: the parent speaks
        super().__init__(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # Processes start here. One that is still importing cannot answer a Ctrl-C but by a traceback: it starts deaf.
        with interrupt_held(), _deaf_children():
            return super().submit(_do, fn, *args, **kwargs)

    def stop(self) -> None:
        """Forget the jobs that wait, interrupt those in work, and wait until all is quiet.

        Ctrl-C after `GRACE_S` kills what does not answer; before, it is the same press made twice.
        """
        began = time.monotonic()

        def pressed_again() -> None:
            if time.monotonic() - began > GRACE_S:
                for process in self._started():
                    process.kill()

        with interrupt_held(meanwhile=pressed_again):
            for process in self._started():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGINT)
            self.shutdown(wait=True, cancel_futures=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.stop()
        super().__exit__(kind, error, trace)
        if isinstance(error, BrokenExecutor):
            raise QuadphaseError(
                "workers-died",
                "The worker processes ended before their work was done",
                'A script must start it under `if __name__ == "__main__":`, because workers import the script; where '
                "it does, memory was short: use fewer workers",
            ) from None

    def _started(self) -> list[Any]:
        return list((self._processes or {}).values())  # public from Python 3.14 on: `kill_workers`


@contextmanager
def stopped_with(executor: Executor) -> Iterator[None]:
    """When the block fails, stop a `WorkerPool` before the caller removes what its jobs still write to."""
    try:
        yield
    except BaseException:
        if isinstance(executor, WorkerPool):
            executor.stop()
        raise


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in the block hear no Ctrl-C until they ask for it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """What a worker process knows of itself."""

    def __init__(self) -> None:
        self._busy = False
        self._stopping = False

    def stop(self, number: int, frame: object) -> None:  # noqa: ARG002 -- called by the system
        """Interrupt the job in hand, once: what it clears away when it unwinds must not be interrupted again."""
        again, self._stopping = self._stopping, True
        if self._busy and not again:
            raise KeyboardInterrupt

    def do(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._busy = True
        try:
            if self._stopping:
                raise KeyboardInterrupt
            return fn(*args, **kwargs)
        finally:
            self._busy = False


_worker = _Worker()


def _do(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return _worker.do(fn, *args, **kwargs)


def _begin() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGINT, _worker.stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
