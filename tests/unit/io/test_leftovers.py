"""Leftovers of killed processes go, those of living ones and of strangers stay, and no finished folder is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quadphase.errors import OutputError
from quadphase.io import atomic
from quadphase.io.leftovers import is_abandoned, sweep, sweep_study

KILLED = """
import os, signal, sys
from pathlib import Path
from quadphase.io import atomic
with atomic.new_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_IN_SWAP = """
import os, signal, sys
from pathlib import Path
from quadphase.io import atomic
rename = Path.rename
def once(self, target):
    rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = once
with atomic.new_folder(Path(sys.argv[1]), replace=True) as folder:
    (folder / "new").write_text("x")
"""


@pytest.fixture
def dead() -> int:
    """Id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def kill(program: str, target: Path) -> None:
    done = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "livers" / "P0001"
    place.parent.mkdir()
    kill(KILLED, place)
    assert [p.name[:10] for p in place.parent.iterdir()] == [".tmp-P0001"]
    assert sweep_study(tmp_path) == 1
    assert list(place.parent.iterdir()) == []


def test_a_folder_killed_between_its_two_renames_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "readings" / "A" / "P0001"
    with atomic.new_folder(place) as folder:
        (folder / "seal.json").write_text("evidence")
    kill(KILLED_IN_SWAP, place)
    assert not place.exists()
    sweep_study(tmp_path)
    assert [p.name for p in place.iterdir()] == ["seal.json"]
    assert [p.name for p in place.parent.iterdir()] == ["P0001"]


def test_an_old_folder_whose_successor_is_there_goes(tmp_path: Path, dead: int) -> None:
    (tmp_path / "P0001").mkdir()
    (tmp_path / f".tmp-old-P0001.{dead}").mkdir()
    assert sweep([tmp_path]) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["P0001"]


def test_a_half_written_folder_with_an_odd_name_does_not_become_another(tmp_path: Path, dead: int) -> None:
    (tmp_path / f".tmp-old-release.{dead}").mkdir()  # half of a folder named old-release
    sweep([tmp_path])
    assert list(tmp_path.iterdir()) == []


def test_living_processes_and_strangers_are_left_alone(tmp_path: Path, dead: int) -> None:
    living = [f".tmp-P0001.{os.getppid()}", f".tmp-{os.getppid()}-0"]
    for name in (*living, ".tmp-notes", ".tmp-a.b", f"P0001.{dead}", f".tmp-{dead}-0", f".tmp-x.csv.{dead}"):
        (tmp_path / name).write_text("")
    (tmp_path / "overrides").mkdir()
    (tmp_path / "overrides" / f".tmp-phases.csv.{dead}").write_text("")
    assert sweep_study(tmp_path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [*living, ".tmp-notes", ".tmp-a.b", f"P0001.{dead}", "overrides"]
    )
    assert len(list((tmp_path / "overrides").iterdir())) == 1


def test_our_own_id_is_that_of_an_earlier_process(tmp_path: Path) -> None:
    assert is_abandoned(f".tmp-P0001.{os.getpid()}")


def test_a_folder_made_anew_takes_its_own_remains_away_and_nobody_elses(tmp_path: Path, dead: int) -> None:
    kill(KILLED, tmp_path / "release")
    (tmp_path / f".tmp-other.{dead}").mkdir()
    with atomic.new_folder(tmp_path / "release") as folder:
        (folder / "whole").write_text("x")
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".tmp-other.{dead}", "release"]


def test_a_folder_that_comes_back_is_there_before_anyone_asks(tmp_path: Path) -> None:
    with atomic.new_folder(tmp_path / "release") as folder:
        (folder / "old").write_text("evidence")
    kill(KILLED_IN_SWAP, tmp_path / "release")
    with pytest.raises(OutputError, match="exists already"), atomic.new_folder(tmp_path / "release"):
        pytest.fail("the block must not run")
    assert [p.name for p in (tmp_path / "release").iterdir()] == ["old"]
