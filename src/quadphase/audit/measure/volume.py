"""Read the image and the masks of one row, once, and keep what the checks need.

A file may hold anything. What is no volume of numbers is a finding; NaN and infinite voxels are counted and measured as
the lowest value; what nobody foresaw is a finding, too, so that one file never ends the audit of the others.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.audit.anchors import displaced
from quadphase.audit.facts import MaskFacts, Sketch, VolumeFacts
from quadphase.audit.failures import failure
from quadphase.audit.measure.anatomy import UNKNOWN, orientation_of
from quadphase.audit.measure.header import header_facts
from quadphase.audit.measure.histogram import border_of, intensity_of, profile_of, slice_histograms, slice_keys
from quadphase.audit.measure.sketch import sketch
from quadphase.errors import GeometryError, InputError
from quadphase.imaging.lesions import measure_lesions
from quadphase.io.hashing import sha256_of
from quadphase.io.nifti import NiftiFile, load_nifti
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Finding, Grid, Mask

__all__ = ["Measured", "location_of", "measure"]

FAR: Final = 1e30
"""Beyond any CT value and inside float32, in which pictures are made."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Outcome of one row: facts and sketch, or None where the image cannot be read, and what was found on the way."""

    facts: VolumeFacts | None
    sketch: Sketch | None
    findings: tuple[Finding, ...]


def location_of(row: ReleaseRow) -> str:
    """``P0137/C1``, or the line of the table where the row does not say."""
    return f"{row.subject or f'line {row.line}'}/{row.phase.value if row.phase else '?'}"


def _load(root: Path, relative: str, location: str, findings: list[Finding]) -> NiftiFile | None:
    """The file if it holds numbers on three or more axes; otherwise a finding."""
    try:
        file = load_nifti(root / relative)
        why = _unusable(file)
        if not why:
            return file
        findings.append(Finding.of("not-a-volume", location, f"{relative} holds {why}"))
    except InputError as error:
        if error.code == "missing-file":
            findings.append(Finding.of("file-missing", location, f"{relative} does not exist"))
        else:
            message = error.message.replace(str(root / relative), relative)
            findings.append(Finding.of("file-corrupt", location, message))
    except OSError as error:
        findings.append(Finding.of("file-corrupt", location, f"{relative} cannot be read: {error.strerror}"))
    return None


def _unusable(file: NiftiFile) -> str:
    """Why a file is no volume of numbers; empty if it is one."""
    stored = file.stored
    if stored.dtype.names:
        return f"colours ({', '.join(stored.dtype.names)}), not one number a voxel"
    if stored.dtype.kind not in "iuf":
        return f"{stored.dtype.name} voxels, not real numbers"
    if stored.ndim < 3:
        return f"{'×'.join(map(str, stored.shape))} voxels: {stored.ndim} axes, not three"
    return ""


def _finite(values: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Values without NaN and infinity (the lowest value instead) inside float32, and how many there were."""
    if values.dtype.kind != "f":
        return values, 0
    good = np.isfinite(values)
    lost = int(values.size - np.count_nonzero(good))
    if lost:
        values = np.where(good, values, values[good].min() if lost < values.size else 0)
    if values.dtype.itemsize > 4:
        values = np.clip(values, -FAR, FAR)
    return values, lost


def measure(
    root: Path,
    row: ReleaseRow,
    *,
    digests: bool = False,
    lesions: bool = False,
    window: tuple[float, float] | None = None,
) -> Measured:
    """Measure one row of a release; never raises for what is in its files.

    Parameters
    ----------
    root : Path
        Folder the paths of the row are relative to.
    row : ReleaseRow
    digests : bool
        Also hash every file.
    lesions : bool
        Also measure every lesion.
    window : (float, float), optional
        The window the release states for this image.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _measure(root, row, digests=digests, lesions=lesions, window=window)
    except Exception as error:  # a file may be damaged in ways nobody has seen yet
        return Measured(facts=None, sketch=None, findings=(failure("measure", location_of(row), error),))


def _measure(
    root: Path, row: ReleaseRow, *, digests: bool, lesions: bool, window: tuple[float, float] | None
) -> Measured:
    location = location_of(row)
    findings: list[Finding] = []
    file = _load(root, row.ct_path, location, findings) if row.ct_path else None
    if row.ct_path is None:
        findings.append(Finding.of("file-missing", location, "the table names no CT volume"))
    hashed = {}
    if digests:
        for relative in filter(None, (row.ct_path, row.mask_path, row.liver_mask_path)):
            with suppress(OSError):  # said where it is loaded
                hashed[relative] = sha256_of(root / relative)
    if file is None or row.ct_path is None:
        return Measured(facts=None, sketch=None, findings=tuple(findings))
    values, components, identical = _first_component(file)
    values, lost = _finite(values)
    grid = _grid(file, values.shape)
    first, counts = slice_histograms(values)
    whole = values.dtype.kind != "f" and values.dtype.itemsize <= 2
    limits = None if whole else (float(values.min()), float(values.max()))
    intensity = intensity_of(first, counts, limits=limits, border=border_of(values))
    voxel_ml = grid.voxel_volume_ml if grid else None

    liver, liver_mask = _mask(root, row.liver_mask_path, f"{location}/liver", values.shape, grid, voxel_ml, findings)
    lesion, lesion_mask = _mask(root, row.mask_path, f"{location}/lesion", values.shape, grid, voxel_ml, findings)
    outside = None
    if liver_mask is not None and lesion_mask is not None and lesion is not None and lesion.voxels:
        outside = float(np.count_nonzero(lesion_mask > liver_mask)) / lesion.voxels
    tissue = _tissue(values, liver_mask, lesion_mask, is_hu=intensity.minimum < -100 and not displaced(intensity))
    picture = sketch(values, grid, intensity, liver_mask, lesion_mask, stated=window) if grid else None
    measures = None
    if lesions and grid is not None and lesion_mask is not None:
        measures = measure_lesions(Mask(voxels=lesion_mask, grid=grid))
    facts = VolumeFacts(
        row=row,
        location=location,
        stored_shape=tuple(int(n) for n in file.stored.shape),
        dtype=str(file.stored.dtype.newbyteorder("=")),
        scaling=file.scaling,
        grid=grid,
        components=components,
        components_identical=identical,
        header=header_facts(root / row.ct_path, file),
        intensity=intensity,
        orientation=orientation_of(picture) if picture and not displaced(intensity) else UNKNOWN,
        slice_keys=slice_keys(first, counts),
        profile=profile_of(first, counts),
        liver=liver,
        lesion=lesion,
        liver_value=tissue[0],
        liver_spread=tissue[1],
        liver_odd=tissue[2],
        lesion_outside=outside,
        lesions=measures,
        digests=hashed,
        not_finite=lost,
        stated_window=window,
    )
    return Measured(facts=facts, sketch=picture, findings=tuple(findings))


def _first_component(file: NiftiFile) -> tuple[NDArray[Any], int, bool]:
    """Three-axis values, how many components the file has, and whether all are the same."""
    stored = file.values()
    extra = stored.reshape((*stored.shape[:3], -1), order="F")
    first = extra[..., 0]
    same = all(np.array_equal(first, extra[..., n]) for n in range(1, extra.shape[3]))
    return first, int(extra.shape[3]), same


def _grid(file: NiftiFile, shape: tuple[int, ...]) -> Grid | None:
    try:
        return Grid((shape[0], shape[1], shape[2]), file.affine)
    except GeometryError:
        return None


def _mask(
    root: Path,
    relative: str | None,
    location: str,
    shape: tuple[int, ...],
    grid: Grid | None,
    voxel_ml: float | None,
    findings: list[Finding],
) -> tuple[MaskFacts | None, NDArray[np.bool_] | None]:
    """Facts of a mask, and its voxels if it has the size of the image."""
    if relative is None:
        return None, None
    file = _load(root, relative, location, findings)
    if file is None:
        return None, None
    stored = file.values()
    voxels = stored[..., 0] if stored.ndim == 4 and stored.shape[3] == 1 else stored
    lost = 0
    if voxels.dtype.kind == "f":
        good = np.isfinite(voxels)
        lost = int(voxels.size - np.count_nonzero(good))
        voxels = np.where(good, voxels, 0) if lost else voxels
    same_size = voxels.shape == shape
    binary = _is_zero_one(voxels)
    mask = voxels.view(np.bool_) if binary else voxels != 0
    distance = None
    if same_size and grid is not None:
        own = _grid(file, shape)
        distance = float(np.linalg.norm(own.corners_mm() - grid.corners_mm(), axis=1).max()) if own else float("inf")
    areas = np.count_nonzero(mask, axis=(0, 1)) if mask.ndim == 3 else np.zeros(1, np.int32)
    facts = MaskFacts(
        path=relative,
        shape=tuple(int(n) for n in file.stored.shape),
        dtype=str(file.stored.dtype.newbyteorder("=")),
        same_size=same_size,
        distance_mm=distance,
        values=(0.0, 1.0) if binary else _distinct(voxels),
        voxels=int(np.count_nonzero(mask)),
        volume_ml=None if voxel_ml is None else float(np.count_nonzero(mask)) * voxel_ml,
        areas=np.asarray(areas, dtype=np.int32),
        header=header_facts(root / relative, file),
        not_finite=lost,
    )
    return facts, mask if same_size else None


def _is_zero_one(voxels: NDArray[Any]) -> bool:
    return voxels.dtype in (np.dtype(np.uint8), np.dtype(np.int8)) and int(voxels.max()) <= 1 and int(voxels.min()) >= 0


def _distinct(voxels: NDArray[Any]) -> tuple[float, ...]:
    """At most eight distinct values, ascending."""
    return tuple(float(v) for v in np.unique(voxels)[:8])


def _tissue(
    values: NDArray[Any],
    liver: NDArray[np.bool_] | None,
    lesion: NDArray[np.bool_] | None,
    *,
    is_hu: bool,
) -> tuple[float | None, float | None, float | None]:
    """Median and spread of the liver without lesions (every second column and row), and the share that is not liver."""
    if liver is None:
        return None, None, None
    # A median of some hundred thousand voxels needs no more of them.
    step = (slice(None, None, 2), slice(None, None, 2), slice(None, None, 1 + liver.shape[2] // 50))
    inside = liver[step]
    if lesion is not None:
        inside = inside & ~lesion[step]
    tissue = values[step][inside].astype(np.float32)
    if tissue.size < 100:
        return None, None, None
    median = float(np.median(tissue))
    spread = 1.4826 * float(np.median(np.abs(tissue - median)))
    odd: float | None = None
    if is_hu:  # fat and air below -50, calcification and bone far above the parenchyma
        odd = float(np.mean((tissue < -50) | (tissue > max(median + 120, 195))))
    return median, spread, odd
