"""Small pictures of volumes for the HTML report: an axial and a coronal slice as the header says they lie.

A stack that is upside-down against its header is therefore shown upside-down. Liver is outlined in red, lesion in cyan.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from quadphase.audit.facts import Sketch
from quadphase.audit.measure import measure
from quadphase.audit.png import encode_png
from quadphase.io.release_rows import ReleaseRow

__all__ = ["picture_of", "thumbnail", "volumes_of"]

HEIGHT: Final = 132
WIDTH: Final = 158
LIVER_RGB: Final = (230, 70, 60)
LESION_RGB: Final = (70, 210, 230)


def volumes_of(locations: Iterable[str]) -> set[str]:
    """Volumes (``P0137/C1``) and subjects (``P0137``) that locations of findings name.

    Examples
    --------
    >>> sorted(volumes_of(["P1/C1/liver", "P2/P = P3/P", "P4"]))
    ['P1/C1', 'P2/P', 'P3/P', 'P4']
    """
    parts = (part for location in locations for part in location.replace(" ~ ", " = ").split(" = "))
    return {"/".join(part.split("/")[:2]) for part in parts}


def picture_of(root: Path, row: ReleaseRow) -> dict[str, bytes]:
    """Thumbnail of one row, read from its files; empty if it cannot be read."""
    measured = measure(root, row)
    if measured.facts is None or measured.sketch is None:
        return {}
    try:
        return {measured.facts.location: thumbnail(measured.sketch)}
    except (
        Exception
    ):  # a report without this picture is worth more than none; what is wrong with it is a finding already
        return {}


def thumbnail(picture: Sketch) -> bytes:
    """PNG: axial slice with most lesion (or liver), coronal slice through it."""
    shown = picture.lesion if picture.lesion is not None and picture.lesion.any() else picture.liver
    if shown is not None and shown.any():
        k = int(shown.sum(axis=(0, 1)).argmax())
        j = int(shown.sum(axis=(0, 2)).argmax())
    else:
        j, k = picture.grey.shape[1] // 2, picture.grey.shape[2] // 2
    di, dj, dk = picture.spacing_mm
    axial = _panel(picture, (slice(None), slice(None), k), (di, dj))
    coronal = _panel(picture, (slice(None), j, slice(None)), (di, dk))
    gap = np.full((HEIGHT, 4, 3), (17, 24, 28), dtype=np.uint8)
    return encode_png(np.concatenate([axial, gap, coronal], axis=1))


def _panel(
    picture: Sketch, where: tuple[slice | int, slice | int, slice | int], spacing_mm: tuple[float, float]
) -> NDArray[np.uint8]:
    """A slice as radiologists look at it: patient's right on the left, front or head up."""
    grey = _screen(picture.grey[where].astype(np.float32), spacing_mm)
    rgb = np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=2)
    for mask, colour in ((picture.liver, LIVER_RGB), (picture.lesion, LESION_RGB)):
        if mask is not None:
            inside = _screen(mask[where].astype(np.float32), spacing_mm) > 0.5
            rgb[inside & ~ndimage.binary_erosion(inside)] = colour
    return rgb


def _screen(plane: NDArray[np.float32], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """(right, up) array to a panel of screen rows and columns, in true proportion, black around."""
    up = plane.T[::-1, ::-1]
    height_mm, width_mm = up.shape[0] * spacing_mm[1], up.shape[1] * spacing_mm[0]
    pixel_mm = max(height_mm / HEIGHT, width_mm / WIDTH)
    rows, columns = max(1, round(height_mm / pixel_mm)), max(1, round(width_mm / pixel_mm))
    scaled = up[np.ix_(np.arange(rows) * up.shape[0] // rows, np.arange(columns) * up.shape[1] // columns)]
    panel = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    top, left = (HEIGHT - rows) // 2, (WIDTH - columns) // 2
    panel[top : top + rows, left : left + columns] = scaled[:HEIGHT, :WIDTH]
    return panel
