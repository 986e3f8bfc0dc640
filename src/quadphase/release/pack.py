"""One archive of a release: the same bytes for the same files, whoever packs it, wherever and whenever.

Members are sorted, owned by nobody, dated alike. ``.tar.gz`` is one gzip member a file (RFC 1952 allows that, every
tool reads it), so memory stays at one file; ``.zip`` stores without compressing: the images are compressed already, and
zlib's output would differ between versions. A release is checked against its own manifest first: a damaged one is not
packed.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.access import unreadable
from quadphase.io.gzip_stream import compress
from quadphase.io.hashing import load_checksums, sha256_of
from quadphase.model.progress import Progress
from quadphase.release.manifest import CHECKSUMS_NAME, EPOCH_S, released_files

__all__ = ["Packed", "archive_prefix", "pack_release", "verify_release"]

_SUFFIXES: Final = (".tar.gz", ".tgz", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The archive made."""

    path: Path
    files: int
    size_bytes: int
    sha256: str


def archive_prefix(title: str, version: str) -> str:
    """Folder inside the archive: title and version in plain letters, never the name of the folder on this machine."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "release"
    return f"{slug[:60].rstrip('-')}-{re.sub(r'[^A-Za-z0-9.]+', '-', version) or '0'}"


def verify_release(root: Path, *, progress: Progress | None = None) -> tuple[str, ...]:
    """Check every file against `checksums.sha256`.

    Returns
    -------
    tuple of str
        Relative POSIX paths of all files, sorted, the manifest included.

    Raises
    ------
    InputError
        ``"no-checksums"``, ``"release-changed"`` (a file is missing, extra or different; the message names the first),
        ``"not-readable"``.
    """
    manifest = root / CHECKSUMS_NAME
    if not manifest.is_file():
        raise InputError(
            "no-checksums", f"{root} has no {CHECKSUMS_NAME}", "Name a release made by `quadphase release`"
        )
    stated = load_checksums(manifest)
    found = {path.relative_to(root).as_posix(): path for path in released_files(root)}
    found.pop(CHECKSUMS_NAME)
    for name in sorted(stated.keys() | found.keys()):
        if name not in found:
            raise InputError(
                "release-changed", f"{name} is in {CHECKSUMS_NAME} but not on disk", "Make the release again"
            )
        if name not in stated:
            raise InputError(
                "release-changed", f"{name} is not in {CHECKSUMS_NAME}", "Remove it, or make the release again"
            )
    for done, name in enumerate(sorted(found), start=1):
        try:
            same = sha256_of(found[name]) == stated[name]
        except OSError as error:
            raise unreadable(error, found[name]) from None
        if not same:
            raise InputError("release-changed", f"{name} is not what {CHECKSUMS_NAME} says", "Make the release again")
        if progress is not None:
            progress(done, len(found), name)
    return tuple(sorted([*found, CHECKSUMS_NAME]))


def pack_release(
    root: Path, archive: Path, *, prefix: str, overwrite: bool = False, progress: Progress | None = None
) -> Packed:
    """Pack a release.

    Parameters
    ----------
    root : Path
        Folder of the release.
    archive : Path
        Ends in ``.tar.gz``, ``.tgz`` or ``.zip``.
    prefix : str
        Folder inside the archive; see `archive_prefix`.

    Raises
    ------
    InputError
        ``"bad-archive-name"``; as `verify_release`.
    OutputError
        ``"exists"`` unless `overwrite`; if the disk refuses.
    """
    if not archive.name.lower().endswith(_SUFFIXES):
        raise InputError("bad-archive-name", f"{archive.name} names no archive format", "End it in .tar.gz or .zip")
    if archive.resolve().is_relative_to(root.resolve()):
        raise InputError("bad-archive-name", f"{archive} would lie inside the release", "Choose a place outside")
    atomic.require_file(archive, overwrite=overwrite)  # before everything is hashed
    names = verify_release(root, progress=progress)
    pieces = _zip(root, names, prefix) if archive.name.lower().endswith(".zip") else _tar(root, names, prefix)
    atomic.write_bytes(archive, pieces, overwrite=overwrite)
    return Packed(path=archive, files=len(names), size_bytes=archive.stat().st_size, sha256=sha256_of(archive))


def _tar(root: Path, names: tuple[str, ...], prefix: str) -> Iterator[bytes]:
    for name in names:
        data = (root / name).read_bytes()
        member = tarfile.TarInfo(f"{prefix}/{name}")
        member.size, member.mtime, member.mode = len(data), EPOCH_S, 0o644
        head = member.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
        yield from compress((head, data, b"\0" * (-len(data) % tarfile.BLOCKSIZE)))
    yield from compress((b"\0" * (2 * tarfile.BLOCKSIZE),))


def _zip(root: Path, names: tuple[str, ...], prefix: str) -> Iterator[bytes]:
    stream = _Drain()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as book:
        for name in names:
            member = zipfile.ZipInfo(f"{prefix}/{name}", (2000, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            book.writestr(member, (root / name).read_bytes())
            yield stream.take()
    yield stream.take()


class _Drain(io.RawIOBase):
    """A stream one can only write to and take from: zipfile then puts sizes behind the data and never seeks back."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._held += view
        return view.nbytes

    def take(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held
