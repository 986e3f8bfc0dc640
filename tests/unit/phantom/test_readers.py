import numpy as np
import pytest

from quadphase.phantom.readers import adjudicate, draw

SPACING = (1.5, 1.5, 5.0)


def ball(radius_mm: float, shape: tuple[int, int, int] = (64, 64, 24), label: int = 1) -> np.ndarray:
    axes = [(np.arange(n) - n / 2) * d for n, d in zip(shape, SPACING, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return np.where(x**2 + y**2 + z**2 < radius_mm**2, label, 0).astype(np.int16)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("radius_mm", [12.0, 22.0, 34.0])
def test_two_readers_agree_as_well_as_people_do(radius_mm: float) -> None:
    truth = ball(radius_mm)
    scores = [
        dice(draw(truth, 2 * n, spacing_mm=SPACING), draw(truth, 2 * n + 1, spacing_mm=SPACING)) for n in range(12)
    ]
    assert 0.75 <= np.mean(scores) <= 0.95
    assert min(scores) > 0.6
    assert max(scores) < 0.99


def test_the_same_reader_draws_the_same_and_another_does_not() -> None:
    truth = ball(20.0)
    assert (draw(truth, 5, spacing_mm=SPACING) == draw(truth, 5, spacing_mm=SPACING)).all()
    assert (draw(truth, 5, spacing_mm=SPACING) != draw(truth, 6, spacing_mm=SPACING)).any()


def test_a_small_lesion_is_sometimes_missed_and_a_large_one_never() -> None:
    both = ball(24.0, (96, 64, 24))
    both[4:8, 4:8, 11:13] = 2  # 0.36 ml
    found = [draw(both, seed, spacing_mm=SPACING)[both == 2].any() for seed in range(40)]
    assert 0.5 < np.mean(found) < 0.95
    assert all(draw(both, seed, spacing_mm=SPACING)[both == 1].any() for seed in range(10))


def test_skill_makes_a_better_reader() -> None:
    truth = ball(22.0)
    better, worse = (
        np.mean([dice(draw(truth, n, spacing_mm=SPACING, skill=skill), truth > 0) for n in range(10)])
        for skill in (4.0, 0.7)
    )
    assert better > worse + 0.05


def test_nothing_drawn_where_nothing_is() -> None:
    assert not draw(np.zeros((8, 8, 4), np.int16), 1).any()


def test_adjudication_lies_between_intersection_and_union() -> None:
    truth = ball(22.0)
    a, b = draw(truth, 1, spacing_mm=SPACING), draw(truth, 2, spacing_mm=SPACING)
    settled = adjudicate(a, b, truth)
    assert ((a & b) <= settled).all()
    assert (settled <= (a | b)).all()
    assert dice(settled, truth > 0) > max(dice(a, truth > 0), dice(b, truth > 0))
