"""`ReleaseFacts`: everything the metadata say that can be counted, counted once, from the release's own tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quadphase.io.hashing import sha256_of
from quadphase.io.release import Release
from quadphase.io.release_tables import GEOMETRY_NAME, GeometryRow, load_geometry
from quadphase.model import Phase, Sex
from quadphase.release.schema import TABLES
from quadphase.statistics.summary import Quartiles, Share

__all__ = ["GroupFacts", "ReleaseFacts", "TableFile", "gather_facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A table on disk."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """Cancer or control."""

    name: str
    subjects: int
    age: Quartiles | None
    female: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Counts and summaries of a release."""

    subjects: int
    images: int
    phases: tuple[Phase, ...]
    by_type: tuple[tuple[str, int], ...]
    groups: tuple[GroupFacts, ...]
    slices: int
    lesion_masks: int
    unknown_age: int
    unknown_sex: int
    scanners: tuple[str, ...]
    data_types: tuple[tuple[str, int], ...]
    """Type of the voxels and the number of volumes, most frequent first."""
    liver_sources: tuple[tuple[str, int], ...]
    """Backend or ``person``, and the number of liver masks, most frequent first."""
    resampled: int
    """Volumes that were resampled."""
    window_hu: tuple[int, int] | None
    tables: tuple[TableFile, ...]


def gather_facts(root: Path) -> ReleaseFacts:
    """Count a release whose tables are written.

    Raises
    ------
    InputError
        If a table is missing or damaged.
    """
    release = Release(root)
    geometry = load_geometry(root / GEOMETRY_NAME)
    types: dict[str, int] = {}
    for subject in release:
        name = subject.diagnosis.label if subject.diagnosis is not None else "unknown"
        types[name] = types.get(name, 0) + 1
    files = tuple(
        TableFile(name=table.file, size_bytes=(root / table.file).stat().st_size, sha256=sha256_of(root / table.file))
        for table in TABLES
    )
    return ReleaseFacts(
        subjects=len(release),
        images=len(release.rows),
        phases=tuple(phase for phase in Phase if any(row.phase is phase for row in release.rows)),
        by_type=tuple(sorted(types.items())),
        groups=tuple(_group(release, name, cancer=name == "cancer") for name in ("cancer", "control")),
        slices=sum(row.voxels_k for row in geometry),
        lesion_masks=sum(row.mask_path is not None for row in release.rows),
        unknown_age=sum(subject.age_years is None for subject in release),
        unknown_sex=sum(subject.sex is None for subject in release),
        scanners=tuple(sorted({" ".join(filter(None, (r.manufacturer, r.model))) or "unknown" for r in geometry})),
        data_types=_counted(row.data_type for row in geometry),
        liver_sources=_counted(row.liver_source for row in geometry),
        resampled=sum(row.resampling is not None for row in geometry),
        window_hu=_window(geometry),
        tables=files,
    )


def _group(release: Release, name: str, *, cancer: bool) -> GroupFacts:
    members = [s for s in release if s.diagnosis is not None and s.diagnosis.is_cancer == cancer]
    return GroupFacts(
        name=name,
        subjects=len(members),
        age=Quartiles.of(s.age_years for s in members),
        female=Share(
            count=sum(s.sex is Sex.FEMALE for s in members),
            known=sum(s.sex is not None for s in members),
            total=len(members),
        ),
    )


def _counted(values: Iterable[str | None]) -> tuple[tuple[str, int], ...]:
    counts = Counter(value for value in values if value is not None)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _window(geometry: tuple[GeometryRow, ...]) -> tuple[int, int] | None:
    found = {(row.window_lower_hu, row.window_upper_hu) for row in geometry}
    lower, upper = next(iter(found)) if len(found) == 1 else (None, None)
    return None if lower is None or upper is None else (lower, upper)
