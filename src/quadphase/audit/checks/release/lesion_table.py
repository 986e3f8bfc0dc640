"""`lesions.csv`, derived again from the masks."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.checks.release.derived import differs, stated_lesions
from quadphase.audit.contexts import ReleaseContext
from quadphase.imaging.lesions import Lesion
from quadphase.io.release_tables import LESIONS_NAME, LesionRow
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    stated, problem = stated_lesions(context)
    if problem is not None:
        yield Finding.of("lesion-table-differs", LESIONS_NAME, problem)
        return
    if LESIONS_NAME not in context.files:
        return
    measured = {v.location: v.lesions.lesions for v in context.volumes if v.lesions is not None}
    for location in sorted(set(stated) - set(measured)):
        yield Finding.of("lesion-table-differs", location, f"rows: {len(stated[location])}, but there is no such mask")
    for location, lesions in measured.items():
        rows = stated.get(location, [])
        if len(rows) != len(lesions):
            yield Finding.of(
                "lesion-table-differs", location, f"rows: {len(rows)}, lesions in the mask: {len(lesions)}"
            )
            continue
        for row, lesion in zip(sorted(rows, key=lambda row: row.lesion), lesions, strict=True):
            wrong = _wrong(row, lesion)
            if wrong:
                message = f"lesion {row.lesion}: {', '.join(wrong)} not as measured"
                yield Finding.of("lesion-table-differs", location, message)


def _wrong(row: LesionRow, lesion: Lesion) -> list[str]:
    x, y, z = lesion.centroid_mm
    measured = {
        "lesion": lesion.number,
        "voxels": lesion.voxels,
        "volume_ml": lesion.volume_ml,
        "max_diameter_mm": lesion.max_diameter_mm,
        "slices": lesion.slices,
        "first_slice": lesion.first,
        "stop_slice": lesion.stop,
        "centroid_x_mm": x,
        "centroid_y_mm": y,
        "centroid_z_mm": z,
    }
    return [name for name, value in measured.items() if differs(float(getattr(row, name)), value)]
