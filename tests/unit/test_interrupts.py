"""A held Ctrl-C is neither lost nor early."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from quadphase.interrupts import interrupt_held


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """A test runner in the background ignores Ctrl-C; here it counts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_press_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupt_held():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the block")
    assert done == ["the rest of the block"]


def test_every_press_is_told_meanwhile_and_counts_once() -> None:
    pressed = []
    with pytest.raises(KeyboardInterrupt), interrupt_held(meanwhile=lambda: pressed.append("again")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert pressed == ["again", "again"]


def test_without_a_press_nothing_changes() -> None:
    with interrupt_held():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under nohup
    with interrupt_held(meanwhile=lambda: pytest.fail("nobody asked")):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
