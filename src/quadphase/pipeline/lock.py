"""One run of a study at a time: two would fight over the ledger and each other's folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quadphase.errors import OutputError
from quadphase.interrupts import interrupt_held
from quadphase.io.atomic import explain
from quadphase.io.leftovers import sweep_study
from quadphase.io.study import Study

__all__ = ["lock_study"]


@contextmanager
def lock_study(study: Study) -> Iterator[None]:
    """Hold the study for this process; the lock goes with the process, however it ends.

    What killed processes left half-written is swept first: nobody else works here now.

    Raises
    ------
    OutputError
        ``"study-busy"``; as `atomic.write_bytes`.
    """
    try:
        import fcntl
    except ImportError:  # no advisory locks on Windows: there the user is trusted
        yield
        return
    study.make_restricted()
    path = study.restricted / "run.lock"
    try:
        handle = path.open("w")
    except OSError as error:
        raise explain(error, path) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError("study-busy", f"Another run holds {study.root}", "Wait until it ends") from None
        sweep_study(study.root)
        try:
            yield
        except BaseException:
            with interrupt_held():
                sweep_study(study.root)  # of workers that had to be killed
            raise
