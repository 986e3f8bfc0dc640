"""Liver lesions lie in the liver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

MOST_OUTSIDE: Final = 0.10
"""Two outlines of one border differ by a voxel; for a 2 cm lesion at the capsule that is just under a tenth."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    share = volume.lesion_outside
    if share is not None and share > MOST_OUTSIDE and volume.liver is not None and volume.liver.voxels:
        message = f"{share:.0%} of the lesion voxels are outside the liver mask"
        yield Finding.of("lesion-outside-liver", f"{volume.location}/lesion", message)
