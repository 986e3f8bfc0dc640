"""What killed processes left behind: names that start with ``.tmp-`` and end in the id of a process that is gone.

`io.atomic` and the download store write under such names and clean up after themselves, unless the process is killed
outright or the power fails. Who holds the study's lock sweeps the study; who makes a folder, what is left of that one.
A name whose process still lives is left alone, because some commands write without the lock; so is a name without a
process id, which is not ours. A folder that was just being replaced is not lost: where its successor never got its
name, the old one gets it back.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["TEMPORARY_PREFIX", "is_abandoned", "sweep", "sweep_study"]

TEMPORARY_PREFIX = ".tmp-"

_PROCESS = re.compile(rf"^{re.escape(TEMPORARY_PREFIX)}(?:(.+)\.(\d+)|(\d+)-\d+)$")
"""``.tmp-P0001.4711`` of `io.atomic`, ``.tmp-4711-3`` of the download store."""
_OLD = re.compile(rf"^{re.escape(TEMPORARY_PREFIX)}old-(.+)\.(\d+)$")
_PEOPLES = "overrides"
"""Written by people, never by a stage."""


def is_abandoned(name: str) -> bool:
    """Whether a temporary name belongs to no living process; this process counts as another one of the same id."""
    parts = _PROCESS.match(name)
    if parts is None:
        return False
    process = int(parts[2] or parts[3])
    return process == os.getpid() or not _lives(process)


def _output_of(name: str) -> str:
    parts = _PROCESS.match(name)
    return parts[1] or "" if parts else ""


def _lives(process: int) -> bool:
    if os.name == "nt":  # there os.kill would end the process
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sweep(folders: Iterable[Path], *, output: str | None = None) -> int:
    """Remove, or give back, what killed processes left directly in these folders.

    Parameters
    ----------
    folders : iterable of Path
    output : str, optional
        Name of the one file or folder whose remains are meant; whatever else is left in a shared folder stays.

    Returns
    -------
    int
        Names that are gone now. What the disk refuses to remove is left for the next time.
    """
    gone = 0
    for folder in folders:
        for name in _abandoned(folder):
            if output is not None and _output_of(name) not in (output, f"old-{output}"):
                continue
            with suppress(OSError):
                _give_back_or_remove(folder / name)
                gone += 1
    return gone


def _abandoned(folder: Path) -> list[str]:
    with suppress(OSError), os.scandir(folder) as items:
        # "old-" names first: they are given back only while the successor is there to prove what they are
        names = [i.name for i in items if i.name.startswith(TEMPORARY_PREFIX) and is_abandoned(i.name)]
        return sorted(names, key=lambda name: (not _OLD.match(name), name))
    return []


def _give_back_or_remove(path: Path) -> None:
    if old := _OLD.match(path.name):
        place = path.with_name(old[1])
        successor = path.with_name(f"{TEMPORARY_PREFIX}{old[1]}.{old[2]}")
        if successor.exists() and not place.exists():
            path.rename(place)
            return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def sweep_study(root: Path) -> int:
    """`sweep` the folder of a study and two levels below it: every place where a stage writes but the downloads."""
    return sweep(_folders(root))


def _folders(root: Path) -> Iterator[Path]:
    yield root
    for part in _below(root):
        if part.name != _PEOPLES:
            yield part
            yield from _below(part)


def _below(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(
            p for p in folder.iterdir() if p.is_dir() and not p.is_symlink() and not p.name.startswith(TEMPORARY_PREFIX)
        )
    return []
