"""List a folder tree of source files: links are followed, order is by path, what cannot be reached is told.

One entry and one stat per file; nothing is opened. Links that lead round in a circle and unfinished files of our own
are not entered. A link that leads nowhere and a file that may not be looked at are entries like others: whoever opens
them finds out why, so that none is skipped without a word.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from quadphase.errors import InputError
from quadphase.io.atomic import TEMPORARY_PREFIX

__all__ = ["Entry", "Listing", "list_tree"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as the folder lists it; size and time are 0 where it cannot be reached."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every file below a folder, and how many places could not be listed."""

    root: str
    entries: tuple[Entry, ...]
    closed_folders: int = 0
    """Folders that may not be read."""
    skipped: str | None = None
    """The folder that was not entered on purpose."""

    def covers(self, path: str) -> bool:
        """Whether `path` would be in `entries` if it were there."""
        return _below(path, self.root) and not (self.skipped is not None and _below(path, self.skipped))


def list_tree(root: Path, *, skip: Path | None = None) -> Listing:
    """List every regular file below `root`, sorted by path.

    Parameters
    ----------
    root : Path
    skip : Path, optional
        A folder that is not entered (the study, when it lies inside the source).

    Raises
    ------
    InputError
        ``"no-source"`` if `root` is not a folder that can be read.
    """
    top = root.resolve()
    if not top.is_dir():
        raise InputError("no-source", f"There is no folder {root}", "Name the folder that holds the DICOM files")
    try:
        os.scandir(top).close()
    except OSError:
        raise InputError("no-source", f"Not allowed to list {root}", "Ask for the right to read it") from None
    barred = str(skip.resolve()) if skip is not None else None
    entries: list[Entry] = []
    closed = 0
    seen: set[tuple[int, int]] = set()
    pending = [str(top)]
    while pending:
        folder = pending.pop()
        try:
            state = os.stat(folder)  # noqa: PTH116
            if (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            with os.scandir(folder) as listing:
                for item in listing:
                    if item.name.startswith(TEMPORARY_PREFIX) or item.path == barred:
                        continue
                    if _is_folder(item):
                        pending.append(item.path)
                    elif (entry := _entry(item)) is not None:
                        entries.append(entry)
        except OSError:
            closed += 1
    entries.sort(key=lambda entry: entry.path)
    return Listing(root=str(top), entries=tuple(entries), closed_folders=closed, skipped=barred)


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:
        return False  # a link that leads to itself, or to where we may not look


def _entry(item: os.DirEntry[str]) -> Entry | None:
    """A regular file or a link to one, reachable or not; None for sockets and files that vanish while listed."""
    try:
        if item.is_file():
            stat = item.stat()
            return Entry(item.path, stat.st_size, stat.st_mtime_ns)
        return Entry(item.path, 0, 0) if item.is_symlink() and not os.path.exists(item.path) else None  # noqa: PTH110
    except FileNotFoundError:
        return None
    except OSError:
        return Entry(item.path, 0, 0)
