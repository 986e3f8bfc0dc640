"""Files and folders that exist complete or not at all.

A stage writes under a temporary name beside its target and renames at the end; an interrupted run leaves only names
that start with ``.tmp-``, which the next run removes. Existing outputs are never overwritten unless the caller says so.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quadphase.errors import OutputError

__all__ = ["TEMPORARY_PREFIX", "explain", "new_folder", "write_bytes", "write_text"]

TEMPORARY_PREFIX = ".tmp-"


def explain(error: OSError, target: Path) -> OutputError:
    """One clear line for the ways a disk refuses."""
    if error.errno == errno.ENOSPC:
        return OutputError("disk-full", f"No space left while writing {target}", "Free space, then run again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(
            "not-writable", f"Not allowed to write {target}", "Choose another place or change its rights"
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return OutputError("not-a-folder", f"{target.parent} is not a folder", "Choose another place")
    return OutputError("cannot-write", f"Cannot write {target}: {error.strerror}", "")


def write_bytes(target: Path, pieces: bytes | Iterable[bytes], *, overwrite: bool = True) -> Path:
    """Write a file completely or not at all.

    Parameters
    ----------
    target : Path
        Parent folders are made.
    pieces : bytes or iterable of bytes
    overwrite : bool
        False: an existing file is an `OutputError` ``"exists"``.

    Raises
    ------
    OutputError
        ``"exists"``, ``"disk-full"``, ``"not-writable"``, ``"not-a-folder"``, ``"cannot-write"``.
    """
    if not overwrite and target.exists():
        raise OutputError("exists", f"{target} exists already", "Choose another name, or remove it yourself")
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            for piece in (pieces,) if isinstance(pieces, bytes) else pieces:
                stream.write(piece)
        temporary.replace(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise explain(error, target) from None
    finally:
        if temporary.exists():
            temporary.unlink()
    return target


def write_text(target: Path, text: str, *, overwrite: bool = True) -> Path:
    """Write UTF-8 text with the newlines it has, completely or not at all; errors as `write_bytes`."""
    return write_bytes(target, text.encode("utf-8"), overwrite=overwrite)


@contextmanager
def new_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block ends well, and vanishes when it does not.

    Parameters
    ----------
    target : Path
    replace : bool
        Whether an existing `target` is replaced (at the end, by rename); otherwise it is an `OutputError` ``"exists"``.

    Raises
    ------
    OutputError
        As `write_bytes`.
    """
    if target.exists() and not replace:
        raise OutputError("exists", f"{target} exists already", "Choose another name, or remove it yourself")
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{target.name}.{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        if target.exists():
            old = target.with_name(f"{TEMPORARY_PREFIX}old-{target.name}.{os.getpid()}")
            target.rename(old)
            temporary.rename(target)
            shutil.rmtree(old)
        else:
            temporary.rename(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise explain(error, target) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
