"""Which way round a patient lies in the array, from the anatomy alone: spine at the back, lung above, liver on the
right.

Each question gets a score from -1 (the opposite of what the header claims) to 1 (agrees), or None where the image
does not show enough. The axes are the header's RAS axes: +x right, +y front, +z head.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from quadphase.audit.facts import Orientation, Sketch

__all__ = ["UNKNOWN", "orientation_of"]

BONE_GREY: Final = 0.95
"""About 180 HU after smoothing over three pixels: bone, and vessels in the arterial phase."""
AIR_GREY: Final = 0.02
BONE_HU: Final = 150.0
"""A window that ends below this shows the liver as bright as bone."""
FAT_HU: Final = -130.0
"""A window that begins above this shows fat as black as air."""

UNKNOWN: Final = Orientation(right=None, front=None, head=None)

DEEPER: Final = 1.1
"""A patient is wider than deep, 1.2 to 1.9 times in the scans we have: a body that is deeper than wide by a tenth lies
in exchanged axes, if spine or liver lie at its side. Bone alone does not tell: an arterial spleen outweighs a spine."""
ASIDE: Final = 0.5
"""Livers score 0.7 to 1 along their own axis, under 0.4 from front to back."""


def orientation_of(picture: Sketch) -> Orientation:
    """Scores of the three axes."""
    body = picture.body
    if body.sum() < 0.02 * body.size:
        return UNKNOWN
    head = _head(picture, body)
    if _extent_mm(picture, 1) > DEEPER * _extent_mm(picture, 0):
        turned = picture.exchanged()
        right, front = _right(turned), _front(turned)
        if front is not None or abs(right or 0.0) > ASIDE:
            return Orientation(right=right, front=front, head=head, exchanged=True)
    return Orientation(right=_right(picture), front=_front(picture), head=head)


def _extent_mm(picture: Sketch, axis: int) -> float:
    """Length of the body along an axis of the plane."""
    used = np.flatnonzero(picture.body.any(axis=(1 - axis, 2)))
    return float(used[-1] - used[0] + 1) * picture.spacing_mm[axis]


def _midline(body: NDArray[np.bool_]) -> tuple[float, float]:
    """Column of the body's centroid, and the body's width in columns."""
    across = np.flatnonzero(body.any(axis=(1, 2)))
    weights = body.sum(axis=(1, 2))
    return float((weights * np.arange(body.shape[0])).sum() / weights.sum()), float(across[-1] - across[0] + 1)


def _right(picture: Sketch) -> float | None:
    """Offset of the liver's centroid from the midline, 1 at a fifth of the body's width."""
    if picture.liver is None:
        return None
    middle, width = _midline(picture.body)
    columns = picture.liver.sum(axis=(1, 2))
    if columns.sum() < 200:
        return None
    offset = float((columns * np.arange(columns.size)).sum() / columns.sum()) - middle
    score = float(np.clip(offset / (0.2 * width), -1, 1))
    return score if abs(score) > 0.25 else None


def _front(picture: Sketch) -> float | None:
    """Bone near the midline: the spine outweighs the sternum many times."""
    body = picture.body
    middle, width = _midline(body)
    half = max(2.0, 0.12 * width)
    strip = slice(max(0, int(middle - half)), int(middle + half) + 1)
    rows = np.flatnonzero(body[strip].any(axis=(0, 2)))
    if rows.size < 8 or picture.black + BONE_GREY * picture.unit < BONE_HU:
        return None
    # Smoothed, or the noise of a well-filled liver and of portal veins passes for bone.
    bone = (ndimage.uniform_filter(picture.grey[strip], (3, 3, 1)) > BONE_GREY) & body[strip]
    depth = (np.arange(bone.shape[1]) - rows[0]) / float(rows[-1] - rows[0])
    profile = bone.sum(axis=(0, 2))
    back = float(profile[(depth >= 0) & (depth < 0.45)].sum())
    front = float(profile[(depth > 0.55) & (depth <= 1)].sum())
    if back + front < 50:
        return None
    score = (back - front) / (back + front)
    return score if abs(score) > 0.4 else None


def _head(picture: Sketch, body: NDArray[np.bool_]) -> float | None:
    """Air inside the body: lung bases in the uppermost fifth outweigh bowel gas in the lowest."""
    if picture.black > FAT_HU:
        return None
    air = picture.grey < AIR_GREY
    labels, n = ndimage.label(air)
    outside = np.zeros(n + 1, dtype=bool)
    for face in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[np.unique(face)] = True
    inner = air & ~outside[labels]
    area = body.sum(axis=(0, 1)).astype(np.float64) + inner.sum(axis=(0, 1))
    share = inner.sum(axis=(0, 1)) / np.maximum(area, 1)
    depth = max(1, share.size // 5)
    top, bottom = float(share[-depth:].mean()), float(share[:depth].mean())
    if abs(top - bottom) < 0.06 or max(top, bottom) < 2 * min(top, bottom):
        return None
    return float(np.clip((top - bottom) / (top + bottom), -1, 1))
