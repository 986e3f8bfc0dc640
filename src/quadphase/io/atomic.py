"""Files and folders that exist complete or not at all.

A stage writes under a temporary name beside its target and renames at the end; a killed run leaves only names that
start with ``.tmp-``, which the next one removes (`io.leftovers`). Existing outputs are never overwritten unless the
caller says so; and then a folder only where it is empty or *recognised* as the same kind of output, and never one that
is, holds or lies inside an input, or that holds a study. A slip of the finger must not delete a hospital's images.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quadphase.errors import OutputError
from quadphase.interrupts import interrupt_held
from quadphase.io.leftovers import TEMPORARY_PREFIX, sweep

__all__ = [
    "TEMPORARY_PREFIX",
    "Recognised",
    "explain",
    "new_folder",
    "require_apart",
    "require_file",
    "require_target",
    "write_bytes",
    "write_text",
]

_PRECIOUS = ("restricted", "ledger.sqlite", "protocol.toml", "pseudonym.key")
"""Names that only a study has: a folder that holds one, at any depth, is never replaced."""

Recognised = Callable[[Path], bool]
"""Whether an existing folder is an earlier output of the same kind, which may be replaced."""


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
        As `require_file`; ``"disk-full"``, ``"not-writable"``, ``"not-a-folder"``, ``"cannot-write"``.
    """
    require_file(target, overwrite=overwrite)
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


def require_file(target: Path, *, overwrite: bool = False) -> None:
    """Refuse a file that may not be written there; commands ask before long work.

    Raises
    ------
    OutputError
        ``"not-a-file"`` for a folder, ``"exists"`` unless `overwrite`; as `explain` where the disk does not say.
    """
    try:
        folder, there = target.is_dir(), target.exists()
    except OSError as error:
        raise explain(error, target) from None
    if folder:
        raise OutputError("not-a-file", f"{target} is a folder", "Name a file")
    if there and not overwrite:
        raise OutputError("exists", f"{target} exists already", "Choose another name, or add --overwrite")


def write_text(target: Path, text: str, *, overwrite: bool = True) -> Path:
    """Write UTF-8 text with the newlines it has, completely or not at all; errors as `write_bytes`."""
    return write_bytes(target, text.encode("utf-8"), overwrite=overwrite)


def require_apart(target: Path, inputs: Iterable[Path], *, inside: bool = True) -> None:
    """Refuse an output that is, holds or (with `inside`) lies inside one of the inputs; links are followed.

    Raises
    ------
    OutputError
        ``"output-is-input"``.
    """
    place = _followed(target)
    for one in inputs:
        known = _followed(one)
        if place == known:
            how = "is an input of this command"
        elif known.is_relative_to(place):
            how = f"holds {one}, an input of this command"
        elif inside and place.is_relative_to(known):
            how = f"lies inside {one}, an input of this command"
        else:
            continue
        raise OutputError("output-is-input", f"{target} {how}", "Name another place for the output")


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:
        raise OutputError("cannot-write", f"Cannot write {path}: its links lead in a circle", "Remove them") from None


def require_target(
    target: Path, *, replace: bool = False, recognised: Recognised | None = None, inputs: Iterable[Path] = ()
) -> Path:
    """The place of a new folder, links followed, if it may be written there; commands ask before hours of work.

    Parameters
    ----------
    target : Path
    replace : bool
        Whether an existing folder may be replaced: an empty one, or one that is `recognised`.
    recognised : callable, optional
        None: a folder of the caller's own making, such as a stage's folder of one case.
    inputs : iterable of Path
        As in `require_apart`.

    Raises
    ------
    OutputError
        ``"exists"``, ``"not-a-folder"``, ``"output-is-input"``, ``"holds-a-study"``, ``"not-recognised"``.
    """
    require_apart(target, inputs)
    place = _followed(target)
    try:
        there = place.exists()
    except OSError as error:
        raise explain(error, target) from None
    if not there:
        return place
    if not replace:
        way = "add --overwrite" if recognised is not None else "remove it yourself"
        raise OutputError("exists", f"{target} exists already", f"Choose another name, or {way}")
    if not place.is_dir():
        raise OutputError("not-a-folder", f"{target} is a file", "Choose another name")
    if Path.cwd().is_relative_to(place):
        raise OutputError("not-recognised", f"{target} is the folder you work in", "Name a folder of its own")
    if _holds_a_study(place):
        raise OutputError("holds-a-study", f"{target} holds a study and is never replaced", "Choose another name")
    if recognised is not None and any(place.iterdir()) and not recognised(place):
        raise OutputError(
            "not-recognised",
            f"{target} holds something else than an earlier output of this command",
            "Choose another name, or remove it yourself",
        )
    return place


def _holds_a_study(place: Path) -> bool:
    return any(name in _PRECIOUS for _, folders, files in os.walk(place) for name in (*folders, *files))


@contextmanager
def new_folder(
    target: Path, *, replace: bool = False, recognised: Recognised | None = None, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block ends well, and vanishes when it does not.

    What earlier, killed processes left of this target goes first.

    Parameters
    ----------
    target : Path
    replace, recognised, inputs
        As in `require_target`, which is asked before the block and again before anything is replaced.

    Raises
    ------
    OutputError
        As `require_target` and `write_bytes`.
    """
    inputs = tuple(inputs)
    beside = _followed(target)
    sweep([beside.parent], output=beside.name)
    place = require_target(target, replace=replace, recognised=recognised, inputs=inputs)
    temporary = place.with_name(f"{TEMPORARY_PREFIX}{place.name}.{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        require_target(target, replace=replace, recognised=recognised, inputs=inputs)
        with interrupt_held():
            if place.exists():
                _swap(temporary, place)
            else:
                temporary.rename(place)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise explain(error, target) from None
    finally:
        with interrupt_held():
            shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, place: Path) -> None:
    old = place.with_name(f"{TEMPORARY_PREFIX}old-{place.name}.{os.getpid()}")
    place.rename(old)
    try:
        temporary.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old)
