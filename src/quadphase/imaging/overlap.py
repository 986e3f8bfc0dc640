"""Agreement of two masks on one grid: Dice, volumes, and the slices where they differ.

Rules said once, tested, and printed with every result: both masks empty → Dice is undefined (None), not 0 and not 1
(other tools answer 0 or NaN); one empty → 0. Volumes come from the grid, so two masks of different spacing cannot be
compared by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadphase.model import Mask, require_same_grid

__all__ = ["Overlap", "overlap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How two masks agree.

    Parameters
    ----------
    dice : float or None
        ``2 |A ∩ B| / (|A| + |B|)`` (Dice 1945, doi:10.2307/1932409); None if both are empty.
    volume_a_ml, volume_b_ml, intersection_ml : float
    differing_slices : tuple of int
        0-based k of the slices where any voxel differs.
    """

    dice: float | None
    volume_a_ml: float
    volume_b_ml: float
    intersection_ml: float
    differing_slices: tuple[int, ...]

    @property
    def difference_ml(self) -> float:
        """Absolute difference of the two volumes."""
        return abs(self.volume_a_ml - self.volume_b_ml)

    @property
    def jaccard(self) -> float | None:
        """``|A ∩ B| / |A ∪ B|``; None if both are empty."""
        return None if self.dice is None else self.dice / (2.0 - self.dice)

    def to_dict(self) -> dict[str, Any]:
        return {
            "dice": self.dice,
            "jaccard": self.jaccard,
            "volume_a_ml": self.volume_a_ml,
            "volume_b_ml": self.volume_b_ml,
            "difference_ml": self.difference_ml,
            "intersection_ml": self.intersection_ml,
            "differing_slices": list(self.differing_slices),
        }


def overlap(a: Mask, b: Mask) -> Overlap:
    """Compare two masks.

    Raises
    ------
    GridMismatchError
        If they are not on the same grid within 0.01 mm.

    Examples
    --------
    >>> overlap(reader_a, reader_b).dice  # doctest: +SKIP
    0.87
    """
    require_same_grid(a.grid, b.grid, what="The two masks")
    n_a, n_b = int(np.count_nonzero(a.voxels)), int(np.count_nonzero(b.voxels))
    n_both = int(np.count_nonzero(a.voxels & b.voxels))
    differing = np.flatnonzero((a.voxels ^ b.voxels).any(axis=(0, 1)))
    voxel_ml = a.grid.voxel_volume_ml
    return Overlap(
        dice=2.0 * n_both / (n_a + n_b) if n_a + n_b else None,
        volume_a_ml=n_a * voxel_ml,
        volume_b_ml=n_b * voxel_ml,
        intersection_ml=n_both * voxel_ml,
        differing_slices=tuple(int(k) for k in differing),
    )
