"""Every voxel is a number: NaN spreads through whatever is computed from it, and many readers turn it into 0 HU."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.not_finite:
        yield Finding.of("not-finite", volume.location, f"NaN or infinite voxels: {volume.not_finite}")
    for name, mask in volume.masks():
        if mask.not_finite:
            where = f"{volume.location}/{name}"
            yield Finding.of("not-finite", where, f"NaN or infinite voxels: {mask.not_finite}")
