"""`splits.csv`: frozen folds of subjects, balanced on diagnosis, sex and age.

Subjects of one diagnosis and sex are ordered by age and dealt out in blocks of one subject a fold, each block in a
random order; what is left over goes to the emptiest folds. The random order is a hash of seed and pseudonym, so it does
not depend on row order, machine or library version, and a fold's number tells nothing about a subject. All images of a
subject share its fold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from quadphase.io.tables import format_csv
from quadphase.release.case import ReleaseSubject

__all__ = ["SPLITS_NAME", "format_splits", "make_splits"]

SPLITS_NAME: Final = "splits.csv"


def _draw(seed: int, *words: object) -> str:
    return hashlib.sha256("\0".join(map(str, (seed, *words))).encode()).hexdigest()


def make_splits(subjects: Iterable[ReleaseSubject], *, folds: int, seed: int) -> dict[str, int]:
    """Fold of each subject, 0-based.

    Parameters
    ----------
    subjects : iterable of ReleaseSubject
    folds : int
        At least 2.
    seed : int

    Returns
    -------
    dict of pseudonym to fold, sorted by pseudonym
    """
    strata: dict[tuple[str, str], list[ReleaseSubject]] = {}
    for subject in subjects:
        sex = subject.sex.value if subject.sex else ""
        strata.setdefault((subject.diagnosis.value, sex), []).append(subject)
    fold_of: dict[str, int] = {}
    filled = [0] * folds
    left: list[ReleaseSubject] = []
    for stratum in sorted(strata):
        # Unknown ages last; equal ages in drawn order, so that the pseudonym's number has no say.
        members = sorted(strata[stratum], key=lambda s: (s.age is None, s.age or 0, _draw(seed, "order", s.case)))
        whole = len(members) - len(members) % folds
        for first in range(0, whole, folds):
            block = members[first : first + folds]
            order = sorted(range(folds), key=lambda fold: _draw(seed, "block", *stratum, block[0].case, fold))
            for subject, fold in zip(block, order, strict=True):
                fold_of[subject.case] = fold
                filled[fold] += 1
        left += members[whole:]
    # Left-overs keep their strata apart because they come stratum by stratum.
    for subject in left:
        fold = min(range(folds), key=lambda f: (filled[f], _draw(seed, "rest", subject.case, f)))
        fold_of[subject.case] = fold
        filled[fold] += 1
    return dict(sorted(fold_of.items()))


def format_splits(fold_of: dict[str, int]) -> str:
    """CSV text with the columns patient_id and fold."""
    return format_csv(("patient_id", "fold"), fold_of.items())
