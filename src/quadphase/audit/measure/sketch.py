"""The coarse picture of a volume that anatomy, slice order and enhancement are judged on.

About 100×100 columns, every slice, RAS order by the header, grey scaled so that it does not matter much whether
values are HU, shifted HU or 8-bit: 0 is the lower end of the soft-tissue window and 1 its upper end.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from quadphase.audit.facts import Intensity, Sketch
from quadphase.imaging.reorient import reorient_array, reorient_grid
from quadphase.model import Grid

__all__ = ["grey_limits", "sketch"]

COLUMNS: Final = 100
BODY_GREY: Final = 0.12
"""About -150 HU in the paper's window: fat is body, air and lung are not."""
WINDOW_HU: Final = (-200.0, 200.0)
"""The paper's window; CT soft tissue, fat included."""


def sketch(
    values: NDArray[Any],
    grid: Grid,
    intensity: Intensity,
    *masks: NDArray[np.bool_] | None,
    stated: tuple[float, float] | None = None,
) -> Sketch:
    """Reduce a volume (and its masks, liver and lesion, same shape) by strides.

    Parameters
    ----------
    values : (I, J, K) ndarray
    grid : Grid
    intensity : Intensity
    *masks : (I, J, K) ndarray of bool or None
        Liver, lesion.
    stated : (float, float), optional
        The window the release states: values are HU then, whatever they look like.
    """
    codes = ("R", "A", "S")
    strides = (*(max(1, round(n / COLUMNS)) for n in grid.shape[:2]), 1)
    step = tuple(slice(s // 2, None, s) for s in strides)
    small = values[step]
    scaled = np.diag([*map(float, strides), 1.0])
    scaled[:3, 3] = [s // 2 for s in strides]
    coarse = Grid((small.shape[0], small.shape[1], small.shape[2]), grid.affine @ scaled)
    low, high = grey_limits(intensity)
    turned = reorient_array(small, coarse, codes)
    grey = np.ascontiguousarray(np.clip((turned.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1))
    liver, lesion = (
        None if mask is None else np.ascontiguousarray(reorient_array(mask[step], coarse, codes))
        for mask in (*masks, None, None)[:2]
    )
    ras = reorient_grid(coarse, codes)
    in_hu = low < 0 or stated is not None
    return Sketch(
        grey=grey,
        body=_body(grey),
        liver=liver,
        lesion=lesion,
        spacing_mm=ras.spacing_mm,
        black=low if in_hu else WINDOW_HU[0],
        unit=high - low if in_hu else WINDOW_HU[1] - WINDOW_HU[0],
    )


def _body(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    labels, _ = ndimage.label(grey > BODY_GREY)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((labels == sizes.argmax()) & (labels > 0))


def grey_limits(intensity: Intensity) -> tuple[float, float]:
    """Values shown as black and white."""
    low, high = intensity.minimum, intensity.maximum
    if low < -100:
        low, high = max(low, WINDOW_HU[0]), min(high, WINDOW_HU[1])
    return (low, high) if high > low else (low, low + 1.0)
