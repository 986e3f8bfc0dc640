"""What changed in a source since the ledger saw it: new and changed files are opened, the others are not.

A file whose size and modification time are as the ledger knows them is not opened. Files are read in the order of the
listing (`quadphase.io.file_tree`), so a run is repeatable. What the ledger knows from another folder is kept while it
is there: a study may have several sources; what was moved or removed is forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from quadphase.acquire.instance import Row, read_row
from quadphase.io.file_tree import Entry, Listing

__all__ = ["changed", "read_batches", "vanished_elsewhere"]

BATCH: Final = 2000
"""Files per transaction: an interrupted scan loses at most this many."""


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
