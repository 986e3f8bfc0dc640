"""`splits.csv`: every subject is in one fold, once, and folds have the same mix of diagnoses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.errors import InputError
from quadphase.io.tables import load_table
from quadphase.model import Finding

__all__ = ["check"]

NAME: Final = "splits.csv"
COLUMNS: Final = ("patient_id", "fold")
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
    if rows and any(column not in rows[0] for column in COLUMNS):
        yield Finding.of("split-leaks", NAME, f"the columns must be {', '.join(COLUMNS)}")
        return
    folds: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        folds[row["patient_id"]].append(row["fold"])
    yield from _places(context, folds)
    yield from _promised(context, folds)
    fold_of = {name: seen[0] for name, seen in folds.items() if len(set(seen)) == 1 and _is_fold(seen[0])}
    yield from _balance(context, fold_of)


def _is_fold(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _places(context: ReleaseContext, folds: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Every subject once, in a fold that is a number from 0."""
    for subject in context.release:
        seen = folds.get(subject.name, [])
        if not seen:
            yield Finding.of("split-leaks", subject.name, "in no fold")
        elif len(set(seen)) > 1:
            yield Finding.of("split-leaks", subject.name, f"in folds {', '.join(sorted(set(seen)))}")
        elif not _is_fold(seen[0]):
            yield Finding.of("split-leaks", subject.name, "in no fold: folds are whole numbers from 0")
        elif len(seen) > 1:
            yield Finding.of("split-leaks", subject.name, f"{len(seen)} rows of splits.csv name it")
    for extra in sorted(name for name in folds if name not in context.release):
        yield Finding.of("split-leaks", extra or NAME, "splits.csv names a subject the release does not have")


def _promised(context: ReleaseContext, folds: Mapping[str, list[str]]) -> Iterator[Finding]:
    """The number of folds `dataset_description.json` states, filled as far as the subjects go."""
    stated = context.description.get("splits")
    number = stated.get("folds") if isinstance(stated, dict) else None
    if not isinstance(number, int):
        return  # a missing or wrong entry is said by the check of that file
    used = {int(fold) for seen in folds.values() for fold in seen if _is_fold(fold)}
    if used and (max(used) >= number or len(used) < min(number, len(folds))):
        message = f"folds used: {len(used)}, highest {max(used)}; dataset_description.json states {number}"
        yield Finding.of("split-leaks", NAME, message)


def _balance(context: ReleaseContext, fold_of: Mapping[str, str]) -> Iterator[Finding]:
    names = sorted(set(fold_of.values()))
    diagnoses = Counter(s.diagnosis for s in context.release if s.diagnosis is not None)
    for diagnosis, total in diagnoses.items():
        per_fold = Counter(fold_of.get(s.name) for s in context.release if s.diagnosis is diagnosis)
        counts = [per_fold[name] for name in names]
        if names and max(counts) - min(counts) > max(SLACK, total // (5 * len(names))):
            yield Finding.of("split-unbalanced", NAME, f"{diagnosis.value}: {', '.join(map(str, counts))} a fold")
