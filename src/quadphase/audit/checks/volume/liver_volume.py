"""An adult's liver has 500 to 3,500 ml; a part may have less, so a mask cut by the scan has no lower limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

LIVER_ML: Final = (500.0, 3500.0)


def check(volume: VolumeFacts) -> Iterator[Finding]:
    liver = volume.liver
    if liver is None or not liver.same_size or not liver.voxels or liver.volume_ml is None:
        return
    too_small = liver.volume_ml < LIVER_ML[0] and not liver.is_cut
    if too_small or liver.volume_ml > LIVER_ML[1]:
        yield Finding.of("liver-volume", f"{volume.location}/liver", f"{liver.volume_ml:.0f} ml, expected 500–3,500 ml")
