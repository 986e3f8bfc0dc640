"""The canvas that organs are painted on, back to front, with soft edges as a CT's point spread gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from quadphase.phantom.shapes import Frame, Patch

__all__ = ["Canvas", "Organ"]

Array = NDArray[np.float32]


class Organ(IntEnum):
    """Values of the organ label map."""

    AIR = 0
    FAT = 1
    SKIN = 2
    MUSCLE = 3
    BONE = 4
    LUNG = 5
    HEART = 6
    AORTA = 7
    IVC = 8
    PORTAL_VEIN = 9
    HEPATIC_VEIN = 10
    LIVER = 11
    GALLBLADDER = 12
    SPLEEN = 13
    KIDNEY_CORTEX = 14
    KIDNEY_MEDULLA = 15
    STOMACH = 16
    BOWEL = 17
    PANCREAS = 18
    ADRENAL = 19
    ESOPHAGUS = 20
    VESSEL = 21
    TABLE = 22
    ASCITES = 23
    SPINAL_CANAL = 24


@dataclass(slots=True, eq=False)
class Canvas:
    """HU and labels under construction, axes (K, J, I).

    Parameters
    ----------
    rest : Frame
        Coordinates of what does not move: body wall, bones, table.
    moving : Frame
        Warped and breathing coordinates: viscera.
    edge_mm : float
        Width over which an edge is blended.
    """

    rest: Frame
    moving: Frame
    edge_mm: float
    hu: Array = field(init=False)
    labels: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.rest.w.size, self.rest.v.size, self.rest.u.size)
        self.hu = np.full(shape, -1000, dtype=np.float32)
        self.labels = np.zeros(shape, dtype=np.uint8)

    @property
    def whole(self) -> tuple[slice, slice, slice]:
        """The box of everything."""
        k, j, i = self.hu.shape
        return (slice(0, k), slice(0, j), slice(0, i))

    def paint(self, patch: Patch, hu: Array | float, organ: Organ) -> None:
        """Put a shape over what is there: `hu` is one number or an array on the patch's box."""
        if patch.empty:
            return
        alpha = patch.sdf * np.float32(-1 / self.edge_mm)
        alpha += np.float32(0.5)
        np.clip(alpha, 0, 1, out=alpha)
        part = self.hu[patch.box]
        change = np.asarray(hu, dtype=np.float32) - part
        change *= alpha
        part += change
        np.copyto(self.labels[patch.box], np.uint8(organ), where=patch.sdf < 0)
