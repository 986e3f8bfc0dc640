"""Where in the body each voxel is, in the terms the liver's place is described in.

Distances are taken from the spine, and shares of the trunk's width and depth, so they hold for small and large
people. A mirrored scan that does not say so is not recognised here and not undone.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quadphase.localize.body import Body
from quadphase.localize.evidence import Place
from quadphase.localize.working_grid import BoolArray, FloatArray

VERTEBRA_HALF_WIDTH_MM = 26.0
"""Half a thoracolumbar vertebral body (20 to 25 mm) and the crus beside it."""

VERTEBRA_DEPTH_MM = 38.0
"""Front of the vertebral body to the spinal canal."""

AORTA_AHEAD_MM = 26.0
"""In front of the spine, left of its middle, the aorta (20 to 30 mm) and the oesophagus come first."""

RIGHT_SHARE = 0.12
"""Right of the spine: this share of half the trunk's width."""

LEFT_SLOPE = 0.6
"""The back of the left lobe comes forward, in shares of the trunk's depth, as it goes left, in shares of half its
width; behind that line lie stomach, spleen and kidney."""

FAR_LEFT_SHARE = 0.65
"""A left lobe reaches at most this share of half the trunk's width; beyond it is spleen, or flank."""


def locate(hu: FloatArray, body: Body, cavity: BoolArray, diaphragm: npt.NDArray[np.float64] | None) -> Place:
    """Describe the place of each voxel.

    Parameters
    ----------
    hu : (X, Y, Z) float32 array
        Working volume.
    body : Body
    cavity : (X, Y, Z) bool array
    diaphragm : (X, Y) float array or None
        z index of the diaphragm.

    Returns
    -------
    Place
    """
    spacing_mm = body.spacing_mm
    x, y, z = np.ogrid[: hu.shape[0], : hu.shape[1], : hu.shape[2]]
    aside_mm = (x - body.midline[None, None]) * spacing_mm
    ahead_mm = (y - body.spine_front[None, None]) * spacing_mm
    across = (x - body.midline[None, None]) / np.maximum((body.right - body.left)[None, None] / 2, 1)
    forward = (y - body.spine_front[None, None]) / np.maximum(_front(cavity) - body.spine_front, 5)[None, None]
    left_back = _step(-0.12 - across, 0.03) * _step(0.10 + LEFT_SLOPE * (-0.12 - across) - forward, 0.04)
    far_left = _step(-FAR_LEFT_SHARE - across, 0.03)
    spine = _step(VERTEBRA_HALF_WIDTH_MM - np.abs(aside_mm), 3) * _step(6 - ahead_mm, 3)
    behind = _step(38 - np.abs(aside_mm), 3) * _step(-VERTEBRA_DEPTH_MM - ahead_mm, 3)
    aorta = _step(2 - aside_mm, 3) * _step(AORTA_AHEAD_MM - ahead_mm, 3) * _step(40 + aside_mm, 3)
    against = reduce(np.maximum, (left_back, far_left, spine, behind, aorta))
    above = np.zeros(hu.shape, dtype=bool)
    if diaphragm is not None:
        above[:] = z > diaphragm[:, :, None]
    return Place(
        domain=cavity & ~body.lung & (hu > -150),
        against=np.where(against < 0.01, 0, against).astype(np.float32),
        above=above,
        lung=body.lung,
        right=np.broadcast_to(across > RIGHT_SHARE, hu.shape),
        left=np.broadcast_to(across < -RIGHT_SHARE, hu.shape),
    )


def _front(cavity: BoolArray) -> npt.NDArray[np.float64]:
    rows: BoolArray = np.asarray(cavity.any(axis=0))
    last = rows.shape[0] - 1 - rows[::-1].argmax(axis=0)
    return np.asarray(ndimage.gaussian_filter1d(last.astype(float), 3, mode="nearest"))


def _step(value: npt.NDArray[np.float64], width: float) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(value / width, -30, 30))))
