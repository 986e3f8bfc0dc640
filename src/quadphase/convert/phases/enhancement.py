"""Contrast measured in the image: aorta, liver and kidneys on the coarse copies of all stacks of an exam at once.

No segmentation is learnt or loaded. The spine is the landmark every abdominal CT has; the aorta is the even spot
before and left of it that changes most, the liver the largest even region on its right, the kidneys what enhances
strongly beside it. Places are found in all stacks together and then read in each, so two stacks are compared at the
same spot. What is not there is None.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from quadphase.convert.phases.features import EnhancementMeasures, StackFeatures
from quadphase.convert.phases.thumbnail import SPACING_MM, Thumbnail

__all__ = ["measure", "with_enhancement"]

_BONE_HU: Final = 150.0
_BONE_CHANGE_HU: Final = 45.0
"""Bone changes less between phases; vessels change more."""
_MINIMUM_CANAL_VOXELS: Final = 10
_VESSEL_CHANGE_HU: Final = 30.0
"""Between two phases some vessel changes at least this much."""
_EVEN_VESSEL_HU: Final = 25.0
"""Quartile distance along one vessel; bone taken for it varies more."""
_MINIMUM_LIVER_ML: Final = 60.0
_MINIMUM_KIDNEY_ML: Final = 12.0
_KIDNEY_HU: Final = (145.0, 115.0)
"""Kidneys exceed the first, in people who enhance weakly the second; the spleen rarely reaches the first."""
_VOXEL_ML: Final = SPACING_MM[0] * SPACING_MM[1] * SPACING_MM[2] / 1000.0

Array = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Exam:
    """All stacks on one grid: ``hu`` (n, X, Y, Z) with NaN outside, and what they have in common."""

    hu: Array
    lowest: Array
    highest: Array
    right: Array
    """Millimetres from the spine towards the right, (X, 1, 1)."""
    front: Array
    """Millimetres from the spinal canal to the front, (1, Y, Z)."""
    bone: Bool


def with_enhancement(
    stacks: Sequence[StackFeatures], thumbnails: Sequence[Thumbnail | None]
) -> tuple[StackFeatures, ...]:
    """The stacks with what their images show; None where a stack has no image or no landmark was found."""
    found = measure([t for t in thumbnails if t is not None])
    measured = iter(found)
    return tuple(
        stack if image is None else replace(stack, enhancement=next(measured))
        for stack, image in zip(stacks, thumbnails, strict=True)
    )


def measure(thumbnails: Sequence[Thumbnail]) -> tuple[EnhancementMeasures | None, ...]:
    """Measure all stacks of an exam; None for stacks of it that show no spine."""
    groups = _overlapping(thumbnails)
    results: list[EnhancementMeasures | None] = [None] * len(thumbnails)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all-NaN columns outside a stack are expected
        for group in groups:
            exam = _exam([thumbnails[n] for n in group])
            if exam is not None:
                for n, values in zip(group, _measures(exam), strict=True):
                    results[n] = values
    return tuple(results)


def _overlapping(thumbnails: Sequence[Thumbnail]) -> list[list[int]]:
    """Stacks that share at least half of the smaller one's volume, joined with the first such group."""
    groups: list[list[int]] = []
    for n, image in enumerate(thumbnails):
        for group in groups:
            if all(_shared(thumbnails[m], image) >= 0.5 for m in group):
                group.append(n)
                break
        else:
            groups.append([n])
    return groups


def _shared(a: Thumbnail, b: Thumbnail) -> float:
    spans = [min(a.stop[i], b.stop[i]) - max(a.start[i], b.start[i]) for i in range(3)]
    if min(spans) <= 0:
        return 0.0
    return float(np.prod(spans)) / min(a.hu.size, b.hu.size)


def _exam(images: Sequence[Thumbnail]) -> _Exam | None:
    start = np.max([image.start for image in images], axis=0)
    stop = np.min([image.stop for image in images], axis=0)
    if (stop - start).min() < 2:
        return None
    hu = np.stack(
        [
            image.hu[tuple(slice(a - s, b - s) for a, b, s in zip(start, stop, image.start, strict=True))]
            for image in images
        ]
    )
    lowest, highest = np.nanmin(hu, axis=0), np.nanmax(hu, axis=0)
    body = ndimage.binary_opening(lowest > -300.0, iterations=1)
    if not body.any():
        return None
    steady = (highest - lowest < _BONE_CHANGE_HU) | (lowest > 300.0)
    bone = (lowest > _BONE_HU) & steady & body
    spine = _spine(lowest, body)
    if spine is None:
        return None
    right_of, front_of = spine
    x = (np.arange(hu.shape[1]) - right_of) * SPACING_MM[0]
    y = (np.arange(hu.shape[2])[:, None] - front_of[None, :]) * SPACING_MM[1]
    return _Exam(
        hu=hu,
        lowest=lowest,
        highest=highest,
        right=x[:, None, None].astype(np.float32),
        front=y[None].astype(np.float32),
        bone=bone,
    )


def _spine(lowest: Array, body: Bool) -> tuple[float, NDArray[np.float64]] | None:
    """Position of the spinal canal: index along X, and index along Y for every slice.

    The canal is the only soft tissue with bone before, behind and on both sides of it near the midline.
    """
    bone = lowest > _BONE_HU
    columns = np.nonzero(body.any(axis=(1, 2)))[0]
    middle = (columns[0] + columns[-1]) / 2
    x, y = np.arange(bone.shape[0]), np.arange(bone.shape[1])
    enclosed = (lowest > -80.0) & ~bone & body & (np.abs(x - middle) <= 55 / SPACING_MM[0])[:, None, None]
    for axis, reach_mm in ((0, 20.0), (1, 24.0)):
        enclosed &= _reaches(bone, axis, reach_mm, +1) & _reaches(bone, axis, reach_mm, -1)
    enclosed = ndimage.binary_opening(enclosed, np.ones((2, 2, 1), bool))
    if np.count_nonzero(enclosed) < _MINIMUM_CANAL_VOXELS:
        return None
    labels, count = ndimage.label(ndimage.binary_dilation(enclosed, np.ones((1, 3, 5), bool)))
    sizes = np.bincount(labels[enclosed], minlength=count + 1)
    enclosed &= labels == sizes[1:].argmax() + 1
    weight = enclosed.sum(axis=(1, 2))
    across = float((x * weight).sum() / weight.sum())
    per_slice = enclosed.sum(axis=0)
    total = per_slice.sum(axis=0)
    known = total > 0
    front = np.interp(
        np.arange(bone.shape[2]),
        np.nonzero(known)[0],
        (y[:, None] * per_slice).sum(axis=0)[known] / total[known],
    )
    return across, ndimage.median_filter(front, size=min(9, len(front)), mode="nearest")


def _reaches(bone: Bool, axis: int, reach_mm: float, side: int) -> Bool:
    """Whether bone lies within `reach_mm` of a voxel on one side of it along an axis."""
    found = np.zeros_like(bone)
    for step in range(1, round(reach_mm / SPACING_MM[axis]) + 1):
        shifted = np.roll(bone, side * step, axis=axis)
        found |= shifted
    return found


def _measures(exam: _Exam) -> list[EnhancementMeasures]:
    aorta = _aorta(exam)
    liver = _liver(exam)
    kidneys = _kidneys(exam, liver)
    soft = (exam.lowest > -50.0) & ~ndimage.binary_dilation(exam.bone, iterations=1)
    found = []
    for n, hu in enumerate(exam.hu):
        kidney = hu[kidneys] if kidneys is not None else None
        found.append(
            EnhancementMeasures(
                aorta_hu=None if aorta is None else aorta[n],
                liver_hu=None if liver is None else _round(np.nanmedian(hu[liver])),
                cortex_hu=None if kidney is None else _round(np.nanpercentile(kidney, 80)),
                medulla_hu=None if kidney is None else _round(np.nanpercentile(kidney, 25)),
                pelvis_hu=None if kidney is None else _round(np.nanpercentile(kidney, 99)),
                bright_fraction=float(round(float(np.mean(hu[soft] > 150.0)), 4)) if soft.any() else None,
            )
        )
    return found


def _round(value: float | np.floating) -> float:
    return round(float(value), 1)


def _aorta(exam: _Exam) -> list[float] | None:
    """Median over slices of the even spot before and left of the spine that changes most (one stack: is brightest)."""
    before = (exam.right >= -34) & (exam.right <= 16) & (exam.front >= 34) & (exam.front <= 80)
    beside = (exam.right >= -48) & (exam.right < -16) & (exam.front >= 14) & (exam.front <= 60)  # in the chest
    highest, lowest = (np.nan_to_num(a, nan=-1000.0) for a in (exam.highest, exam.lowest))
    change = highest - lowest
    usable = (before | beside) & (ndimage.minimum_filter(lowest, (3, 3, 1)) > -30.0)
    by_change = (
        len(exam.hu) > 1 and float(np.percentile(change[usable], 95) if usable.any() else 0.0) > _VESSEL_CHANGE_HU
    )
    image = change if by_change else highest
    mean = ndimage.uniform_filter(image, (3, 3, 1))
    spread = np.sqrt(np.clip(ndimage.uniform_filter(image**2, (3, 3, 1)) - mean**2, 0, None))
    if not by_change:
        usable &= ndimage.maximum_filter(highest, (3, 3, 1)) - mean < 40.0  # cortical bone is never even
    score = np.where(usable, mean - 2.0 * spread, -np.inf)
    flat = score.reshape(-1, score.shape[2])
    slices = [k for k in range(score.shape[2]) if np.isfinite(flat[:, k].max())]
    if not slices:
        return None
    spots = np.array([(*np.unravel_index(int(flat[:, k].argmax()), score.shape[:2]), k) for k in slices])
    # The aorta goes straight through: spots far from their neighbours' place are something else.
    course = ndimage.median_filter(spots[:, :2], size=(min(7, len(spots)), 1), mode="nearest")
    spots = spots[np.abs(spots[:, :2] - course).max(axis=1) <= 12 / SPACING_MM[0]]
    if len(spots) < max(2, 0.4 * len(slices)):
        return None
    read = [ndimage.uniform_filter(np.nan_to_num(hu, nan=-1000.0), (3, 3, 1))[tuple(spots.T)] for hu in exam.hu]
    if not by_change and float(np.subtract(*np.percentile(read[0], (75, 25)))) > _EVEN_VESSEL_HU:
        return None
    return [_round(np.median(values)) for values in read]


def _liver(exam: _Exam) -> Bool | None:
    """Largest even soft region on the right, shrunk by a voxel."""
    mean = np.nan_to_num(np.nanmean(exam.hu, axis=0), nan=-1000.0)
    local = ndimage.uniform_filter(mean, 3)
    spread = np.sqrt(np.clip(ndimage.uniform_filter(mean**2, 3) - local**2, 0, None))
    even = (local > 0.0) & (local < 220.0) & (spread < 16.0) & (exam.right > 22.0) & ~exam.bone
    labels, count = ndimage.label(even)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())
    # Back muscles lie behind the vertebral bodies; the liver's middle does not.
    for label in np.argsort(-sizes[1:])[:4] + 1:
        region = np.asarray(labels == label, dtype=np.bool_)
        if sizes[label] * _VOXEL_ML < _MINIMUM_LIVER_ML:
            return None
        if float(np.median(np.broadcast_to(exam.front, region.shape)[region])) > 20.0:
            return region
    return None


def _kidneys(exam: _Exam, liver: Bool | None) -> Bool | None:
    """What enhances beyond other organs beside the spine."""
    side = np.abs(exam.right)
    place = (side >= 24) & (side <= 92) & (exam.front >= -30) & (exam.front <= 64)
    place &= (exam.lowest > -20.0) & ~ndimage.binary_dilation(exam.bone, iterations=1)
    if len(exam.hu) > 1:
        place &= exam.lowest < 140.0
    if liver is not None:
        place &= ~ndimage.binary_dilation(liver, iterations=1)
    for limit in _KIDNEY_HU:
        labels, count = ndimage.label(ndimage.binary_opening(place & (exam.highest > limit)))
        sizes = np.bincount(labels.ravel(), minlength=count + 1) * _VOXEL_ML
        large = np.flatnonzero(sizes[1:] >= _MINIMUM_KIDNEY_ML) + 1
        if large.size:
            return np.asarray(ndimage.binary_closing(np.isin(labels, large)) & place, dtype=np.bool_)
    return None
