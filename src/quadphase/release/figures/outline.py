"""Outlines of liver and lesion as vectors over a picture: the tissue under them stays visible, sharp at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.release.figures.style import LESION, LIVER

__all__ = ["outline"]


def outline(
    ax: Any,
    liver: NDArray[np.bool_],
    lesions: NDArray[np.bool_],
    *,
    pixel_mm: tuple[float, float],
    tint: float = 0.1,
) -> None:
    """Tint and outline both masks.

    Parameters
    ----------
    ax : matplotlib axes
        Its data are millimetres from the upper left corner of the picture.
    liver, lesions : (rows, columns) ndarray of bool
    pixel_mm : (float, float)
        Width and height of a pixel.
    tint : float
        Opacity of the fill, 0 to 1.
    """
    for mask, colour, width in ((liver, LIVER, 0.9), (lesions, LESION, 1.1)):
        if not mask.any():
            continue
        # A border of False closes outlines at the edge of the picture.
        field = np.pad(mask.astype(np.float32), 1)
        rows, columns = field.shape
        x = (np.arange(columns) - 0.5) * pixel_mm[0]
        y = (np.arange(rows) - 0.5) * pixel_mm[1]
        ax.contourf(x, y, field, levels=[0.5, 2.0], colors=[colour], alpha=tint, antialiased=True)
        ax.contour(x, y, field, levels=[0.5], colors=[colour], linewidths=width)
