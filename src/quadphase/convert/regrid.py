"""Resampling that someone asked for: straighten a tilted stack, even out its spacing, fill single gaps.

Nothing here runs unless the protocol (or a command line option) says so; each change has a text that the record, the
findings and the NIfTI description repeat. Interpolation is linear: between neighbouring slices along the normal, and
within the plane where a tilt is undone. A straightened stack is as wide as all its slices together; voxels that no
slice covers get air.
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
WHOLE: Final = 1e-4
"""Pixels, or millimetres along the normal: closer to a pixel or a slice than this is on it (decimal headers)."""


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
    low = high = np.zeros(2, dtype=int)
    if straight:
        # A tilt moves each slice within its plane: the grid holds all of them, so that no tissue is cut away.
        moved = np.array([_offset(header, first) for header in headers])
        low, high = _nearest(moved.min(axis=0)), _nearest(moved.max(axis=0))
    lps = np.eye(4)
    lps[:3, 0] = np.array(plane.row_direction) * plane.column_spacing_mm
    lps[:3, 1] = np.array(plane.column_direction) * plane.row_spacing_mm
    lps[:3, 2] = along * spacing
    lps[:3, 3] = first + lps[:3, 0] * low[0] + lps[:3, 1] * low[1]
    i, j = (high - low).tolist()
    return Grid((plane.columns + i, plane.rows + j, count), lps_from_ras(lps))


def regrid(hu: NDArray[Any], headers: Sequence[SliceHeader], geometry: Geometry, *, grid: Grid) -> NDArray[Any]:
    """Voxels of the source slices, ``(I, J, K)``, on `grid`; linear, air where no slice covers; the dtype is kept.

    Where only one of the two slices around a voxel covers it, as at the edge of a tilted stack, that one counts alone:
    air outside the other is not mixed in.
    """
    out = np.full(grid.shape, AIR_HU, dtype=hu.dtype, order="F")
    normal = headers[0].plane.normal
    start = lps_from_ras(grid.affine)
    targets = geometry.along_mm[0] + np.arange(grid.shape[2]) * float(start[:3, 2] @ normal)
    for k, target in enumerate(targets):
        total = np.zeros(grid.shape[:2], dtype=np.float32)
        weights = np.zeros(grid.shape[:2], dtype=np.float32)
        for source, weight in _around(geometry.along_mm, float(target)):
            box, values = _moved(hu[:, :, source], headers[source], start[:3, 3] + k * start[:3, 2], grid.shape[:2])
            total[box] += np.float32(weight) * values
            weights[box] += np.float32(weight)
        seen = weights > 0
        mixed = total[seen] / weights[seen]
        out[:, :, k][seen] = np.rint(mixed) if hu.dtype.kind == "i" else mixed
    return out


def _around(along: NDArray[np.float64], target: float) -> list[tuple[int, float]]:
    """Slices at or on both sides of a position along the normal, with their weights."""
    above = int(np.clip(np.searchsorted(along, target - 1e-6), 0, len(along) - 1))
    if above == 0 or abs(along[above] - target) < WHOLE:
        return [(above, 1.0)]
    weight = float((target - along[above - 1]) / (along[above] - along[above - 1]))
    return [(above - 1, 1 - weight), (above, weight)]


def _offset(header: SliceHeader, place: NDArray[np.float64]) -> tuple[float, float]:
    """How many pixels a slice's first pixel lies from `place`, along its rows and down its columns."""
    plane = header.plane
    away = np.array(plane.position_mm) - place
    return (
        float(away @ np.array(plane.row_direction)) / plane.column_spacing_mm,
        float(away @ np.array(plane.column_direction)) / plane.row_spacing_mm,
    )


def _nearest(pixels: NDArray[np.float64]) -> NDArray[np.int_]:
    return np.floor(pixels + 0.5).astype(int)


def _moved(
    plane_hu: NDArray[Any], header: SliceHeader, place: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """What a slice ``(I, J)`` covers of a plane of `shape` whose first pixel lies at `place`, and its values there."""
    moved = plane_hu.astype(np.float32)
    box = []
    by = np.array(_offset(header, place))
    for axis, start in enumerate(_nearest(by)):
        # Pixel t of the plane lies at t - by of the slice, which covers as many pixels as it has.
        n = plane_hu.shape[axis]
        pixels = np.arange(max(0, start), min(shape[axis], start + n))
        x = np.clip(pixels - by[axis], 0, n - 1)
        low = np.floor(x + WHOLE).astype(int)
        part = np.where(x - low < WHOLE, 0, x - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        a = np.take(moved, low, axis=axis)
        moved = a + part * (np.take(moved, np.minimum(low + 1, n - 1), axis=axis) - a)
        box.append(slice(int(pixels[0]), int(pixels[-1]) + 1) if pixels.size else slice(0, 0))
    return (box[0], box[1]), moved
