"""SHA-256 of files, and the checksum manifest of a release (the format of ``sha256sum``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from quadphase.io.access import unreadable

__all__ = ["format_checksums", "load_checksums", "parse_checksums", "sha256_of"]


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes.

    Raises
    ------
    OSError
        As the system says it; what the file may be called in a message, only the caller knows.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_checksums(path: Path) -> dict[str, str]:
    """Read a manifest as `parse_checksums`; bytes that are no UTF-8 are part of some path that does not exist.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``.
    """
    try:
        return parse_checksums(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise unreadable(error, path) from None


def format_checksums(digests: Mapping[str, str]) -> str:
    """Text of `checksums.sha256`: one ``digest␠␠path`` line a file, sorted by path, for ``sha256sum -c``."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))


def parse_checksums(text: str) -> dict[str, str]:
    """Inverse of `format_checksums`: POSIX path to lower-case hex digest; lines of another form are left out.

    Everything ``sha256sum -c`` takes is understood: upper-case digests, ``./`` before paths, ``*`` of binary mode.
    """
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    usable = (
        (path.removeprefix("*"), digest) for digest, path in (p for p in pairs if len(p) == 2) if len(digest) == 64
    )
    return {PurePosixPath(path).as_posix(): digest.lower() for path, digest in usable}
