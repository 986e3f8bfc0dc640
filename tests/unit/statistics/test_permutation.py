"""Permutation tests: sorted labels are noticed, shuffled ones are not, ties have no order."""

from __future__ import annotations

import numpy as np
import pytest

from quadphase.statistics.permutation import membership_p_value, order_p_value

LABELS = ["HCC"] * 30 + ["ICC"] * 30 + ["CN"] * 20


def test_sorted_classes_are_noticed_whatever_their_order() -> None:
    blocks = [*LABELS[30:], *LABELS[:30]]
    assert order_p_value(range(80), LABELS, shuffles=5000) == pytest.approx(1 / 5001)
    assert order_p_value(range(80), blocks, shuffles=5000) == pytest.approx(1 / 5001)


def test_alternating_blocks_with_equal_mean_ranks_are_noticed() -> None:
    labels = (["HCC"] * 10 + ["CN"] * 20 + ["HCC"] * 10) * 2
    assert order_p_value(range(80), labels, shuffles=5000) < 0.001


def test_shuffled_labels_give_uniform_p_values() -> None:
    rng = np.random.default_rng(2)
    p = [order_p_value(range(80), rng.permutation(LABELS).tolist(), shuffles=400, seed=n) for n in range(200)]
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) < 0.05) < 0.12
    q = [
        membership_p_value([n % 5 for n in range(80)], rng.permutation(LABELS).tolist(), shuffles=400)
        for _ in range(100)
    ]
    assert np.mean(np.array(q) < 0.05) < 0.14


def test_ties_hold_no_order() -> None:
    assert order_p_value([1.0] * 80, LABELS) == 1.0
    assert order_p_value([0] * 40 + [1] * 40, (["a", "b"] * 40), shuffles=2000) > 0.5


def test_membership_is_judged() -> None:
    assert membership_p_value([0] * 30 + [1] * 30 + [2] * 20, LABELS, shuffles=5000) < 0.001
    assert membership_p_value([0] * 80, LABELS) == 1.0
    assert membership_p_value([n % 5 for n in range(80)], LABELS, shuffles=2000) > 0.5
