"""Measures of the lesions in one mask: each lesion by itself, and the image as a whole.

A lesion is one 26-connected component. Nothing becomes 0 because it failed: an empty mask has no lesions and no
diameter (None), and a mask that does not exist is not measured at all. Values per patient are made in
`quadphase.statistics` from these, so that the three levels (lesion, image, patient) never mix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quadphase.imaging.components import components
from quadphase.imaging.diameter import largest_diameter_mm
from quadphase.model import Mask

__all__ = ["Lesion", "LesionMeasures", "measure_lesions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One lesion.

    Parameters
    ----------
    number : int
        1 for the largest of the image.
    voxels : int
    volume_ml : float
    max_diameter_mm : float
        Greatest distance between two voxel centres, in 3-D.
    first, stop : int
        Slices ``first <= k < stop`` the lesion spans, 0-based.
    slices : int
        Slices that hold a voxel of it.
    centroid_mm : (float, float, float)
        Mean of the voxel centres, RAS+.
    """

    number: int
    voxels: int
    volume_ml: float
    max_diameter_mm: float
    first: int
    stop: int
    slices: int
    centroid_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasures:
    """All lesions of one image.

    Parameters
    ----------
    lesions : tuple of Lesion
        Largest first.
    volume_ml : float
        Of all lesions together.
    max_diameter_mm : float or None
        Of the lesion with the largest diameter (not the distance between two lesions); None without lesions.
    slices : int
        Slices that hold a voxel of any lesion.
    """

    lesions: tuple[Lesion, ...]
    volume_ml: float
    max_diameter_mm: float | None
    slices: int

    @property
    def count(self) -> int:
        return len(self.lesions)


def measure_lesions(mask: Mask) -> LesionMeasures:
    """Measure every lesion of a mask.

    Parameters
    ----------
    mask : Mask
        True inside lesions.

    Examples
    --------
    >>> import numpy as np
    >>> from quadphase.model import Grid, Mask
    >>> voxels = np.zeros((8, 8, 4), bool)
    >>> voxels[1:4, 2, 1] = True
    >>> found = measure_lesions(Mask(voxels=voxels, grid=Grid((8, 8, 4), np.diag([2.0, 2.0, 5.0, 1.0]))))
    >>> found.count, found.max_diameter_mm, round(found.volume_ml, 3)
    (1, 4.0, 0.06)
    """
    parts = components(mask.voxels, connectivity=26)
    runs, label = parts.runs, parts.label
    if parts.count == 0:
        return LesionMeasures(lesions=(), volume_ml=0.0, max_diameter_mm=None, slices=0)
    length = runs.length
    sizes = parts.sizes()
    middle = (runs.start + runs.stop - 1) / 2.0
    sums = [np.bincount(label, weights=length * part, minlength=parts.count) for part in (middle, runs.j, runs.k)]
    centroids = mask.grid.world_from_index(np.stack(sums, axis=1) / sizes[:, None])
    # Stable: lesions of equal size stay in storage order.
    ranked = np.argsort(-sizes, kind="stable")
    by_label = np.argsort(label, kind="stable")
    border = np.searchsorted(label[by_label], np.arange(parts.count + 1))
    lesions = []
    for number, part in enumerate(ranked, start=1):
        of = by_label[border[part] : border[part + 1]]
        j, k = runs.j[of], runs.k[of]
        ends = np.concatenate(
            [np.stack([runs.start[of], j, k], axis=1), np.stack([runs.stop[of] - 1, j, k], axis=1)], axis=0
        )
        x, y, z = centroids[part]
        lesions.append(
            Lesion(
                number=number,
                voxels=int(sizes[part]),
                volume_ml=float(sizes[part]) * mask.grid.voxel_volume_ml,
                max_diameter_mm=largest_diameter_mm(ends, mask.grid),
                first=int(k.min()),
                stop=int(k.max()) + 1,
                slices=int(np.unique(k).size),
                centroid_mm=(float(x), float(y), float(z)),
            )
        )
    return LesionMeasures(
        lesions=tuple(lesions),
        volume_ml=float(sizes.sum()) * mask.grid.voxel_volume_ml,
        max_diameter_mm=max(lesion.max_diameter_mm for lesion in lesions),
        slices=int(np.unique(runs.k).size),
    )
