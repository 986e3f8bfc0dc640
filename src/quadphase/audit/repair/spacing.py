"""The table of true spacings: a row for each subject and phase (or subject), as `geometry.csv` or in other words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quadphase.errors import InputError
from quadphase.io.tables import load_numbered_table
from quadphase.model import Phase

__all__ = ["GivenGeometry", "load_spacings"]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "patient_id": ("patient_id", "patient", "subject", "case", "id"),
    "phase": ("phase", "stage"),
    "i": ("spacing_i_mm", "spacing_x_mm", "spacing_x", "pixel_spacing_mm", "pixel_spacing", "in_plane_mm", "x_mm", "x"),
    "j": ("spacing_j_mm", "spacing_y_mm", "spacing_y", "y_mm", "y"),
    "k": ("slice_spacing_mm", "spacing_k_mm", "spacing_z_mm", "spacing_z", "slice_spacing", "z_mm", "z"),
    "ox": ("origin_x_mm",),
    "oy": ("origin_y_mm",),
    "oz": ("origin_z_mm",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenGeometry:
    """What the table says of one image; None where it is silent.

    Parameters
    ----------
    spacing_mm : (float or None, float or None, float or None)
        Along columns, rows, slices.
    origin_mm : (float, float, float) or None
        RAS+ centre of the first voxel of the repaired volume, whose axes run to left, back, head.
    """

    spacing_mm: tuple[float | None, float | None, float | None]
    origin_mm: tuple[float, float, float] | None = None


def load_spacings(path: Path) -> dict[tuple[str, Phase | None], GivenGeometry]:
    """Read the table; key (subject, phase), phase None for a row that holds for all phases.

    Raises
    ------
    InputError
        As `load_table`, ``"empty-table"`` also without a row; ``"missing-column"``, ``"bad-cell"`` (not a positive
        number), ``"row-duplicated"``.
    """
    rows = load_numbered_table(path)
    if not rows:
        raise InputError("empty-table", f"{path} has no rows below its header", "Give a row for each image or subject")
    columns = {name.strip().lower(): name for name in rows[0][1]}
    found = {key: next((columns[n] for n in names if n in columns), None) for key, names in _NAMES.items()}
    if found["patient_id"] is None or (found["i"] is None and found["k"] is None):
        raise InputError(
            "missing-column",
            f"{path} needs patient_id and spacing_i_mm or slice_spacing_mm",
            "Columns: patient_id, phase, spacing_i_mm, spacing_j_mm, slice_spacing_mm",
        )
    given: dict[tuple[str, Phase | None], GivenGeometry] = {}
    for line, row in rows:
        name = row.get(found["phase"] or "", "")
        if name and name not in set(Phase):
            raise InputError("bad-cell", f"{path} line {line}: the phase is not one of P, C1, C2, C3", "Correct it")
        key = (row[found["patient_id"]], Phase(name) if name else None)
        if key in given:
            raise InputError("row-duplicated", f"{path} line {line}: a second row for that image", "Remove one")

        def number(axis: str, line: int = line, row: Mapping[str, str] = row) -> float | None:
            text = row.get(found[axis] or "", "")
            if text in ("", "NA"):
                return None
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not math.isfinite(value) or (axis in "ijk" and value <= 0):
                raise InputError("bad-cell", f"{path} line {line}: {found[axis]} is not a usable number", "Correct it")
            return value

        i = number("i")
        j = number("j")
        x, y, z = number("ox"), number("oy"), number("oz")
        given[key] = GivenGeometry(
            spacing_mm=(i, j if j is not None else i, number("k")),
            origin_mm=(x, y, z) if x is not None and y is not None and z is not None else None,
        )
    return given
