"""Resampling that someone asked for: straighten a tilted stack, even out its spacing, fill single gaps.

Nothing here runs unless the protocol (or a command line option) says so; each change has a text that the record, the
findings and the NIfTI description repeat. Interpolation is linear: between neighbouring slices along the normal, and
within the plane where a tilt is undone. Voxels that no slice covers get air.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.geometry import Geometry
from quadphase.convert.header import SliceHeader
from quadphase.model import Grid, lps_from_ras
from quadphase.model.protocol.sections import ConvertSection

__all__ = ["Change", "plan", "regrid"]

AIR_HU: Final = -1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resampling: its kind, the finding it answers, and what people read about it."""

    kind: str
    answers: str
    text: str


def plan(
    headers: Sequence[SliceHeader], geometry: Geometry, settings: ConvertSection
) -> tuple[tuple[Change, ...], Grid | None]:
    """Changes the settings allow and the stack needs, and the grid they lead to; none where any fault stays."""
    codes = {f.code for f in geometry.findings}
    faults = codes & {
        "gantry-tilt",
        "missing-slices",
        "uneven-spacing",
        "shifted-slices",
        "duplicate-positions",
        "geometry-proof",
    }
    changes: list[Change] = []
    spacing = geometry.spacing_mm
    if "gantry-tilt" in faults and settings.deskew:
        changes.append(
            Change(kind="deskew", answers="gantry-tilt", text=f"deskewed by {geometry.tilt_deg:.2f} degrees")
        )
    if settings.resample_mm is not None and (faults - {"gantry-tilt"} or abs(settings.resample_mm - spacing) > 1e-6):
        fault = "missing-slices" if "missing-slices" in faults else "uneven-spacing"
        changes.append(
            Change(kind="resample", answers=fault, text=f"resampled to {settings.resample_mm:g} mm along the normal")
        )
        spacing = settings.resample_mm
    elif "missing-slices" in faults and settings.fill_gaps:
        spacing = float(np.median(np.diff(geometry.along_mm)))
        if np.diff(geometry.along_mm).max() > 2.5 * spacing:
            return (), None  # two slices in a row: between their neighbours nothing is known
        n = round((geometry.along_mm[-1] - geometry.along_mm[0]) / spacing) + 1 - len(headers)
        changes.append(Change(kind="fill", answers="missing-slices", text=f"{n} missing slices interpolated"))
    if not changes or faults - {change.answers for change in changes}:
        return (), None
    extent = float(geometry.along_mm[-1] - geometry.along_mm[0])
    count = int(np.floor(extent / spacing + 1e-6)) + 1
    return tuple(changes), _grid(headers, geometry, spacing, count, straight="deskew" in {c.kind for c in changes})


def _grid(headers: Sequence[SliceHeader], geometry: Geometry, spacing: float, count: int, *, straight: bool) -> Grid:
    plane = headers[0].plane
    first, last = np.array(plane.position_mm), np.array(headers[-1].plane.position_mm)
    along = plane.normal if straight else (last - first) / (geometry.along_mm[-1] - geometry.along_mm[0])
    lps = np.eye(4)
    lps[:3, 0] = np.array(plane.row_direction) * plane.column_spacing_mm
    lps[:3, 1] = np.array(plane.column_direction) * plane.row_spacing_mm
    lps[:3, 2] = along * spacing
    lps[:3, 3] = first
    return Grid((plane.columns, plane.rows, count), lps_from_ras(lps))


def regrid(hu: NDArray[Any], headers: Sequence[SliceHeader], geometry: Geometry, *, grid: Grid) -> NDArray[Any]:
    """Voxels of the source slices, ``(I, J, K)``, on `grid`; linear, air outside; the dtype is kept."""
    out = np.empty(grid.shape, dtype=hu.dtype, order="F")
    normal = headers[0].plane.normal
    start = lps_from_ras(grid.affine)
    targets = geometry.along_mm[0] + np.arange(grid.shape[2]) * float(start[:3, 2] @ normal)
    for k, target in enumerate(targets):
        above = int(np.clip(np.searchsorted(geometry.along_mm, target - 1e-6), 0, len(headers) - 1))
        below = above if above == 0 or abs(geometry.along_mm[above] - target) < 1e-4 else above - 1
        wanted = start[:3, 3] + k * start[:3, 2]
        upper = _moved(hu[:, :, above], headers[above], wanted)
        if below == above:
            blended = upper
        else:
            gap = geometry.along_mm[above] - geometry.along_mm[below]
            weight = (target - geometry.along_mm[below]) / gap
            blended = (1 - weight) * _moved(hu[:, :, below], headers[below], wanted) + weight * upper
        out[:, :, k] = np.rint(blended) if hu.dtype.kind == "i" else blended
    return out


def _moved(plane_hu: NDArray[Any], header: SliceHeader, wanted: NDArray[np.float64]) -> NDArray[Any]:
    """A slice ``(I, J)`` sampled where its first pixel would lie at `wanted` (within its own plane)."""
    plane = header.plane
    offset = wanted - np.array(plane.position_mm)
    di = float(offset @ np.array(plane.row_direction)) / plane.column_spacing_mm
    dj = float(offset @ np.array(plane.column_direction)) / plane.row_spacing_mm
    if abs(di) < 1e-4 and abs(dj) < 1e-4:
        return plane_hu
    return _shifted(_shifted(plane_hu.astype(np.float32), di, axis=0), dj, axis=1)


def _shifted(values: NDArray[np.float32], by: float, *, axis: int) -> NDArray[np.float32]:
    """``values[x + by]`` along one axis, linear, air outside."""
    n = values.shape[axis]
    x = np.arange(n) + by
    low = np.floor(x).astype(int)
    weight = (x - low).astype(np.float32)
    shape = (-1, 1) if axis == 0 else (1, -1)
    inside = ((x >= -1e-4) & (x <= n - 1 + 1e-4)).reshape(shape)
    a = np.take(values, np.clip(low, 0, n - 1), axis=axis)
    b = np.take(values, np.clip(low + 1, 0, n - 1), axis=axis)
    mixed = a + weight.reshape(shape) * (b - a)
    return np.where(inside, mixed, np.float32(AIR_HU))
