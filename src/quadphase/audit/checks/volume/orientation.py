"""The anatomy must lie as the header says; 1,442 volumes of the published PLC-CECT are upside-down against theirs."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    seen = volume.orientation
    axes = "".join(volume.grid.axis_codes) if volume.grid else "?"
    if seen.head is not None and seen.head < 0:
        yield Finding.of("upside-down", volume.location, f"header axes {axes}, but the lungs are at the foot end")
    if seen.exchanged:
        became = {None: "", True: ": a mirror image", False: ": a quarter turn"}[seen.is_mirrored]
        message = f"header axes {axes}, but the patient lies with rows and columns exchanged{became}"
        yield Finding.of("axes-swapped", volume.location, message)
        return
    if seen.front is not None and seen.front < 0:
        yield Finding.of("back-to-front", volume.location, f"header axes {axes}, but the spine is at the front")
    if seen.right is not None and seen.right < 0:
        yield Finding.of("left-right-swapped", volume.location, f"header axes {axes}, but the liver is on the left")
