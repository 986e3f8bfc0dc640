"""`scan`: prove that no byte of a release is an identifier, or name the file and the kind of what was found.

Every file is read whole and taken apart (`unpacking`); every part is searched for every identifier the ledger knows
in all its spellings (`matcher`). The report names files and kinds and never a value: where the file's own name is the
leak, the file is given by its number in sorted order.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from quadphase.deidentify.matcher import Matcher
from quadphase.deidentify.moments import moment
from quadphase.deidentify.regions import Flaw, Region
from quadphase.deidentify.unpacking import name_regions, regions
from quadphase.errors import InputError, PrivacyError
from quadphase.io.whole_tree import WholeTree, whole_tree
from quadphase.model import Finding, Severity
from quadphase.model.progress import Progress
from quadphase.model.source import Identifier

__all__ = ["ScanReport", "scan", "scan_with"]

KIND_WORDS: Final = {
    "name": "a name",
    "patient_id": "a patient id",
    "accession": "an accession number",
    "uid": "a UID",
    "date": "a date",
    "birth_date": "a date of birth",
}

LARGEST: Final = 8 << 30
"""Bytes of a file that is read whole; a larger one is a packed release, whose folder can be scanned."""

RECENT_S: Final = 2 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What a scan read and found.

    Parameters
    ----------
    findings : tuple of Finding
        ``identifier-found`` and ``not-scanned`` stop a release, ``identifier-too-short`` tells what was not searched.
    files : int
        Files read.
    bytes : int
        Bytes of those files, as they lie on disk.
    bytes_searched : int
        Bytes searched after everything was unpacked and decoded.
    identifiers : int
    """

    findings: tuple[Finding, ...]
    files: int
    bytes: int
    bytes_searched: int
    identifiers: int

    @property
    def is_clean(self) -> bool:
        """No identifier found, and everything could be read."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def require_clean(self) -> None:
        """Stop a release that is not clean.

        Raises
        ------
        PrivacyError
            ``"identifier-found"`` or ``"not-scanned"``, naming the first file and the number of findings.
        """
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        if errors:
            first = errors[0]
            more = f"; {len(errors)} findings in all" if len(errors) > 1 else ""
            raise PrivacyError(first.code, f"{first.location}: {first.message}{more}", first.hint)

    def to_dict(self) -> dict[str, Any]:
        return {
            "clean": self.is_clean,
            "files": self.files,
            "bytes": self.bytes,
            "bytes_searched": self.bytes_searched,
            "identifiers": self.identifiers,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def scan(
    path: Path, identifiers: Iterable[Identifier], *, allow: Iterable[str] = (), progress: Progress | None = None
) -> ScanReport:
    """Search every byte under `path` for every identifier.

    Parameters
    ----------
    path : Path
        A file or a folder.
    identifiers : iterable of Identifier
        Usually ``Ledger.identifiers()``.
    allow : iterable of str
        Texts that are public on purpose: a hit inside one of them does not count. The day of publication belongs here,
        as it may be the day of somebody's exam.
    progress : callable, optional
        ``(files done, files in all, label)``.

    Raises
    ------
    InputError
        ``"missing-file"``.

    Examples
    --------
    >>> scan(release, ledger.identifiers(), allow=["2026-11-23"]).require_clean()  # doctest: +SKIP
    """
    return scan_with(Matcher(identifiers, allow=allow), path, progress=progress)


def scan_with(matcher: Matcher, path: Path, *, progress: Progress | None = None) -> ScanReport:
    """`scan` with a matcher that is already built; errors as there."""
    if not path.exists():
        raise InputError("missing-file", f"There is no file or folder {path}", "Check the name")
    path = path.resolve()  # a link that was asked for by name is followed, others are not
    tree = whole_tree(path) if path.is_dir() else WholeTree(entries=(path,), closed=())
    # A root that may not be listed is the only entry there is.
    entries = tree.entries or tree.closed
    findings = [
        Finding.of("identifier-too-short", "identifiers", f"{count} of kind {kind} were not searched")
        for kind, count in sorted(matcher.too_short.items())
    ]
    files = total = searched = 0
    for number, entry in enumerate(entries, start=1):
        parts = entry.relative_to(path).as_posix() if entry != path else entry.name
        named = frozenset(kind for name in name_regions(os.fsencode(parts)) for kind in matcher.search(name))
        location = f"file {number} of {len(entries)} (name withheld)" if named else parts
        if named:
            findings.append(_found(location, "its name", named))
        try:
            info = entry.lstat()
            data, about = _link(entry, path) if stat.S_ISLNK(info.st_mode) else _content(entry, info)
        except OSError as error:
            findings.append(Finding.of("not-scanned", location, f"cannot be read: {error.strerror}"))
            continue
        if entry in tree.closed:
            about.append(Flaw(place="folder", reason="may not be listed, and what is in it was not read"))
        files += data is not None
        total += len(data or b"")
        seen: set[tuple[str, frozenset[str]]] = set()
        for region in chain(about, regions(data or b"")):  # one at a time: the next may overwrite what it holds
            if isinstance(region, Flaw):
                findings.append(Finding.of("not-scanned", location, f"{region.place or 'contents'}: {region.reason}"))
                continue
            searched += len(region.data) - region.repeated
            kinds = matcher.search(region)
            # One identifier shows in several readings of one text; the first is enough.
            if kinds and (key := (region.place.split(" (")[0], kinds)) not in seen:
                seen.add(key)
                findings.append(_found(location, region.place, kinds))
        if progress is not None:
            progress(number, len(entries), location)
    return ScanReport(
        findings=tuple(findings), files=files, bytes=total, bytes_searched=searched, identifiers=matcher.count
    )


def _link(entry: Path, root: Path) -> tuple[bytes | None, list[Region | Flaw]]:
    """Where a link points to, as text; a flaw where that is not read as a file of its own."""
    flaw = Flaw(place="link", reason="it points out of what was scanned, and what is there was not read")
    return os.fsencode(entry.readlink()), [] if entry.resolve().is_relative_to(root) else [flaw]


def _content(entry: Path, info: os.stat_result) -> tuple[bytes | None, list[Region | Flaw]]:
    """Bytes of a file (None for a folder), and its time as a region."""
    when: list[Region | Flaw] = []
    # A file written in these days has today's time, which means nothing even if somebody is examined today.
    if abs(time.time() - info.st_mtime) > RECENT_S:
        when = [*moment(info.st_mtime, "file time")]
    if stat.S_ISDIR(info.st_mode):
        return None, when
    if not stat.S_ISREG(info.st_mode):
        raise OSError(0, "neither a file nor a folder")
    if info.st_size > LARGEST:
        raise OSError(0, f"more than {LARGEST >> 30} GiB; scan the folder it was packed from")
    return entry.read_bytes(), when


def _found(location: str, place: str, kinds: frozenset[str]) -> Finding:
    what = " and ".join(KIND_WORDS.get(kind, f"a value of kind {kind}") for kind in sorted(kinds))
    return Finding.of("identifier-found", location, f"{what} in {place}")
