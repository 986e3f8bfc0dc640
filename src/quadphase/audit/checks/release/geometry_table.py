"""`geometry.csv`, derived again from the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quadphase.audit.checks.release.derived import differs, stated_geometry
from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.io.release_tables import GEOMETRY_NAME
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    stated, problem = stated_geometry(context)
    if problem is not None:
        yield Finding.of("geometry-table-differs", GEOMETRY_NAME, problem)
        return
    if GEOMETRY_NAME not in context.files:
        return
    seen = {volume.location: volume for volume in context.volumes}
    for location in sorted(set(stated) - set(seen)):
        yield Finding.of("geometry-table-differs", location, "geometry.csv has a row, but there is no such volume")
    for location, volume in seen.items():
        row = stated.get(location)
        if row is None:
            yield Finding.of("geometry-table-differs", location, "geometry.csv has no row for this volume")
            continue
        wrong = [
            f"{name} {_shown(getattr(row, name))} but measured {_shown(value)}"
            for name, value in _measured(volume).items()
            if (getattr(row, name) != value if isinstance(value, str) else differs(getattr(row, name), value))
        ]
        if row.first_slice is not None and row.stop_slice is not None:
            kept = row.stop_slice - row.first_slice
            if row.source_slices is not None and not 0 <= row.first_slice < row.stop_slice <= row.source_slices:
                wrong.append(f"slices {row.first_slice}..{row.stop_slice} are none of {row.source_slices}")
            if kept != volume.stored_shape[2]:
                wrong.append(f"slices {row.first_slice}..{row.stop_slice} but the volume has {volume.stored_shape[2]}")
        if row.data_type is not None and row.data_type != volume.dtype:
            wrong.append(f"data_type {row.data_type} but measured {volume.dtype}")
        if wrong:
            yield Finding.of("geometry-table-differs", location, "; ".join(wrong))


def _measured(volume: VolumeFacts) -> Mapping[str, float | str | None]:
    """What the files say, by column."""
    values: dict[str, float | str | None] = {
        f"voxels_{axis}": n for axis, n in zip("ijk", volume.stored_shape, strict=False)
    }
    if volume.grid is not None:
        a, b, c = volume.grid.spacing_mm
        x, y, z = volume.grid.origin_mm
        values |= {"spacing_i_mm": a, "spacing_j_mm": b, "slice_spacing_mm": c}
        values |= {"origin_x_mm": x, "origin_y_mm": y, "origin_z_mm": z}
        values["orientation"] = "".join(volume.grid.axis_codes)
    values |= {"minimum_hu": volume.intensity.minimum, "maximum_hu": volume.intensity.maximum}
    values["liver_volume_ml"] = volume.liver.volume_ml if volume.liver else None
    found = volume.lesions
    if found is not None or volume.lesion is None:
        values["lesion_count"] = found.count if found else None
        values["lesion_volume_ml"] = found.volume_ml if found else None
        values["lesion_max_diameter_mm"] = found.max_diameter_mm if found else None
        values["lesion_slices"] = found.slices if found else None
    return values


def _shown(value: float | str | None) -> str:
    return "NA" if value is None else value if isinstance(value, str) else f"{value:.4f}".rstrip("0").rstrip(".")
