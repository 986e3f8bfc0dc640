"""Ctrl-C in a real command with two workers: it ends soon, says one line, and leaves nothing half-written.

The command runs in a process group of its own, as under a shell, and the whole group is told.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quadphase.io.study import Study

PATIENCE_S = 60.0
"""For a busy machine; alone it takes a second or two."""

COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test runner in the background ignores it
from quadphase.cli.main import main
main()
"""

FINDER = """
import sys, time
from pathlib import Path
Path(sys.argv[1]).touch()
time.sleep(300)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a command whose temporary files go to ``tmp_path / "tmp"``."""
    (tmp_path / "tmp").mkdir()

    def started(*words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *map(str, words)],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        )

    return started


def press_when(there: Callable[[], bool], command: subprocess.Popen[str], *, times: int) -> tuple[int, str]:
    """Exit code and standard error of a command that was interrupted once something was there."""
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < end, "not within the time a busy machine may take"
        time.sleep(0.01)
    for _ in range(times):
        if command.poll() is None:
            os.killpg(command.pid, signal.SIGINT)
            time.sleep(0.1)
    _, said = command.communicate(timeout=PATIENCE_S)
    return command.returncode, said


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith((".tmp-", "quadphase-"))]


@pytest.mark.parametrize("times", [1, 2])
def test_a_stage(ready: Study, tmp_path: Path, start: Callable[..., subprocess.Popen[str]], times: int) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    (tmp_path / "finder.py").write_text(FINDER)
    # The finder never ends; the scan it was given lies in the temporary folder until the worker takes it away.
    line = f"{sys.executable} {tmp_path / 'finder.py'} {begun}/a {{ct}} {{mask}}"
    options = ("--workers", 2, "--backend", "command", "--command", line)
    before = sorted(ready.livers.rglob("*"))
    code, said = press_when(lambda: any(begun.iterdir()), start("localize", ready.root, *options), times=times)
    assert (code, said) == (130, "quadphase: Interrupted; finished work is kept, run the same command to go on.\n")
    assert half_written(tmp_path) == []
    assert sorted(ready.livers.rglob("*")) == before


@pytest.mark.parametrize("times", [1, 2])
def test_a_release_outside_its_study(
    ready: Study, tmp_path: Path, start: Callable[..., subprocess.Popen[str]], times: int
) -> None:
    out = tmp_path / "published" / "release"
    command = start("release", ready.root, out, "--workers", 2)
    code, said = press_when(lambda: any(tmp_path.glob("published/.tmp-*/ct_files/*")), command, times=times)
    assert (code, said) == (130, "quadphase: Interrupted; run the same command to begin again.\n")
    assert half_written(tmp_path) == []
    assert not out.exists()
