"""The coarse copy of a stack from its files, without decoding more slices than the copy needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quadphase.convert.exam import Stack
from quadphase.convert.phases.enhancement import with_enhancement
from quadphase.convert.phases.features import StackFeatures
from quadphase.convert.phases.thumbnail import SPACING_MM, Thumbnail, thumbnail
from quadphase.convert.pixels import load_hu
from quadphase.errors import UnsupportedDataError
from quadphase.model import Grid, Volume

__all__ = ["stack_thumbnail", "with_images"]

_FEWEST_SLICES = 12
"""Of a short stack more slices are read than the spacing asks for."""


def with_images(features: Sequence[StackFeatures], stacks: Sequence[Stack]) -> tuple[StackFeatures, ...]:
    """Features of the usable stacks of one exam with what their images show.

    Parameters
    ----------
    features : sequence of StackFeatures
    stacks : sequence of Stack
        The same stacks, in the same order.
    """
    return with_enhancement(features, [stack_thumbnail(stack) for stack in stacks])


def stack_thumbnail(stack: Stack, *, threads: int = 2) -> Thumbnail | None:
    """Coarse copy of a usable stack; None if its pixels cannot be decoded."""
    if stack.grid is None:
        return None
    try:
        if stack.changes:
            return thumbnail(stack.load(threads=threads).volume)
        step = max(1, int(SPACING_MM[2] / stack.grid.spacing_mm[2] + 1e-6))
        step = max(1, min(step, stack.n_slices // _FEWEST_SLICES))
        hu = load_hu(stack.headers[::step], threads=threads).hu.transpose(2, 1, 0)
    except UnsupportedDataError:
        return None
    affine = stack.grid.affine @ np.diag([1.0, 1.0, float(step), 1.0])
    return thumbnail(Volume(hu=hu, grid=Grid((hu.shape[0], hu.shape[1], hu.shape[2]), affine)))
