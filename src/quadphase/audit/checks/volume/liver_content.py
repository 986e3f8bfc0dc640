"""What lies under a liver mask must be parenchyma: a flipped or shifted mask covers fat and air."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

MOST_ODD: Final = 0.10
"""Real and phantom livers, fissures included, have under 2 %; the same masks flipped have 17 % and more."""
MOST_SPREAD_HU: Final = 45.0
"""Parenchyma with noise spreads by 12 to 30 HU (scaled median absolute deviation)."""


def check(volume: VolumeFacts) -> Iterator[Finding]:
    if volume.liver_odd is None or volume.liver_spread is None:
        return
    if volume.liver_odd > MOST_ODD or volume.liver_spread > MOST_SPREAD_HU:
        message = (
            f"{volume.liver_odd:.0%} of the mask is air, fat or bone; values spread by {volume.liver_spread:.0f} HU"
        )
        yield Finding.of("liver-mask-not-liver", f"{volume.location}/liver", message)
