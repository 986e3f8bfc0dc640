"""The table itself: cells that can be read, one row an image, every phase of a subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.measure.volume import location_of
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    release = context.release
    name = release.table.name
    for problem in release.problems:
        yield Finding.of("table-cell", f"{name}:{problem.line}", f"column {problem.column}: {problem.message}")
    rows = Counter(location_of(row) for row in release.rows if row.subject and row.phase)
    for location, n in rows.items():
        if n > 1:
            yield Finding.of("row-duplicated", location, f"{n} rows")
    paths = Counter(
        path for row in release.rows for path in (row.ct_path, row.mask_path, row.liver_mask_path) if path is not None
    )
    for path, n in sorted(paths.items()):
        if n > 1:
            yield Finding.of("path-shared", path, f"{n} cells of the table name it")
    for subject in release:
        missing = [phase.value for phase in context.phases if all(phase != have.name for have in subject.phases)]
        if missing:
            yield Finding.of("phases-incomplete", subject.name, f"no {', '.join(missing)}")
