"""Scan a folder tree of DICOM: list it once, open only what is new or changed, yield rows for the ledger in batches.

Listing costs one directory entry and one stat per file; a file whose size and modification time are as the ledger knows
them is not opened. The order is by path, so a run is repeatable. Hidden temporary files of an interrupted download,
links that lead round in a circle and the study's own folders are not entered. What the ledger knows from another folder
is kept while it is there: a study may have several sources; what was moved or removed is forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quadphase.acquire.instance import Row, read_row
from quadphase.errors import InputError
from quadphase.io.atomic import TEMPORARY_PREFIX

__all__ = ["Entry", "Listing", "changed", "list_tree", "read_batches", "vanished_elsewhere"]

BATCH: Final = 2000
"""Files per transaction: an interrupted scan loses at most this many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as the folder lists it."""

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
                    if item.is_dir():
                        pending.append(item.path)
                    elif (entry := _entry(item)) is not None:
                        entries.append(entry)
        except OSError:
            closed += 1
    entries.sort(key=lambda entry: entry.path)
    return Listing(root=str(top), entries=tuple(entries), closed_folders=closed, skipped=barred)


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _entry(item: os.DirEntry[str]) -> Entry | None:
    """A regular file, or a link to one; None for sockets, broken links and files that vanish while listed."""
    try:
        if not item.is_file():
            return None
        stat = item.stat()
    except OSError:
        return None
    return Entry(item.path, stat.st_size, stat.st_mtime_ns)


def changed(listing: Listing, known: Mapping[str, tuple[int, int]]) -> tuple[list[Entry], list[str]]:
    """Files to read, and paths the ledger knows below the root that are no longer there."""
    new = [entry for entry in listing.entries if known.get(entry.path) != (entry.size, entry.mtime_ns)]
    present = {entry.path for entry in listing.entries}
    gone = [path for path in known if path not in present and listing.covers(path)]
    return new, gone


def vanished_elsewhere(listing: Listing, known: Iterable[str]) -> list[str]:
    """Paths the ledger knows from other folders that are no longer there.

    Only a plain "there is no such file" counts: a share that answers with another error may come back.
    """
    return [path for path in known if not listing.covers(path) and _is_missing(path)]


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def read_batches(entries: list[Entry]) -> Iterator[list[tuple[Row, str]]]:
    """Read files in the order given; rows with the reason of unreadable ones, `BATCH` at a time."""
    for start in range(0, len(entries), BATCH):
        yield [read_row(entry.path, entry.size, entry.mtime_ns) for entry in entries[start : start + BATCH]]
