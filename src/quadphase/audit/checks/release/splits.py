"""`splits.csv`: every subject is in one fold, and folds have the same mix of diagnoses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.errors import InputError
from quadphase.io.tables import load_table
from quadphase.model import Finding

__all__ = ["check"]

NAME: Final = "splits.csv"
SLACK: Final = 2
"""A stratified deal differs by one subject; two strata (sex within diagnosis) by two."""


def check(context: ReleaseContext) -> Iterator[Finding]:
    if NAME not in context.files:
        return
    try:
        rows = load_table(context.root / NAME)
    except InputError as error:
        yield Finding.of("split-leaks", NAME, error.message.replace(str(context.root) + "/", ""))
        return
    folds: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        folds[row.get("patient_id", "")].add(row.get("fold", ""))
    for subject in context.release:
        seen = folds.pop(subject.name, set())
        if len(seen) != 1:
            message = f"in folds {', '.join(sorted(seen))}" if seen else "in no fold"
            yield Finding.of("split-leaks", subject.name, message)
    for extra in sorted(folds):
        yield Finding.of("split-leaks", extra or NAME, "splits.csv names a subject the release does not have")
    fold_of = {row.get("patient_id", ""): row.get("fold", "") for row in rows}
    names = sorted(set(fold_of.values()))
    diagnoses = Counter(s.diagnosis for s in context.release if s.diagnosis is not None)
    for diagnosis, total in diagnoses.items():
        per_fold = Counter(fold_of.get(s.name) for s in context.release if s.diagnosis is diagnosis)
        counts = [per_fold[name] for name in names]
        if names and max(counts) - min(counts) > max(SLACK, total // (5 * len(names))):
            yield Finding.of("split-unbalanced", NAME, f"{diagnosis.value}: {', '.join(map(str, counts))} a fold")
