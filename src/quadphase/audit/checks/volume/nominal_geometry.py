"""A header of 1×1×1 mm and origin 0 was never a scanner's: tools write it when they do not know.

All 1,444 volumes of the published PLC-CECT claim it.
"""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.grid is None:
        yield Finding.of("geometry-unusable", volume.location, "the header has no usable affine")
    elif volume.is_nominal:
        n = max(volume.grid.shape[:2])
        yield Finding.of(
            "geometry-nominal",
            volume.location,
            f"spacing 1×1×1 mm and origin 0 with a matrix of {n}: sizes are unknown",
        )
