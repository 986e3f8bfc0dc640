"""What checks are given: one volume's facts, one subject's phases, or the whole release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quadphase.audit.facts import Sketch, VolumeFacts
from quadphase.io.release import Release
from quadphase.io.whole_tree import is_there
from quadphase.model import Finding, Phase

__all__ = ["CaseCheck", "CaseContext", "ReleaseCheck", "ReleaseContext", "VolumeCheck", "has_images"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseContext:
    """The phases of one subject that could be read.

    Parameters
    ----------
    case : str
    volumes : mapping of Phase to VolumeFacts
        In the order P, C1, C2, C3.
    sketches : mapping of Phase to Sketch
        Only phases with a usable grid.
    """

    case: str
    volumes: Mapping[Phase, VolumeFacts]
    sketches: Mapping[Phase, Sketch]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReleaseContext:
    """The table, all facts, and the files.

    Parameters
    ----------
    release : Release
    volumes : tuple of VolumeFacts
        In the table's order; without those that could not be read.
    files : frozenset of str
        Every file under the release's folder, POSIX paths relative to it; empty when only the table is here.
    closed : frozenset of str
        Folders under it that may not be listed.
    manifest : mapping or None
        `checksums.sha256`: path to digest; None where it does not exist.
    description : mapping
        `dataset_description.json` of a quadphase release; empty for other datasets.
    against : tuple of VolumeFacts
        Volumes of the other release.
    """

    release: Release
    volumes: tuple[VolumeFacts, ...]
    files: frozenset[str]
    closed: frozenset[str] = frozenset()
    manifest: Mapping[str, str] | None = None
    description: Mapping[str, Any] = field(default_factory=dict)
    against: tuple[VolumeFacts, ...] = field(default=())

    @property
    def root(self) -> Path:
        return self.release.root

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Phases a subject must have: those the release states, else all four."""
        stated = self.description.get("phases")
        known = {phase.value: phase for phase in Phase}
        if isinstance(stated, list) and stated and all(isinstance(name, str) and name in known for name in stated):
            return tuple(known[name] for name in stated)
        return tuple(Phase)

    @property
    def table_only(self) -> bool:
        """Whether no image of the table exists: then only the table is judged."""
        return not self.files and not self.closed


def has_images(release: Release) -> bool:
    """Whether any image of the table exists beside it, or may exist; otherwise the table stands alone."""
    return any(row.ct_path and is_there(release.root / row.ct_path) for row in release.rows)


VolumeCheck = Callable[[VolumeFacts], Iterator[Finding]]
CaseCheck = Callable[[CaseContext], Iterator[Finding]]
ReleaseCheck = Callable[[ReleaseContext], Iterator[Finding]]
