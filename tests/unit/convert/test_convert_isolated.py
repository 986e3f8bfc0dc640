"""Decoders apart: one that crashes or never ends costs its slice, nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from quadphase.convert import isolated
from quadphase.convert.exam import Stack, read_stacks
from quadphase.errors import UnsupportedDataError
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.nasty import NASTY, NastyCase


@pytest.fixture
def case(tmp_path: Path) -> NastyCase:
    return NASTY["jpeg2000"](tmp_path)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> isolated._Pool:
    """A pool of its own, so that no other test's decoders are harmed."""
    mine = isolated._Pool()
    monkeypatch.setattr(isolated, "_pool", lambda _process: mine)
    yield mine
    mine.close()


def stack_of(case: NastyCase) -> Stack:
    (stack,) = read_stacks([case.folder], settings=ConvertSection(minimum_slices=2)).usable
    return stack


def test_decoders_are_kept_for_the_next_slice(case: NastyCase, pool: isolated._Pool) -> None:
    np.testing.assert_array_equal(stack_of(case).load(threads=2).volume.hu, case.stacks[0].hu)
    assert 1 <= len(pool._idle) <= 2


def test_a_decoder_ended_from_outside_is_replaced(case: NastyCase, pool: isolated._Pool) -> None:
    stack = stack_of(case)
    stack.load(threads=1)
    os.kill(pool._idle[0]._process.pid, signal.SIGKILL)
    pool._idle[0]._process.wait()
    np.testing.assert_array_equal(stack.load(threads=1).volume.hu, case.stacks[0].hu)


def test_a_slice_that_never_ends_is_refused(
    case: NastyCase, pool: isolated._Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stack_of(case)
    stack.load(threads=1)
    first = pool._idle[0]._process
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "SLICE_S", 0.0)
        with pytest.raises(UnsupportedDataError, match="did not come to an end"):
            stack.load(threads=1)
    assert first.poll() is not None
    assert not pool._idle
    np.testing.assert_array_equal(stack.load(threads=1).volume.hu, case.stacks[0].hu)


def test_a_refusal_keeps_its_decoder(case: NastyCase, pool: isolated._Pool) -> None:
    stack = stack_of(case)
    path = stack.headers[0].origin.path
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnsupportedDataError) as caught:
        stack.load(threads=1)
    assert caught.value.code == "undecodable-pixels"
    assert len(pool._idle) == 1


def test_an_answer_that_was_not_waited_for_is_never_taken_for_the_next(
    case: NastyCase, pool: isolated._Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between question and answer: the process that still owes an answer must not be asked again."""
    stack = stack_of(case)
    stack.load(threads=1)

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(isolated._Decoder, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.decode(stack.headers[0])
    np.testing.assert_array_equal(stack.load(threads=1).volume.hu, case.stacks[0].hu)
