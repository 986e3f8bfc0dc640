"""One clear line for the ways a disk refuses to be read; `atomic.explain` is its counterpart for writing."""

from __future__ import annotations

import errno
from pathlib import Path

from quadphase.errors import InputError

__all__ = ["unreadable"]


def unreadable(error: OSError, path: Path, *, hint: str = "Check the name") -> InputError:
    """What to raise where `path` cannot be read.

    Parameters
    ----------
    error : OSError
    path : Path
        As the user or the study names it.
    hint : str
        For a file that is not there.

    Returns
    -------
    InputError
        ``"missing-file"``, or ``"not-readable"`` for a folder, a missing right and a failing disk.
    """
    match error:
        case FileNotFoundError():
            return InputError("missing-file", f"There is no file {path}", hint)
        case NotADirectoryError():
            return InputError(
                "missing-file", f"There is no file {path}: {path.parent} is not a folder", "Check the name"
            )
        case IsADirectoryError():
            return InputError("not-readable", f"{path} is a folder, not a file", "Name a file")
        case OSError(errno=errno.ENAMETOOLONG):
            return InputError("missing-file", f"There is no file {path}: the name is too long", "Check the name")
        case PermissionError():
            return InputError("not-readable", f"Not allowed to read {path}", "Ask for the right to read it")
        case _:
            return InputError("not-readable", f"Cannot read {path}: {error.strerror}", "Check the disk")
