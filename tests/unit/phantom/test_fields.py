import numpy as np
import pytest

from quadphase.phantom.fields import SmoothField, rng_of


def axis(start: float, stop: float, step: float) -> np.ndarray:
    return np.arange(start, stop, step, dtype=np.float32)


def test_a_field_has_mean_zero_and_about_unit_spread() -> None:
    values = SmoothField.seeded(rng_of(1), 5.0).on_axes(axis(0, 120, 2), axis(0, 120, 2), axis(0, 120, 2))
    assert abs(float(values.mean())) < 0.1  # four standard errors of 24 ** 3 coefficients
    assert 0.8 < float(values.std()) < 1.2


def test_a_field_is_a_function_of_position_not_of_the_grid() -> None:
    field = SmoothField.seeded(rng_of(2), 7.0)
    fine = field.on_axes(axis(-20, 20, 1), axis(-20, 20, 1), axis(-20, 20, 1))
    coarse = field.on_axes(axis(-20, 20, 2), axis(-20, 20, 4), axis(-20, 20, 5))
    np.testing.assert_allclose(fine[::5, ::4, ::2], coarse, atol=2e-5)


def test_axes_are_w_v_u() -> None:
    field = SmoothField.seeded(rng_of(3), 7.0)
    out = field.on_axes(axis(0, 4, 1), axis(0, 5, 1), axis(0, 6, 1))
    assert out.shape == (6, 5, 4)
    alone = field.on_axes(axis(3, 4, 1), axis(2, 3, 1), axis(5, 6, 1))
    assert alone[0, 0, 0] == pytest.approx(out[5, 2, 3], abs=1e-6)


def test_neighbouring_values_are_alike() -> None:
    values = SmoothField.seeded(rng_of(4), 10.0).on_axes(axis(0, 100, 1), axis(0, 100, 1), axis(0, 10, 1))
    assert float(np.abs(np.diff(values, axis=2)).max()) < 0.5


def test_streams_depend_on_every_word() -> None:
    draws = {int(rng_of(*words).integers(2**60)) for words in ((1, "a"), (1, "b"), (2, "a"), (1, "a", 0))}
    assert len(draws) == 4
