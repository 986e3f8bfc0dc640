"""What lies under a liver mask must be parenchyma: a flipped or shifted mask covers fat and air."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

MOST_ODD: Final = 0.20
"""Fissures, vessels and a generous outline stay under 10 % on the scans we looked at; a flipped mask has over 30 %."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.liver_odd is not None and volume.liver_odd > MOST_ODD:
        message = f"{volume.liver_odd:.0%} of the mask is air, fat or far brighter than the rest"
        yield Finding.of("liver-mask-not-liver", f"{volume.location}/liver", message)
