"""An abdominal CT is reconstructed to 250–500 mm: less cuts the body off, more is wider than scanners scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

FIELD_OF_VIEW_MM: Final = (250.0, 500.0)
SLACK_MM: Final = 1.0
"""500 mm in 512 voxels of rounded size (0.977 mm) is 500.2 mm."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.grid is None or min(volume.grid.shape[:2]) < 32:
        return
    widths = [n * s for n, s in zip(volume.grid.shape[:2], volume.grid.spacing_mm[:2], strict=True)]
    if max(widths) > FIELD_OF_VIEW_MM[1] + SLACK_MM or max(widths) < FIELD_OF_VIEW_MM[0] - SLACK_MM:
        yield Finding.of("field-of-view", volume.location, f"{widths[0]:.1f}×{widths[1]:.1f} mm, expected 250–500 mm")
