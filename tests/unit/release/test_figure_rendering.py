"""Every lesion of a mask is seen in the rendering, in its place and about as large as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quadphase.model import Phase
from quadphase.release.figures.planes import draw_planes
from quadphase.release.figures.rendering import STEP_MM, render_surfaces
from quadphase.release.figures.scene import Scene
from quadphase.release.figures.smoothing import smooth_distance

Spacing = tuple[float, float, float]


def scene(spacing: Spacing, width: int, slices: int, *, depth: int | None = None) -> Scene:
    """A block of a lesion in the middle of a block of liver, 60 mm wide."""
    shape = (*(round(60 / s) for s in spacing[:2]), depth or round(60 / spacing[2]))
    start = [n // 2 - w // 2 for n, w in zip(shape, (width, width, slices), strict=True)]
    lesions = np.zeros(shape, bool)
    lesions[tuple(slice(a, a + w) for a, w in zip(start, (width, width, slices), strict=True))] = True
    liver = np.zeros(shape, bool)
    liver[6:-6, 6:-6] = True
    hu = np.where(liver, 60, -100).astype(np.int16)
    return Scene(subject="P0001", phase=Phase.C1, hu=hu, liver=liver, lesions=lesions, spacing_mm=spacing)


TINY = pytest.mark.parametrize(
    ("spacing", "width", "slices"),
    [
        ((0.7, 0.7, 5.0), 6, 1),
        ((0.8, 0.8, 5.0), 10, 1),
        ((0.75, 0.75, 5.0), 4, 2),
        ((0.8, 0.8, 1.0), 2, 2),
        ((0.7, 0.7, 5.0), 7, 3),
        ((0.4, 0.4, 5.0), 1, 1),  # between the voxels that are looked at
    ],
)


@TINY
def test_a_tiny_lesion_is_drawn(spacing: Spacing, width: int, slices: int) -> None:
    there = scene(spacing, width, slices)
    picture = render_surfaces(there)
    without = render_surfaces(replace(there, lesions=np.zeros_like(there.lesions)))
    rows, columns = np.nonzero(np.abs(picture - without).max(axis=2) > 0.1)
    assert len(rows) >= 2
    middle = (np.array([rows.mean(), columns.mean()]) - np.array(picture.shape[:2]) / 2) * STEP_MM
    assert np.abs(middle).max() < 0.5 * max(spacing) + STEP_MM


@TINY
def test_it_is_as_large_as_it_is(spacing: Spacing, width: int, slices: int) -> None:
    """On a fine grid along the axes; nothing is drawn smaller than the camera's grid can show."""
    lesions, step = scene(spacing, width, slices).lesions, 0.25
    size = np.array(lesions.shape) * spacing
    matrix = np.diag(step / np.array(spacing))
    shape = tuple(int(n) for n in size / step)
    drawn = smooth_distance(lesions, np.array(spacing), matrix, np.full(3, -0.5), shape, step_mm=step) > 0
    assert drawn.sum() * step**3 == pytest.approx(lesions.sum() * np.prod(spacing), rel=0.2)


def test_small_ones_are_drawn_beside_a_large_one() -> None:
    large = scene((0.8, 0.8, 2.0), 20, 8)
    lesions = large.lesions.copy()
    lesions[10, 10, 15] = True
    step = 0.8
    matrix = np.diag(step / np.array(large.spacing_mm))
    seen = smooth_distance(lesions, np.array(large.spacing_mm), matrix, np.zeros(3), (75, 75, 75), step_mm=step)
    assert seen[10, 10, 37] > 0
    assert seen[37, 37, 37] > 0
    assert seen[20, 20, 37] < 0


@pytest.mark.parametrize("depth", [1, 2])
def test_a_volume_of_one_slice_is_drawn(depth: int) -> None:
    assert draw_planes(scene((0.7, 0.7, 5.0), 6, 1, depth=depth)).axes
