"""A liver has no empty slice in its middle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.liver is None or not volume.liver.voxels or not volume.liver.same_size:
        return
    areas = volume.liver.areas
    used = np.flatnonzero(areas)
    empty = int(used[-1] - used[0] + 1 - used.size)
    if empty:
        message = f"empty slices between k = {used[0]} and k = {used[-1]} (0-based): {empty}"
        yield Finding.of("liver-mask-gap", f"{volume.location}/liver", message)
