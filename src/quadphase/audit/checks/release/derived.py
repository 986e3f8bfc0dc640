"""Reading the derived tables and other files of a release, and comparing stated with measured numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.errors import InputError
from quadphase.io.hashing import sha256_of
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME, GeometryRow, LesionRow, load_geometry, load_lesions

__all__ = ["differs", "digest_of", "stated_geometry", "stated_lesions"]

ABSOLUTE: Final = 1e-3
RELATIVE: Final = 1e-6
"""Tables are rounded to four decimals; NIfTI keeps its affine in float32 (relative 6e-8, three factors a volume)."""


def differs(stated: float | None, measured: float | None) -> bool:
    """Whether two numbers are not the same within rounding; None (NA) equals only None."""
    if stated is None or measured is None:
        return stated is not measured
    return not math.isclose(stated, measured, abs_tol=ABSOLUTE, rel_tol=RELATIVE)


def digest_of(context: ReleaseContext, path: str) -> str | None:
    """SHA-256 of a file of the release; None where it may not be read, which the check of the files says."""
    try:
        return sha256_of(context.root / path)
    except OSError:
        return None


def stated_geometry(context: ReleaseContext) -> tuple[Mapping[str, GeometryRow], str | None]:
    """Rows of `geometry.csv` by location, and why it cannot be read, if so; empty where there is none."""
    if GEOMETRY_NAME not in context.files:
        return {}, None
    try:
        rows = load_geometry(context.root / GEOMETRY_NAME)
    except InputError as error:
        return {}, _relative(error, context)
    stated = {f"{row.patient_id}/{row.phase}": row for row in rows}
    if len(stated) < len(rows):
        return {}, f"rows for an image that another row names: {len(rows) - len(stated)}"
    return stated, None


def stated_lesions(context: ReleaseContext) -> tuple[Mapping[str, list[LesionRow]], str | None]:
    """Rows of `lesions.csv` by location, in the table's order."""
    if LESIONS_NAME not in context.files:
        return {}, None
    try:
        rows = load_lesions(context.root / LESIONS_NAME)
    except InputError as error:
        return {}, _relative(error, context)
    by_location: dict[str, list[LesionRow]] = {}
    for row in rows:
        by_location.setdefault(f"{row.patient_id}/{row.phase}", []).append(row)
    return by_location, None


def _relative(error: InputError, context: ReleaseContext) -> str:
    return error.message.replace(str(context.root) + "/", "")
