"""Every entry below a finished folder, for those who must answer for all of it (`file_tree` lists sources).

Links are entries and not followed, hidden and unfinished files count, and what may not be looked at is told, not
skipped.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WholeTree", "is_there", "whole_tree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTree:
    """What a folder holds.

    Parameters
    ----------
    entries : tuple of Path
        Files, folders, links and whatever else, sorted.
    closed : tuple of Path
        Folders that may not be listed, sorted; the root itself may be one.
    """

    entries: tuple[Path, ...]
    closed: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Files, links to files, and what may not be looked at: it could be one."""
        return tuple(path for path in self.entries if _may_be_file(path))


def whole_tree(root: Path) -> WholeTree:
    """List everything below a folder."""
    entries: list[Path] = []
    closed: list[Path] = []
    for folder, folders, others in os.walk(root, onerror=lambda error: closed.append(Path(error.filename or root))):
        entries += (Path(folder, name) for name in (*folders, *others))
    return WholeTree(entries=tuple(sorted(entries)), closed=tuple(sorted(closed)))


def is_there(path: Path) -> bool:
    """Whether something is there, or may be, as nobody is allowed to look."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _may_be_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False
