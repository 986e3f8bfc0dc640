"""The slices a release kept: with liver, the stated margin in whole slices, and what a lesion needs (section 4.4).

The released liver mask includes its lesions, so at an end that a lesion reaches nothing more can be told than that no
slice too many was kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from quadphase.audit.checks.release.derived import stated_geometry
from quadphase.audit.checks.release.layout import is_ours
from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.io.release_tables import GeometryRow
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    margin_mm = context.description.get("margin_mm")
    if not is_ours(context) or not isinstance(margin_mm, int | float) or margin_mm < 0:
        return
    stated, _ = stated_geometry(context)
    for volume in context.volumes:
        row = stated.get(volume.location)
        wrong = _wrong(volume, row, float(margin_mm)) if row is not None else ""
        if wrong:
            yield Finding.of("contract-broken", volume.location, wrong)


def _wrong(volume: VolumeFacts, row: GeometryRow, margin_mm: float) -> str:
    liver, lesion = volume.liver, volume.lesion
    if row.range_source == "person":  # who sees the liver end elsewhere than the mask does may say so
        return ""
    if volume.grid is None or liver is None or not liver.same_size or not liver.voxels:
        return ""
    if row.first_slice is None or row.stop_slice is None or row.source_slices is None:
        return ""
    margin = math.floor(margin_mm / volume.grid.spacing_mm[2] + 1e-6)
    held = np.flatnonzero(liver.areas)
    drawn = np.flatnonzero(lesion.areas) if lesion is not None and lesion.same_size else held[:0]
    depth = liver.areas.size
    # Slices beyond the liver at each end, those its source had left over, and whether a lesion reaches the liver's end.
    ends = (
        ("before", int(held[0]), row.first_slice, drawn.size > 0 and drawn[0] <= held[0]),
        (
            "after",
            depth - 1 - int(held[-1]),
            row.source_slices - row.stop_slice,
            drawn.size > 0 and drawn[-1] >= held[-1],
        ),
    )
    for name, kept, left, by_lesion in ends:
        outermost = drawn.size > 0 and (drawn[0] == 0 if name == "before" else drawn[-1] == depth - 1)
        if kept > margin and not outermost:
            return f"slices {name} the liver: {kept}; a margin of {margin_mm:g} mm keeps {margin}"
        if kept < margin and left > 0 and not by_lesion:
            return (
                f"slices {name} the liver: {kept}; a margin of {margin_mm:g} mm keeps {margin}, {left} more were there"
            )
    return ""
