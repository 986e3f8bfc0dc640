"""Real scans start at different table positions; if every volume starts at the same point, the origins were lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding

__all__ = ["check"]

LEAST_VOLUMES: Final = 8


def check(context: ReleaseContext) -> Iterator[Finding]:
    placed = [v for v in context.volumes if v.grid is not None and not v.is_nominal]
    if len({v.row.subject for v in placed}) < 2 or len(placed) < LEAST_VOLUMES:
        return
    origins = np.array([v.grid.origin_mm for v in placed if v.grid is not None])
    if np.ptp(origins, axis=0).max() < 0.01:
        x, y, z = origins[0]
        message = f"all {len(placed)} volumes have their first voxel at ({x:g}, {y:g}, {z:g}) mm"
        yield Finding.of("frame-origin-lost", context.release.table.name, message)
