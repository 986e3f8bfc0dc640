"""Ctrl-C and the pool: jobs unwind, nothing waits for ever, and only the parent speaks.

Each test starts a small program in a process group of its own, as a shell does, and presses Ctrl-C there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from quadphase.errors import QuadphaseError
from quadphase.processes import WorkerPool

PATIENCE_S = 60.0
"""For a busy machine; what is meant to end here ends within a second or two."""

PROGRAM = """
import signal, sys, time
from pathlib import Path
from quadphase.processes import WorkerPool

def job(value):
    folder, number, stubborn = value
    (folder / f"begun-{number}").touch()
    try:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                if not stubborn:
                    raise
                (folder / f"refused-{number}").touch()
    finally:
        (folder / f"unwound-{number}").touch()

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test runner in the background ignores it
    folder, stubborn = Path(sys.argv[1]), sys.argv[2] == "stubborn"
    try:
        with WorkerPool(2) as pool:
            list(pool.map(job, [(folder, number, stubborn) for number in range(8)]))
    except KeyboardInterrupt:
        print("interrupted")
        raise SystemExit(130)
"""


def wait_until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < end, "not within the time a busy machine may take"
        time.sleep(0.02)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    (tmp_path / "program.py").write_text(PROGRAM)

    def start(manner: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(tmp_path / "program.py"), str(tmp_path), manner],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def names(folder: Path, prefix: str) -> list[str]:
    return sorted(path.name for path in folder.glob(f"{prefix}-*"))


@pytest.mark.parametrize("press", [os.killpg, os.kill], ids=["group", "parent-alone"])
def test_one_press_unwinds_what_runs_and_forgets_what_waits(
    tmp_path: Path, program: Callable[[str], subprocess.Popen[str]], press: Callable[[int, int], None]
) -> None:
    started = program("gentle")
    wait_until(lambda: len(names(tmp_path, "begun")) == 2)
    press(started.pid, signal.SIGINT)
    said, _ = started.communicate(timeout=PATIENCE_S)
    assert (started.returncode, said) == (130, "interrupted\n")
    assert names(tmp_path, "begun") == ["begun-0", "begun-1"]
    assert names(tmp_path, "unwound") == ["unwound-0", "unwound-1"]


def test_a_second_press_kills_what_does_not_answer(
    tmp_path: Path, program: Callable[[str], subprocess.Popen[str]]
) -> None:
    started = program("stubborn")
    wait_until(lambda: len(names(tmp_path, "begun")) == 2)
    os.killpg(started.pid, signal.SIGINT)
    wait_until(lambda: len(names(tmp_path, "refused")) == 2)
    for _ in range(3):  # the last one comes after the time that jobs are given
        assert started.poll() is None, "a job that does not answer is waited for"
        os.killpg(started.pid, signal.SIGINT)
        time.sleep(1.1)
    said, _ = started.communicate(timeout=PATIENCE_S)
    assert (started.returncode, said) == (130, "interrupted\n")
    assert names(tmp_path, "unwound") == []


def children_of(parent: int) -> list[str]:
    """Processes whose parent this is, from the field after the state in ``/proc/PID/stat``."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(stat.parent.name)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_press_while_the_workers_start_is_as_quiet(
    tmp_path: Path, program: Callable[[str], subprocess.Popen[str]]
) -> None:
    started = program("gentle")
    wait_until(lambda: len(children_of(started.pid)) == 3)  # the resource tracker and two that import
    os.killpg(started.pid, signal.SIGINT)
    said, _ = started.communicate(timeout=PATIENCE_S)
    assert (started.returncode, said) == (130, "interrupted\n")
    assert names(tmp_path, "begun") == names(tmp_path, "unwound")


UNGUARDED = """
from quadphase.processes import WorkerPool

with WorkerPool(2) as pool:
    print(list(pool.map(abs, [-1, -2])))
"""


def test_a_script_without_a_guard_is_told_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("Traceback") == 1
    assert 'A script must start it under `if __name__ == "__main__":`' in ended.stderr.splitlines()[-1]
    assert "workers-died" not in ended.stderr.splitlines()[-1]
    body = UNGUARDED.replace("\n\nwith", '\n\nif __name__ == "__main__":\n  with').replace("    print", "      print")
    script.write_text(body)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[1, 2]\n", "")


def test_processes_that_die_are_one_error() -> None:
    with pytest.raises(QuadphaseError, match="use fewer workers") as caught, WorkerPool(2) as pool:
        list(pool.map(os._exit, [3, 3]))
    assert caught.value.code == "workers-died"


WRITING = """
import sys, time
from pathlib import Path
from quadphase.io import atomic
from quadphase.processes import WorkerPool, stopped_with

def job(folder):
    for number in range(100_000):
        atomic.write_bytes(folder / "deep" / f"{number}", b"x")
        time.sleep(0.001)

if __name__ == "__main__":
    out = Path(sys.argv[1])
    with WorkerPool(2) as pool:
        try:
            with atomic.new_folder(out) as folder, stopped_with(pool):
                jobs = [pool.submit(job, folder) for _ in range(4)]
                while not (folder / "deep").exists():
                    time.sleep(0.01)
                raise ValueError
        except ValueError:
            print(sorted(path.name for path in out.parent.iterdir()))
"""


def test_a_folder_is_removed_after_those_who_write_into_it_have_stopped(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(WRITING)
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "work" / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list((tmp_path / "work").iterdir()) == []
