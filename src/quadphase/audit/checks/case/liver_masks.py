"""One liver, four masks: they must agree about its size.

Spacing differs between phases, so volumes are compared in ml where the header can be trusted; otherwise the largest
cross-section and the share of slices that hold liver, which do not depend on the slice spacing.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import MaskFacts
from quadphase.model import Finding

__all__ = ["check"]

SMALL: Final = 0.60
"""Under 60 % of the liver: the published PLC-CECT has 25 such masks, the empty ones among them."""
VARIES: Final = 1.35
"""Breathing changes a CT liver volume by a few per cent; two outlines by ten."""


def check(case: CaseContext) -> Iterator[Finding]:
    usable: dict[str, MaskFacts] = {}
    for phase, volume in case.volumes.items():
        if volume.liver is not None and volume.liver.same_size and volume.liver.voxels:
            usable[phase.value] = volume.liver
    if len(usable) < 2:
        return
    trusted = all(v.grid is not None and not v.is_nominal for v in case.volumes.values())
    flagged = set()
    for name, mask in usable.items():
        others = [other for key, other in usable.items() if key != name]
        if trusted:
            share = _ml(mask) / median(_ml(other) for other in others)
            what = "the volume"
        else:
            section = mask.areas.max() / median(float(other.areas.max()) for other in others)
            cover = mask.covered / median(other.covered for other in others)
            share, what = (section, "the largest cross-section") if section < cover else (cover, "the slices")
        if share < SMALL and not (trusted and mask.is_cut):
            flagged.add(name)
            message = f"{share:.0%} of {what} of its siblings"
            yield Finding.of("liver-mask-small", f"{case.case}/{name}/liver", message)
    rest = {name: mask for name, mask in usable.items() if name not in flagged and not mask.is_cut}
    if trusted and len(rest) > 1:
        low, high = min(rest.values(), key=_ml), max(rest.values(), key=_ml)
        if _ml(high) > VARIES * _ml(low):
            words = ", ".join(f"{name} {_ml(mask):.0f} ml" for name, mask in rest.items())
            yield Finding.of("liver-volume-varies", case.case, words)


def _ml(mask: MaskFacts) -> float:
    return mask.volume_ml or 0.0  # 0 only where the grid is not usable, and then volumes are not compared
