"""Folds are frozen, balanced, and tell nothing about row order, numbers or the diagnosis."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadphase.model import Diagnosis, Sex
from quadphase.release.case import ReleaseSubject
from quadphase.release.splits import format_splits, make_splits


def cohort(count: int, seed: int = 0) -> list[ReleaseSubject]:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(Diagnosis), count, p=[0.26, 0.27, 0.24, 0.23])
    return [
        ReleaseSubject(
            case=f"P{n + 1:04d}",
            age=None if rng.random() < 0.03 else int(rng.integers(20, 86)),
            sex=None if rng.random() < 0.03 else list(Sex)[int(rng.integers(2))],
            diagnosis=Diagnosis(kinds[n]),
        )
        for n in range(count)
    ]


def test_every_diagnosis_sex_and_age_is_spread_over_the_folds() -> None:
    subjects = cohort(361)
    folds = make_splits(subjects, folds=5, seed=0)
    sizes = Counter(folds.values())
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for diagnosis in Diagnosis:
        for sex in Sex:
            of = Counter(folds[s.case] for s in subjects if s.diagnosis is diagnosis and s.sex is sex)
            assert max(of.values()) - min(of[f] for f in range(5)) <= 2
    ages = [np.mean([s.age for s in subjects if s.age is not None and folds[s.case] == f]) for f in range(5)]
    assert max(ages) - min(ages) < 4


@given(st.permutations(cohort(40)), st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_row_order_does_not_matter(order: list[ReleaseSubject], seed: int) -> None:
    assert make_splits(order, folds=5, seed=seed) == make_splits(cohort(40), folds=5, seed=seed)


def test_another_seed_gives_other_folds() -> None:
    assert make_splits(cohort(40), folds=5, seed=0) != make_splits(cohort(40), folds=5, seed=1)


@pytest.mark.parametrize("what", ["number", "diagnosis"])
def test_folds_predict_nothing(what: str) -> None:
    """Permutation test: the association of fold with number or diagnosis is not beyond what shuffled folds show."""
    subjects = cohort(361, seed=3)
    folds = np.array(list(make_splits(subjects, folds=5, seed=0).values()))
    target = np.arange(len(subjects)) if what == "number" else np.array([s.diagnosis.is_cancer for s in subjects])

    def spread(assigned: np.ndarray) -> float:
        return float(np.var([target[assigned == f].mean() for f in range(5)]))

    rng = np.random.default_rng(0)
    shuffled = [spread(rng.permutation(folds)) for _ in range(400)]
    assert np.mean([value >= spread(folds) for value in shuffled]) > 0.01


def test_fewer_subjects_than_folds() -> None:
    assert len(set(make_splits(cohort(3), folds=5, seed=0).values())) == 3


def test_csv() -> None:
    assert format_splits({"P0001": 3, "P0002": 0}) == '"patient_id","fold"\r\n"P0001",3\r\n"P0002",0\r\n'
