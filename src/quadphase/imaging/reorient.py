"""Flip and permute axes without moving any voxel: only the order of storage changes, never a world position."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.errors import InputError
from quadphase.model import Grid, Mask, Volume

__all__ = ["reorient_array", "reorient_grid", "reorient_mask", "reorient_volume"]

OPPOSITE = {"L": "R", "R": "L", "P": "A", "A": "P", "I": "S", "S": "I"}


def _plan(grid: Grid, codes: tuple[str, str, str]) -> list[tuple[int, bool]]:
    """For each wanted axis: (source axis, whether it is flipped)."""
    have = grid.axis_codes
    plan = []
    for code in codes:
        if code in have:
            plan.append((have.index(code), False))
        elif OPPOSITE.get(code) in have:
            plan.append((have.index(OPPOSITE[code]), True))
    if len(plan) != 3 or {axis for axis, _ in plan} != {0, 1, 2}:
        raise InputError("bad-axis-codes", f"{codes} does not name three axes", "Use letters such as ('R', 'A', 'S')")
    return plan


def reorient_grid(grid: Grid, codes: tuple[str, str, str]) -> Grid:
    """The grid of the same voxels stored with axes running towards `codes`, e.g. ``('R', 'A', 'S')``.

    Raises
    ------
    InputError
        ``"bad-axis-codes"``.
    """
    affine = np.eye(4)
    corner = np.zeros(3)
    for new, (axis, flipped) in enumerate(_plan(grid, codes)):
        affine[:3, new] = -grid.affine[:3, axis] if flipped else grid.affine[:3, axis]
        corner[axis] = grid.shape[axis] - 1 if flipped else 0
    affine[:3, 3] = grid.world_from_index(corner)
    shape = [grid.shape[axis] for axis, _ in _plan(grid, codes)]
    return Grid((shape[0], shape[1], shape[2]), affine)


def reorient_array(array: NDArray[Any], grid: Grid, codes: tuple[str, str, str]) -> NDArray[Any]:
    """View of ``(I, J, K)`` `array` in the axis order of `reorient_grid`."""
    plan = _plan(grid, codes)
    moved = array.transpose([axis for axis, _ in plan])
    return moved[tuple(slice(None, None, -1 if flipped else 1) for _, flipped in plan)]


def reorient_volume(volume: Volume, codes: tuple[str, str, str]) -> Volume:
    """Same voxels, same places, other storage order."""
    return Volume(
        hu=reorient_array(volume.hu, volume.grid, codes),
        grid=reorient_grid(volume.grid, codes),
        window_hu=volume.window_hu,
    )


def reorient_mask(mask: Mask, codes: tuple[str, str, str]) -> Mask:
    """Same voxels, same places, other storage order."""
    return Mask(voxels=reorient_array(mask.voxels, mask.grid, codes), grid=reorient_grid(mask.grid, codes))
