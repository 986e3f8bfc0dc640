"""Image and masks must have the same voxels at the same places (kits19 #8, ATLAS #1, LiVS #3 did not)."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import GEOMETRY_TOLERANCE_MM, Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    for name, mask in volume.masks():
        where = f"{volume.location}/{name}"
        if not mask.same_size:
            yield Finding.of("mask-size", where, f"mask {_size(mask.shape)}, image {_size(volume.stored_shape)} voxels")
        elif mask.distance_mm is not None and mask.distance_mm > GEOMETRY_TOLERANCE_MM:
            yield Finding.of("grid-differs", where, f"corner voxels are up to {mask.distance_mm:.2f} mm apart")


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
