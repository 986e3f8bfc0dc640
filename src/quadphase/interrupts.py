"""Ctrl-C held back for the moments in which stopping half-way would leave something behind.

Only the main thread is ever interrupted (Python runs signal handlers there), so elsewhere there is nothing to hold.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["interrupt_held"]


@contextmanager
def interrupt_held(meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let a Ctrl-C wait for the end of the block; then it counts as if it were pressed there.

    Parameters
    ----------
    meanwhile : callable, optional
        Called at each Ctrl-C inside the block, which goes on afterwards: for what a person cannot wait for.

    Raises
    ------
    KeyboardInterrupt
        At the end of the block.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return
    pressed = False

    def note(number: int, frame: object) -> None:  # noqa: ARG001 -- called by the system
        nonlocal pressed
        pressed = True
        meanwhile()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
