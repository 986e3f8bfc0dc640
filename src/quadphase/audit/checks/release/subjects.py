"""Age, sex and diagnosis of each subject: there, plausible, and the same in all its rows."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    rows_of: dict[str, list[tuple[object, object, object]]] = {}
    for row in context.release.rows:
        if row.subject:
            rows_of.setdefault(row.subject, []).append((row.age_years, row.sex, row.diagnosis))
    for subject in context.release:
        rows = rows_of[subject.name]
        differing = [what for n, what in enumerate(("age", "sex", "diagnosis")) if len({row[n] for row in rows}) > 1]
        if differing:
            yield Finding.of("subject-contradicts", subject.name, f"rows differ in {', '.join(differing)}")
        if all(row[0] is None for row in rows):
            yield Finding.of("age-missing", subject.name, f"no age in any of its rows ({len(rows)})")
        elif subject.age_years is not None and not 0 <= subject.age_years <= 120:
            yield Finding.of("age-implausible", subject.name, f"{subject.age_years:g} years")
        if all(row[1] is None for row in rows):
            yield Finding.of("sex-missing", subject.name, f"no sex in any of its rows ({len(rows)})")
