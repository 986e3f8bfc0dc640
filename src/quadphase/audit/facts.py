"""What the audit knows of each image after it was read once: small frozen values, a few kilobytes a volume.

Checks see facts, never arrays, so memory stays flat in the number of volumes and a check can be tested without an
image. Only the checks *between the phases of one subject* see more: a `Sketch` (a coarse picture), which lives as
long as its case is judged and is never sent to another process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.imaging.lesions import LesionMeasures
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Grid

__all__ = ["HeaderFacts", "Intensity", "MaskFacts", "Orientation", "Sketch", "VolumeFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """What a file tells besides its image. Values of text fields are never kept: only their names and what they look
    like.

    Parameters
    ----------
    texts : tuple of str
        Names of text fields that are not empty.
    suspicious : tuple of str
        Those of them that look like a date, a number of an archive or a person's name.
    extension_bytes : int
        Bytes between header and voxels, or behind the voxels, that are not zero.
    gzip : tuple of str
        ``name``, ``comment``, ``time``, ``extra``, ``more behind the image``: what the gzip file holds besides.
    sform_code, qform_code : int
    forms_apart_mm : float
        Largest distance between corner voxels by qform and by sform; 0 where only one of them is set.
    voxel_offset : int
        Byte at which the voxels start.
    """

    texts: tuple[str, ...] = ()
    suspicious: tuple[str, ...] = ()
    extension_bytes: int = 0
    gzip: tuple[str, ...] = ()
    sform_code: int = 1
    qform_code: int = 1
    forms_apart_mm: float = 0.0
    voxel_offset: int = 352


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """The value histogram in a few numbers, in the file's own unit (HU, if all is well).

    Parameters
    ----------
    minimum, maximum : float
        Of the voxels themselves; the rest is of values rounded to whole numbers.
    clipped_low, clipped_high : bool
        Whether values pile up at the end, as windowing leaves them.
    air, fat, soft : float or None
        Modes of air around and in the patient, of fat, of soft tissue; None where no peak stands out.
    fat_share : float
        How much of what is brighter than air (-150) lies where fat lies (-125…-70); 1 where that cannot be told,
        because less than 15 % of the volume is brighter than air, or values begin there.
    border, border_share : float
        Median of the voxels at the border of the plane, which is air around the patient, and the share of them that
        have just this value.
    """

    minimum: float
    maximum: float
    clipped_low: bool
    clipped_high: bool
    air: float | None
    fat: float | None
    soft: float | None
    fat_share: float = 1.0
    border: float = -1000.0
    border_share: float = 0.0

    @property
    def window(self) -> tuple[float, float] | None:
        """Limits the values were clipped to, whole numbers; None if they were not clipped at both ends."""
        if not (self.clipped_low and self.clipped_high):
            return None
        return float(round(self.minimum)), float(round(self.maximum))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How far the anatomy agrees with the axes the header claims: from -1 (opposite) to 1 (agrees), None if it cannot
    tell.

    Parameters
    ----------
    right, front, head : float or None
        Liver on the right; spine at the back; lung above.
    exchanged : bool
        Whether the two axes of the plane are exchanged: what the header calls right-left is front-back. Right and
        front are then judged after exchanging them back.
    """

    right: float | None
    front: float | None
    head: float | None
    exchanged: bool = False

    @property
    def is_mirrored(self) -> bool | None:
        """Whether the plane is a mirror image of the patient and not only turned; None if it cannot tell."""
        if self.right is None or self.front is None:
            return None
        return bool((self.right * self.front < 0) != self.exchanged)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskFacts:
    """One mask as it is.

    Parameters
    ----------
    path : str
        Relative to the release.
    shape : tuple of int
    same_size : bool
    distance_mm : float or None
        Largest distance between corner voxels of mask and image; None if sizes differ.
    dtype : str
    values : tuple of int or float
        Distinct values, at most eight.
    voxels : int
        Number of voxels that are not 0.
    volume_ml : float or None
        With the spacing of the image's header; None where that is not usable.
    areas : (K,) ndarray of int32
        Voxels that are not 0 in each slice of the image's k axis.
    not_finite : int
        Voxels that are NaN or infinite; they count as 0.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    same_size: bool
    distance_mm: float | None
    values: tuple[float, ...]
    voxels: int
    volume_ml: float | None
    areas: NDArray[np.int32]
    header: HeaderFacts = field(default_factory=HeaderFacts)
    not_finite: int = 0

    @property
    def covered(self) -> float:
        """Share of slices that hold mask voxels."""
        return float(np.count_nonzero(self.areas)) / max(1, self.areas.size)

    @property
    def is_cut(self) -> bool:
        """Whether the organ is cut at an end: its last slice there is still more than 30 % of its largest."""
        if not self.voxels:
            return False
        return bool(max(self.areas[0], self.areas[-1]) > 0.3 * self.areas.max())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VolumeFacts:
    """One image and its masks.

    Parameters
    ----------
    location : str
        ``P0137/C1``.
    stored_shape : tuple of int
        Shape in the file, all axes.
    grid : Grid or None
        None if the header's affine is not usable.
    components : int
        Product of the axes after the third.
    components_identical : bool
    slice_keys : (K,) ndarray of uint32
        A hash of each slice that survives flips, offsets, windowing and header changes; 0 for slices without texture.
    profile : (5, K) ndarray of float32
        How much of each slice is brighter than five quantiles of the body, for near-duplicates.
    liver_value, liver_spread : float or None
        Median and scaled median absolute deviation under the liver mask without lesions, in the file's unit.
    liver_odd : float or None
        Share of the liver mask that holds air, fat or bone.
    lesion_outside : float or None
        Share of lesion voxels outside the liver mask.
    lesions : LesionMeasures or None
        Measured here where the release states such measures and has the mask.
    digests : dict
        SHA-256 of the files read, by relative path; empty where the release has no manifest.
    not_finite : int
        Voxels that are NaN or infinite; everything else is measured as if they held the lowest value.
    stated_window : (float, float) or None
        Limits `geometry.csv` gives for this image; None where there is no such table or no window in it.
    """

    row: ReleaseRow
    location: str
    stored_shape: tuple[int, ...]
    dtype: str
    scaling: tuple[float, float]
    grid: Grid | None
    components: int
    components_identical: bool
    header: HeaderFacts
    intensity: Intensity
    orientation: Orientation
    slice_keys: NDArray[np.uint32]
    profile: NDArray[np.float32]
    liver: MaskFacts | None = None
    lesion: MaskFacts | None = None
    liver_value: float | None = None
    liver_spread: float | None = None
    liver_odd: float | None = None
    lesion_outside: float | None = None
    lesions: LesionMeasures | None = None
    digests: dict[str, str] = field(default_factory=dict)
    not_finite: int = 0
    stated_window: tuple[float, float] | None = None

    def masks(self) -> Iterator[tuple[str, MaskFacts]]:
        """The masks there are: ``"liver"`` or ``"lesion"``, and the facts; their location is ``P0137/C1/liver``."""
        if self.liver is not None:
            yield "liver", self.liver
        if self.lesion is not None:
            yield "lesion", self.lesion

    @property
    def is_nominal(self) -> bool:
        """Whether the header holds what tools write by default: 1×1×1 mm and origin 0."""
        if self.grid is None:
            return False
        unit = np.allclose(self.grid.spacing_mm, 1.0, atol=1e-4)
        return unit and np.allclose(self.grid.origin_mm, 0.0, atol=1e-4)

    def to_dict(self) -> dict[str, Any]:
        """The facts a person or a table may want, as JSON values."""
        grid = self.grid
        return {
            "location": self.location,
            "shape": list(self.stored_shape),
            "dtype": self.dtype,
            "spacing_mm": [round(v, 6) for v in grid.spacing_mm] if grid else None,
            "origin_mm": [round(v, 4) for v in grid.origin_mm] if grid else None,
            "axes": "".join(grid.axis_codes) if grid else None,
            "minimum": self.intensity.minimum,
            "maximum": self.intensity.maximum,
            "air": self.intensity.air,
            "fat": self.intensity.fat,
            "soft_tissue": self.intensity.soft,
            "liver_volume_ml": _rounded(self.liver),
            "liver_median": self.liver_value,
            "lesion_volume_ml": _rounded(self.lesion),
        }


def _rounded(mask: MaskFacts | None) -> float | None:
    return None if mask is None or mask.volume_ml is None else round(mask.volume_ml, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sketch:
    """Coarse picture of a volume, in RAS order by its header.

    Parameters
    ----------
    grey : (I, J, K) ndarray of float32
        0 at the lower end of the soft-tissue window, 1 at its upper end.
    body : (I, J, K) ndarray of bool
        Largest piece brighter than air.
    liver, lesion : (I, J, K) ndarray of bool or None
    spacing_mm : (float, float, float)
    black, unit : float
        HU of grey 0, and how many HU one unit of grey is; the paper's window is assumed where values are not HU.
    """

    grey: NDArray[np.float32]
    body: NDArray[np.bool_]
    liver: NDArray[np.bool_] | None
    lesion: NDArray[np.bool_] | None
    spacing_mm: tuple[float, float, float]
    black: float
    unit: float

    def exchanged(self) -> Sketch:
        """The same picture with the two axes of the plane exchanged."""
        i, j, k = self.spacing_mm
        return replace(
            self,
            grey=self.grey.swapaxes(0, 1),
            body=self.body.swapaxes(0, 1),
            liver=None if self.liver is None else self.liver.swapaxes(0, 1),
            lesion=None if self.lesion is None else self.lesion.swapaxes(0, 1),
            spacing_mm=(j, i, k),
        )
