"""`geometry.csv` and `lesions.csv` of a release: their rows as values, their columns from these fields, in and out.

Both rooms that touch them (`release` writes, `audit` derives again) take the columns from here, so a column cannot
drift. Numbers are rounded to 4 decimals (0.1 µm, 0.1 mm³): enough to check, and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from quadphase.errors import InputError
from quadphase.io.tables import NA, format_csv, load_numbered_table

__all__ = [
    "DECIMALS",
    "GEOMETRY_NAME",
    "LESIONS_NAME",
    "GeometryRow",
    "LesionRow",
    "format_rows",
    "load_geometry",
    "load_lesions",
]

GEOMETRY_NAME: Final = "geometry.csv"
LESIONS_NAME: Final = "lesions.csv"
DECIMALS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryRow:
    """One released CT volume. None is written as NA.

    Slices are 0-based and half-open in the *source* volume, so that the crop can be undone; `orientation` says towards
    where I, J and K run (``LPS``: left, posterior, superior). `window_*` are None when the full range is released.
    """

    patient_id: str
    phase: str
    voxels_i: int
    voxels_j: int
    voxels_k: int
    spacing_i_mm: float
    spacing_j_mm: float
    slice_spacing_mm: float
    orientation: str
    origin_x_mm: float
    origin_y_mm: float
    origin_z_mm: float
    source_slices: int | None
    first_slice: int | None
    stop_slice: int | None
    window_lower_hu: int | None
    window_upper_hu: int | None
    minimum_hu: float
    maximum_hu: float
    liver_volume_ml: float | None
    lesion_count: int | None
    lesion_volume_ml: float | None
    lesion_max_diameter_mm: float | None
    lesion_slices: int | None
    manufacturer: str | None
    model: str | None
    kernel: str | None
    kvp: float | None
    slice_thickness_mm: float | None
    seconds_after_first: float | None
    data_type: str | None = None
    liver_source: str | None = None
    liver_voxels_from_lesions: int | None = None
    range_source: str | None = None
    resampling: str | None = None
    """The last five are newer than the first releases; a table without them is read, and says nothing about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRow:
    """One lesion of one released mask.

    `lesion` is 1 for the largest. Slices are 0-based and half-open in the released volume.
    """

    patient_id: str
    phase: str
    lesion: int
    voxels: int
    volume_ml: float
    max_diameter_mm: float
    slices: int
    first_slice: int
    stop_slice: int
    centroid_x_mm: float
    centroid_y_mm: float
    centroid_z_mm: float


R = TypeVar("R", GeometryRow, LesionRow)


def format_rows(kind: type[R], rows: Iterable[R]) -> str:
    """CSV text with the fields of `kind` as columns."""

    def cell(value: object) -> object:
        if isinstance(value, float):
            rounded = round(value, DECIMALS)
            return rounded if rounded else 0.0  # never -0.0
        return value

    return format_csv([field.name for field in fields(kind)], ([cell(v) for v in astuple(row)] for row in rows))


def load_geometry(path: Path) -> tuple[GeometryRow, ...]:
    """Read `geometry.csv`; errors as `load_table`, and ``"missing-column"``, ``"bad-cell"``."""
    return _load(path, GeometryRow)


def load_lesions(path: Path) -> tuple[LesionRow, ...]:
    """Read `lesions.csv`; errors as `load_geometry`."""
    return _load(path, LesionRow)


def _load(path: Path, kind: type[R]) -> tuple[R, ...]:
    rows = load_numbered_table(path)
    columns = {field.name: str(field.type) for field in fields(kind)}
    if rows:
        newer = {field.name for field in fields(kind) if field.default is not MISSING}
        _, first = rows[0]
        columns = {name: text for name, text in columns.items() if name in first or name not in newer}
        absent = [name for name in columns if name not in first]
        if absent:
            raise InputError("missing-column", f"{path} has no column '{absent[0]}'", "Was it written by quadphase?")
    return tuple(kind(**_values(path, line, row, columns)) for line, row in rows)


def _values(path: Path, line: int, row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in columns.items():
        text = row[name]
        try:
            if text in ("", NA):
                if "None" not in kind:
                    raise ValueError
                values[name] = None
            else:
                values[name] = int(text) if kind.startswith("int") else float(text) if "float" in kind else text
        except ValueError:
            raise InputError("bad-cell", f"{path} line {line}: {name} is not a value of its kind", "") from None
    return values
