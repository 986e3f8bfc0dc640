"""Slice spacing: what scanners make, and what fits the height of a liver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

SPACING_MM: Final = (0.25, 10.5)
"""Reconstruction increments of abdominal CT; 0.29 to 8.05 mm occur in PLC-CECT."""
LIVER_HEIGHT_MM: Final = (75.0, 320.0)
"""Craniocaudal extent of a whole liver. Midclavicular spans are 60–160 mm (Kratzer et al., J Ultrasound Med
2003;22:1155); the extent from dome to lowest tip is longer; the limits are generous on both sides."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.grid is None:
        return
    spacing = volume.grid.spacing_mm[2]
    if not SPACING_MM[0] <= spacing <= SPACING_MM[1]:
        yield Finding.of("slice-spacing", volume.location, f"{spacing:.3f} mm between slices")
        return
    liver = volume.liver
    if volume.is_nominal or liver is None or not liver.same_size or not liver.voxels or liver.is_cut:
        return
    used = np.flatnonzero(liver.areas)
    height = float(used[-1] - used[0] + 1) * spacing
    if not LIVER_HEIGHT_MM[0] <= height <= LIVER_HEIGHT_MM[1]:
        message = f"with {spacing:.3f} mm between slices the liver is {height:.0f} mm high"
        yield Finding.of("slice-spacing", volume.location, message)
