"""Where fetched instances land: complete files or none, under names that tell nothing, private to their owner.

``restricted/dicom/<study>/<series>/<instance>.dcm``, each a keyed hash of its UID (`keyed_hash`), folders 0700, files
0600. An instance is written under a temporary name and renamed when its last byte arrived, so a file that is there is
whole, and what is there need not be fetched again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

from quadphase.errors import OutputError
from quadphase.io.atomic import TEMPORARY_PREFIX, explain
from quadphase.io.leftovers import is_abandoned
from quadphase.io.pseudonyms import keyed_hash

__all__ = ["SeriesStore"]

_BUFFER: Final = 1 << 20


@dataclass(slots=True)
class SeriesStore:
    """The folder of one series while it is being fetched.

    Parameters
    ----------
    downloads : Path
        ``Study.downloads``.
    key : bytes
        Secret of the study.
    study_instance_uid, series_instance_uid : str
    """

    downloads: Path = field(repr=False)
    key: bytes = field(repr=False)
    study_instance_uid: str = field(repr=False)
    series_instance_uid: str = field(repr=False)
    written: int = 0
    """Instances stored since this object was made."""
    bytes: int = 0
    duplicates: int = 0
    """Instances that came again; the first copy was kept."""
    _names: set[str] = field(default_factory=set, repr=False)
    _new: set[str] = field(default_factory=set, repr=False)
    _numbers: Iterator[int] = field(default_factory=count, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)
    """A PACS may send one series over several associations at once."""

    def __post_init__(self) -> None:
        self.sweep()

    @property
    def folder(self) -> Path:
        return (
            self.downloads
            / keyed_hash(self.key, "study", self.study_instance_uid)
            / keyed_hash(self.key, "series", self.series_instance_uid)
        )

    @property
    def held(self) -> int:
        """Complete instances on disk."""
        return len(self._names)

    def name(self, sop_instance_uid: str) -> str:
        return keyed_hash(self.key, "uid", sop_instance_uid, digits=24) + ".dcm"

    def has(self, sop_instance_uid: str) -> bool:
        return self.name(sop_instance_uid) in self._names

    def sweep(self) -> None:
        """Look what is on disk; remove what an interrupted run left half-written, not what another still writes."""
        self._names.clear()
        if not self.folder.is_dir():
            return
        for item in os.scandir(self.folder):
            if not item.name.startswith(TEMPORARY_PREFIX):
                self._names.add(item.name)
            elif is_abandoned(item.name):
                Path(item.path).unlink(missing_ok=True)

    def begin(self) -> Arrival:
        """Open a temporary file for an instance that starts to arrive.

        Raises
        ------
        OutputError
            ``"disk-full"``, ``"not-writable"``.
        """
        folder = self.folder
        try:
            if not folder.is_dir():
                self.downloads.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.downloads.chmod(0o700)
                folder.parent.mkdir(exist_ok=True, mode=0o700)
                folder.mkdir(exist_ok=True, mode=0o700)
            path = folder / f"{TEMPORARY_PREFIX}{os.getpid()}-{next(self._numbers)}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            return Arrival(self, path, os.fdopen(descriptor, "wb", buffering=_BUFFER))
        except OSError as error:
            raise explain(error, self.downloads) from None

    def _keep(self, path: Path, sop_instance_uid: str, size: int) -> None:
        name = self.name(sop_instance_uid)
        with self._lock:
            if name in self._names:
                path.unlink()
                # what an earlier run stored comes again when a cut series is asked for as a whole: no duplicate
                self.duplicates += name in self._new
                self._new.add(name)
                return
            path.rename(self.folder / name)
            self._names.add(name)
            self._new.add(name)
            self.written += 1
            self.bytes += size


class Arrival:
    """An instance on its way to disk."""

    __slots__ = ("_path", "_store", "_stream", "size")

    def __init__(self, store: SeriesStore, path: Path, stream: BinaryIO) -> None:
        self._store = store
        self._path = path
        self._stream = stream
        self.size = 0

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        try:
            self.size += self._stream.write(piece)
        except OSError as error:
            raise self._failed(error) from None

    def keep(self, sop_instance_uid: str) -> None:
        """The last byte is there: give the file its name."""
        try:
            self._stream.close()
            self._store._keep(self._path, sop_instance_uid, self.size)
        except OSError as error:
            raise self._failed(error) from None

    def drop(self) -> None:
        """Forget it."""
        with suppress(OSError):
            self._stream.close()
        self._path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> OutputError:
        self.drop()
        return explain(error, self._store.downloads)
