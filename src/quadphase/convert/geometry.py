"""The affine of a stack, and the proof that it puts every slice where DICOM says it is.

In-plane order stays as in DICOM: i is the column index (along a row), j the row index (down a column); k ascends along
the slice normal row × column. The three axes are therefore always right-handed, whatever the scanner's row and column
order: a stack whose normal points to the feet is stored from head to feet, not mirrored. The proof recomputes the four
corners of every slice from its own header and compares them with the affine; 0.01 mm is allowed. What cannot be proved
is refused by name and changed only when asked (`quadphase.convert.regrid`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.header import LARGEST_MM, SMALLEST_MM, SliceHeader
from quadphase.convert.splitting import SAME_PLACE_MM, positions_along
from quadphase.model import GEOMETRY_TOLERANCE_MM, Finding, Grid, Severity, lps_from_ras

__all__ = ["Geometry", "prove_geometry"]

ORTHOGONAL: Final = 1e-3
"""A stack whose direction leaves the slice normal by a smaller slope is not tilted: highdicom's perpendicularity."""
ROUNDING_MM: Final = 1e-6
"""Added to tolerances so that decimal positions on the limit are inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What the positions of a stack amount to.

    Parameters
    ----------
    grid : Grid or None
        Index to RAS; None where no affine holds within the tolerance.
    along_mm : (K,) ndarray
        Positions along the slice normal, ascending.
    spacing_mm : float
        Mean distance between neighbouring slices along the normal (from positions); the thickness of a single slice, 0
        where it has none.
    residual_mm : float
        Largest distance between a corner by the affine and by DICOM.
    findings : tuple of Finding
    """

    grid: Grid | None
    along_mm: NDArray[np.float64]
    spacing_mm: float
    residual_mm: float
    tilt_deg: float
    findings: tuple[Finding, ...] = ()


def affine_of(headers: Sequence[SliceHeader]) -> NDArray[np.float64]:
    """Index-to-RAS affine from the first slice's plane and the first and last positions, ``(4, 4)``."""
    plane = headers[0].plane
    first, last = np.array(plane.position_mm), np.array(headers[-1].plane.position_mm)
    lps = np.eye(4)
    lps[:3, 0] = np.array(plane.row_direction) * plane.column_spacing_mm
    lps[:3, 1] = np.array(plane.column_direction) * plane.row_spacing_mm
    if len(headers) > 1:
        lps[:3, 2] = (last - first) / (len(headers) - 1)
    else:
        lps[:3, 2] = plane.normal * thickness_mm(headers[0])
    lps[:3, 3] = first
    return lps_from_ras(lps)


def thickness_mm(header: SliceHeader) -> float:
    """Thickness of a slice where its header gives a believable one, else 0."""
    claimed = header.acquisition.slice_thickness_mm
    return claimed if claimed is not None and SMALLEST_MM < claimed < LARGEST_MM else 0.0


def corner_residual_mm(headers: Sequence[SliceHeader], affine: NDArray[np.float64]) -> float:
    """Largest distance between a corner pixel placed by the affine and placed by its own header."""
    plane = headers[0].plane
    i, j = plane.columns - 1, plane.rows - 1
    index = np.array([[0, 0], [i, 0], [0, j], [i, j]], dtype=np.float64)
    lps = lps_from_ras(affine)
    flat = index @ lps[:3, :2].T + lps[:3, 3]
    placed = flat[None] + np.arange(len(headers))[:, None, None] * lps[:3, 2]
    claimed = np.stack([h.plane.corners_mm() for h in headers])
    return float(np.linalg.norm(placed - claimed, axis=2).max())


def prove_geometry(
    headers: Sequence[SliceHeader], *, where: str, tolerance_mm: float = GEOMETRY_TOLERANCE_MM
) -> Geometry:
    """Affine of a stack whose slices ascend along the normal, proved or refused.

    Parameters
    ----------
    headers : sequence of SliceHeader
        At least one, ascending along the slice normal.
    where : str
        Location for findings, free of identity.
    tolerance_mm : float
        Largest allowed distance of a slice from its place on the grid.
    """
    along = positions_along(headers)
    n = len(headers)
    limit = tolerance_mm + ROUNDING_MM
    findings: list[Finding] = []
    places = np.array([h.plane.position_mm for h in headers])
    lateral = places - along[:, None] * headers[0].plane.normal
    steps = np.diff(along)
    spacing = float((along[-1] - along[0]) / (n - 1)) if n > 1 else thickness_mm(headers[0])
    tilt = 0.0
    if not spacing and n == 1:
        text = "a single slice without a thickness: nothing says how far apart slices would be"
        findings.append(Finding.of("no-thickness", where, text))
        return _geometry(None, along, spacing, float("inf"), tilt, findings)
    if n > 1 and steps.min() < SAME_PLACE_MM:
        count = int((steps < SAME_PLACE_MM).sum())
        findings.append(Finding.of("duplicate-positions", where, f"{count} of {n} slices lie where another one lies"))
        return _geometry(None, along, spacing, float("inf"), tilt, findings)
    if n > 1:
        findings += _spacing_findings(along, steps, spacing, where, limit)
        drift = lateral[-1] - lateral[0]
        slope = np.linalg.norm(drift) / (along[-1] - along[0])
        bend = lateral - (lateral[0] + np.outer((along - along[0]) / (along[-1] - along[0]), drift))
        tilt = float(np.degrees(np.arctan(slope)))
        if slope > ORTHOGONAL:
            findings.append(Finding.of("gantry-tilt", where, f"slices are stacked {tilt:.1f} degrees off their normal"))
        if (off := float(np.linalg.norm(bend, axis=1).max())) > limit:
            findings.append(
                Finding.of("shifted-slices", where, f"slices are shifted in their plane by up to {off:.2f} mm")
            )
    affine = affine_of(headers)
    residual = corner_residual_mm(headers, affine)
    if residual > limit and not any(f.severity is Severity.ERROR for f in findings):
        message = f"corners deviate by up to {residual:.3f} mm from any grid (allowed {tolerance_mm:g} mm)"
        findings.append(Finding.of("geometry-proof", where, message))
    findings += _claims(headers, spacing, tilt, where)
    return _geometry(
        Grid(_shape(headers), affine) if residual <= limit else None, along, spacing, residual, tilt, findings
    )


def _shape(headers: Sequence[SliceHeader]) -> tuple[int, int, int]:
    return (headers[0].plane.columns, headers[0].plane.rows, len(headers))


def _geometry(
    grid: Grid | None,
    along: NDArray[np.float64],
    spacing: float,
    residual: float,
    tilt: float,
    findings: Sequence[Finding],
) -> Geometry:
    return Geometry(
        grid=grid, along_mm=along, spacing_mm=spacing, residual_mm=residual, tilt_deg=tilt, findings=tuple(findings)
    )


def _spacing_findings(
    along: NDArray[np.float64], steps: NDArray[np.float64], spacing: float, where: str, limit: float
) -> list[Finding]:
    line = along[0] + np.arange(len(along)) * spacing
    off = np.abs(along - line)
    if off.max() <= limit:
        return []
    base = float(np.median(steps))
    multiples = np.rint(steps / base)
    # Rounded positions: each step may be off by the rounding of both of its ends.
    whole = np.abs(steps - multiples * base) <= np.maximum(2 * limit, limit * multiples)
    if whole.all() and multiples.min() >= 1 and multiples.max() >= 2:
        gaps = np.flatnonzero(multiples > 1)
        missing = int((multiples[gaps] - 1).sum())
        places = ", ".join(f"after k={g}" for g in gaps[:5]) + (" ..." if len(gaps) > 5 else "")
        return [Finding.of("missing-slices", where, f"{missing} slices of {base:.3f} mm are missing ({places})")]
    message = (
        f"distances between slices run from {steps.min():.3f} to {steps.max():.3f} mm; "
        f"a slice is up to {off.max():.2f} mm from its place on an even grid"
    )
    return [Finding.of("uneven-spacing", where, message)]


def _claims(headers: Sequence[SliceHeader], spacing: float, tilt: float, where: str) -> list[Finding]:
    """Header claims that positions contradict; positions win."""
    findings = []
    tilts = {abs(h.acquisition.gantry_tilt_deg or 0.0) for h in headers}
    if max(tilts) > 0.1 and tilt < 0.05 and len(headers) > 1:
        message = f"the header claims a gantry tilt of {max(tilts):g} degrees, the positions show none"
        findings.append(Finding.of("tilt-contradiction", where, message))
    thickness = headers[0].acquisition.slice_thickness_mm
    if thickness and len(headers) > 1 and abs(thickness - spacing) > 0.01 * thickness + ROUNDING_MM:
        message = f"slices are {spacing:.3f} mm apart by position and {thickness:g} mm thick by their header"
        findings.append(Finding.of("thickness-differs", where, message))
    if headers[0].plane.normal[2] < -0.5:
        findings.append(
            Finding.of("normal-to-feet", where, "rows and columns are ordered so that k runs from head to feet")
        )
    return findings
