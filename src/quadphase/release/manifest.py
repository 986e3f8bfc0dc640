"""The last step of a release: one file time for all, and `checksums.sha256` over everything else.

File times would tell when a case was processed, and so in which order; every file and folder gets the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from quadphase.io import atomic
from quadphase.io.hashing import format_checksums, sha256_of

__all__ = ["CHECKSUMS_NAME", "EPOCH_S", "released_files", "seal"]

CHECKSUMS_NAME: Final = "checksums.sha256"

EPOCH_S: Final = 946_684_800
"""2000-01-01T00:00:00Z. Not 0: the ZIP format has no time before 1980 (APPNOTE.TXT 4.4.6)."""


def released_files(root: Path) -> tuple[Path, ...]:
    """Every file of a release, sorted by relative POSIX path."""
    return tuple(sorted((p for p in root.rglob("*") if p.is_file()), key=lambda p: p.relative_to(root).as_posix()))


def seal(root: Path) -> Path:
    """Write `checksums.sha256` and set all times; call it after the last change to any file."""
    files = [path for path in released_files(root) if path.name != CHECKSUMS_NAME]
    text = format_checksums({path.relative_to(root).as_posix(): sha256_of(path) for path in files})
    target = atomic.write_text(root / CHECKSUMS_NAME, text)
    for path in (*root.rglob("*"), root):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH_S, EPOCH_S))
    return target
