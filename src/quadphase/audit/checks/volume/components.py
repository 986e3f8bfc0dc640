"""One volume a file: a fourth axis hides copies, or another phase."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if len(volume.stored_shape) == 3:
        return
    shape = "×".join(map(str, volume.stored_shape))
    if volume.components > 1 and volume.components_identical:
        message = f"{shape} voxels: {volume.components} identical components"
        yield Finding.of("components-replicated", volume.location, message)
    else:
        yield Finding.of("four-dimensional", volume.location, f"{shape} voxels")
