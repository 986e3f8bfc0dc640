"""Components on runs are the components of scipy, for every connectivity, shape and memory layout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from quadphase.imaging.components import components, runs_of

masks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9))
RANK = {6: 1, 18: 2, 26: 3}


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@given(mask=masks)
@settings(max_examples=150, deadline=None)
def test_same_components_as_scipy(connectivity: int, mask: np.ndarray) -> None:
    expected, count = ndimage.label(mask, ndimage.generate_binary_structure(3, RANK[connectivity]))
    found = components(mask, connectivity=connectivity)  # type: ignore[arg-type]
    labels = found.labels(mask.shape)
    assert found.count == count
    assert np.array_equal(labels > 0, mask)
    assert len(set(zip(expected[mask].tolist(), labels[mask].tolist(), strict=True))) == count
    assert found.sizes().tolist() == np.bincount(labels[mask], minlength=count + 1)[1:].tolist()


@given(mask=masks, order=st.sampled_from("CF"))
@settings(deadline=None)
def test_runs_hold_every_voxel_once(mask: np.ndarray, order: str) -> None:
    runs = runs_of(np.array(mask, order=order))  # type: ignore[call-overload]
    again = np.zeros(mask.shape, int)
    for start, stop, j, k in zip(runs.start, runs.stop, runs.j, runs.k, strict=True):
        again[start:stop, j, k] += 1
    assert np.array_equal(again, mask.astype(int))


@pytest.mark.parametrize("width", [8, 9, 16, 64])
@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_runs_of_any_width(width: int, seed: int, share: float) -> None:
    mask = np.asfortranarray(np.random.default_rng(seed).random((width, 5, 4)) < share)
    runs = runs_of(mask)
    assert runs.length.sum() == mask.sum()
    assert all(mask[a:b, j, k].all() for a, b, j, k in zip(runs.start, runs.stop, runs.j, runs.k, strict=True))


def test_components_are_numbered_by_first_voxel_in_storage_order() -> None:
    mask = np.zeros((9, 3, 3), bool)
    mask[7:9, 0, 0] = True  # first in storage order
    mask[0:3, 2, 2] = True
    found = components(mask)
    assert found.sizes().tolist() == [2, 3]
