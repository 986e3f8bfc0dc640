"""Text in pixels: found by what the header says of the image, and by looking at the pixels.

A CT slice has no right to letters: images of kinds that carry text (secondary captures, screen saves, dose pages,
anything in colour) are refused by their header, and every other image is looked at. Burned-in letters are drawn, not
measured: small shapes of one exact value on a darker ground, a row of them of one height. Noise gives every measured
structure many values, which is what tells bones, wires and the table from letters.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from scipy import ndimage

__all__ = ["burned_in_reason", "has_text"]

IMAGE_CLASSES: Final = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
        "1.2.840.10008.5.1.4.1.1.4",  # MR
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
        "1.2.840.10008.5.1.4.1.1.128",  # PET
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    )
)
"""SOP classes whose pixels are measured (PS3.4 B.5); all others are refused."""

TEXT_TYPES: Final = (
    "SCREEN",
    "SCRNSAVE",
    "CAPTURE",
    "PATIENT_INFO",
    "DOSE",
    "RESULTS",
    "REPORT",
    "OVERVIEW",
    "PROTOCOL",
)
"""Parts of ImageType values that tell of a page, not of a slice."""

SMALLEST_LETTER: Final = 5
LARGEST_LETTER: Final = 40
"""Pixels; smaller cannot be read, larger is no annotation."""

FEWEST_LETTERS: Final = 4
"""In one row, with gaps below twice their height: fewer tell no name."""

LARGEST_IMAGE: Final = 2 << 30
"""Bytes of all frames, decoded."""

FEWEST_SMOOTH: Final = 6
"""The same for smoothed letters, which only their shapes and places tell from wires and tubes."""


def burned_in_reason(dataset: Dataset) -> str:
    """Why the image may not be shared, in words without any content; empty when its header and pixels are clean.

    Parameters
    ----------
    dataset : pydicom.dataset.Dataset
        With file meta information; pixel data are decoded with pydicom's handlers.
    """
    header = _header_reason(dataset)
    if not header and "PixelData" not in dataset:
        return "it has no pixel data"
    if header or str(dataset.get("Modality", "")) == "SEG":
        return header
    if _decoded_size(dataset) > LARGEST_IMAGE:
        return f"its pixels would have more than {LARGEST_IMAGE >> 30} GiB"
    try:
        pixels = dataset.pixel_array
    except Exception:  # decoders raise many kinds
        return "its pixels cannot be decoded, so nothing is proved about text in them"
    frames = pixels if pixels.ndim == 3 else pixels[None]
    if any(has_text(frame) for frame in frames):
        return "there is text in its pixels"
    return ""


def _decoded_size(dataset: Dataset) -> int:
    """Bytes the header promises; a few compressed bytes may stand for them."""
    sizes = (dataset.get(keyword) or 1 for keyword in ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel"))
    return prod(int(size) for size in sizes) * int(dataset.get("BitsAllocated") or 16) // 8


def _header_reason(dataset: Dataset) -> str:
    meta: Any = getattr(dataset, "file_meta", {})
    sop_class = str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    if sop_class not in IMAGE_CLASSES:
        return "it is not an image of measured pixels (capture, report, page or an unknown kind)"
    if str(dataset.get("BurnedInAnnotation") or "").upper() == "YES":
        return "its header says that text is burned in"
    kinds = dataset.get("ImageType") or ()
    if any(part in str(kind).upper() for kind in kinds for part in TEXT_TYPES):
        return "its image type tells of a page of text"
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        return "it is in colour, which no CT slice is"
    return ""


def has_text(image: NDArray[Any]) -> bool:
    """Whether rows of letters are drawn into an image.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) ndarray
        Stored values.
    """
    plane = np.asarray(image)
    if plane.ndim == 3:
        plane = plane.max(axis=-1)
    if min(plane.shape) < 4 * SMALLEST_LETTER:
        return False
    if any(_has_row(plane == value, plane, FEWEST_LETTERS) for value in _drawn_values(plane)):
        return True
    frame = _frame(plane)
    return any(_has_row(frame & (plane >= level), plane, FEWEST_SMOOTH) for level in _levels(plane, frame))


def _drawn_values(plane: NDArray[Any]) -> NDArray[Any]:
    """Values that occur far more often than those next to them, as drawing leaves and measuring does not."""
    values, counts = np.unique(plane, return_counts=True)
    if len(values) < 2:
        return values[:0]
    near = np.zeros(len(values))
    for step in (1, 2, 3):
        near[step:] = np.maximum(near[step:], np.where(values[step:] - values[:-step] <= 4, counts[:-step], 0))
        near[:-step] = np.maximum(near[:-step], np.where(values[step:] - values[:-step] <= 4, counts[step:], 0))
    spikes = (counts >= FEWEST_LETTERS * SMALLEST_LETTER) & (counts > 3 * near) & (values > np.median(plane))
    # Several are tried, the most frequent first: a padded background is a spike too.
    chosen: NDArray[Any] = values[spikes][np.argsort(counts[spikes])[::-1][:8]]
    return chosen


def _frame(plane: NDArray[Any]) -> NDArray[np.bool_]:
    """The outer fifth, where annotations stand and a CT shows air."""
    frame = np.ones(plane.shape, np.bool_)
    rows, columns = (n // 5 for n in plane.shape)
    frame[rows:-rows, columns:-columns] = False
    return frame


def _levels(plane: NDArray[Any], frame: NDArray[np.bool_]) -> tuple[float, ...]:
    """Thresholds that would part smoothed (anti-aliased) letters in the frame from the air around them."""
    ground, peak = float(np.median(plane[frame])), float(plane[frame].max())
    return (ground + 0.5 * (peak - ground), ground + 0.35 * (peak - ground)) if peak > ground else ()


def _has_row(drawn: NDArray[np.bool_], plane: NDArray[Any], fewest: int) -> bool:
    """Whether enough shapes of letter size stand in a row.

    Parameters
    ----------
    drawn : (rows, columns) ndarray of bool
        Pixels that may belong to letters.
    plane : (rows, columns) ndarray
    fewest : int
        Letters a row needs.
    """
    labels, count = ndimage.label(drawn, structure=np.ones((3, 3)))
    if count < fewest:
        return False
    boxes = ndimage.find_objects(labels)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    letters: list[tuple[int, int, int, int]] = []
    for number, box in enumerate(boxes):
        top, bottom, left, right = box[0].start, box[0].stop, box[1].start, box[1].stop
        height, width = bottom - top, right - left
        filled = sizes[number] / (height * width)
        if not (
            SMALLEST_LETTER <= height <= LARGEST_LETTER and width <= 1.5 * height and sizes[number] >= SMALLEST_LETTER
        ):
            continue
        if filled > 0.9 and width > 3:
            continue  # a block is no letter; a narrow one may be an l
        around = plane[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1]
        # Most of what surrounds the strokes is darker: a plateau of saturated bone is not drawn.
        level = plane[box][labels[box] == number + 1].min()
        if np.count_nonzero(around >= level) > 0.75 * around.size and width > 3:
            continue
        letters.append((bottom, left, right, height))
    letters.sort()
    return any(_run_of_letters(letters, start) >= fewest for start in range(len(letters)))


def _run_of_letters(letters: list[tuple[int, int, int, int]], start: int) -> int:
    """Letters on one base line (within a fifth of their height), of like heights, next to each other."""
    bottom, _, _, height = letters[start]
    row = sorted(
        (left, right)
        for other, left, right, tall in letters[start : start + 200]
        if other - bottom <= max(1, height // 5) and 0.6 * height <= tall <= 1.67 * height
    )
    best = run = 1
    for (_, end), (begin, _) in pairwise(row):
        run = run + 1 if 0 <= begin - end <= 2 * height else 1
        best = max(best, run)
    return best
