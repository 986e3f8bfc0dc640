"""Repair all phases of one subject: measure, decide together, write. The unit of parallel work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import MaskFacts, Sketch, VolumeFacts
from quadphase.audit.measure import measure
from quadphase.audit.repair.axes import AxisSigns, axis_signs, matches_of
from quadphase.audit.repair.geometry import SpacingChoice, choose_spacings, turned_grid
from quadphase.audit.repair.places import STORAGE, Place, choose_places
from quadphase.audit.repair.provenance import Assumption
from quadphase.audit.repair.spacing import GivenGeometry
from quadphase.audit.repair.values import ValueMap, value_map
from quadphase.imaging.reorient import reorient_array
from quadphase.io import atomic
from quadphase.io.nifti import load_nifti, save_mask, save_volume
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Mask, Phase, Volume

__all__ = ["RepairJob", "repair_case"]

INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairJob:
    """Rows of one subject, and what the user's table says of them."""

    root: Path
    out: Path
    case: str
    rows: tuple[ReleaseRow, ...]
    given: Mapping[Phase, GivenGeometry]
    estimate: bool


def repair_case(job: RepairJob) -> tuple[Assumption, ...]:
    """Write the subject's files under ``job.out``; what was done, assumed and left."""
    lines: list[Assumption] = []
    facts: dict[Phase, VolumeFacts] = {}
    sketches: dict[Phase, Sketch] = {}
    for row in job.rows:
        measured = measure(job.root, row)
        if measured.facts is None or row.phase is None or row.phase in facts:
            where = measured.facts.location if measured.facts else f"{job.case}/{row.phase.value if row.phase else '?'}"
            lines += _copy(job, row, where, "the image cannot be read or its row is not usable")
            continue
        facts[row.phase] = measured.facts
        if measured.sketch is not None:
            sketches[row.phase] = measured.sketch
    context = CaseContext(case=job.case, volumes={p: facts[p] for p in Phase if p in facts}, sketches=sketches)
    matches = matches_of(context)
    signs = axis_signs(context, matches)
    spacings = choose_spacings(context, job.given, matches, estimate=job.estimate)
    places = choose_places(context, job.given, signs, spacings, matches)
    for phase, volume in context.volumes.items():
        lines += _repair_volume(job, volume, signs.get(phase), spacings.get(phase), places.get(phase))
    return tuple(lines)


def _repair_volume(
    job: RepairJob, volume: VolumeFacts, signs: AxisSigns | None, spacing: SpacingChoice | None, place: Place | None
) -> list[Assumption]:
    row, where = volume.row, volume.location
    if volume.grid is None or signs is None or place is None:
        return _copy(job, row, where, "the header has no usable affine, and nothing else tells the geometry")
    if volume.components > 1 and not volume.components_identical:
        return _copy(job, row, where, f"{volume.components} different components: which one is meant is open")
    if volume.not_finite:
        return _copy(job, row, where, "voxels that are not finite: what they should be is open")
    if not INT16.min <= volume.intensity.minimum <= volume.intensity.maximum <= INT16.max:
        return _copy(job, row, where, "values outside the range of int16 are no HU")
    masks = [mask for _, mask in volume.masks()]
    refused = _masks_refused(volume, masks)
    if refused:
        return _copy(job, row, where, refused)
    stored = load_nifti(job.root / str(row.ct_path)).values()
    stored = stored.reshape((*stored.shape[:3], -1), order="F")[..., 0]
    mapping = value_map(stored, volume.intensity)
    lines: list[Assumption] = []
    if volume.components > 1 or len(volume.stored_shape) > 3:
        shape = "×".join(map(str, volume.stored_shape))
        after = "×".join(map(str, stored.shape))
        lines.append(_line(where, "repaired", "components", shape, after, "all components are identical"))
    lines += _orientation_lines(volume, signs)
    lines += _geometry_lines(volume, spacing, place)
    hu, value_lines = _values(where, stored, volume, mapping)
    lines += value_lines
    lines += _header_lines(volume)
    if not lines:
        return _copy(job, row, where, "")
    grid = turned_grid(volume.grid, signs, spacing.spacing_mm if spacing is not None else volume.grid.spacing_mm)
    image = np.asfortranarray(reorient_array(hu, grid, STORAGE))
    save_volume(job.out / str(row.ct_path), Volume(hu=image, grid=place.grid), threads=1)
    for mask in masks:
        voxels = load_nifti(job.root / mask.path).values().reshape(stored.shape, order="F") != 0
        turned = np.asfortranarray(reorient_array(voxels, grid, STORAGE))
        save_mask(job.out / mask.path, Mask(voxels=turned, grid=place.grid), threads=1)
    return lines


def _header_lines(volume: VolumeFacts) -> list[Assumption]:
    """One line a file, image or mask, whose header holds more than geometry: all of them are written new."""
    headers = [(volume.location, volume.header)]
    headers += [(f"{volume.location}/{name}", mask.header) for name, mask in volume.masks()]
    return [
        _line(where, "repaired", "header", "text, extension or gzip name", "built new", "geometry only")
        for where, header in headers
        if header.texts or header.extension_bytes or header.gzip
    ]


def _masks_refused(volume: VolumeFacts, masks: list[MaskFacts]) -> str:
    """Why the masks of a volume cannot follow it; empty if they can."""
    for mask in masks:
        if not mask.same_size:
            return f"{mask.path} has another size than the image"
        if (mask.distance_mm or 0.0) > 0.01 and not volume.is_nominal:
            return f"{mask.path} claims another place than the image: which is right is open"
        if mask.not_finite:
            return f"{mask.path} holds voxels that are not finite"
        if len(mask.values) > 2:
            return f"{mask.path} holds several labels"
    named = {mask.path for mask in masks}
    for path in (volume.row.mask_path, volume.row.liver_mask_path):
        if path is not None and path not in named:
            return f"{path} cannot be read"
    return ""


def _line(where: str, status: str, what: str, before: str, after: str, basis: str, doubt: str = "") -> Assumption:
    return Assumption(
        location=where, status=status, what=what, before=before, after=after, basis=basis, uncertainty=doubt
    )


def _orientation_lines(volume: VolumeFacts, signs: AxisSigns) -> list[Assumption]:
    assert volume.grid is not None  # noqa: S101 -- the caller checked
    lines = []
    if not signs.is_identity:
        turned = [n for n, s in (("x", signs.right), ("y", signs.front), ("z", signs.head)) if s < 0]
        before = "".join(volume.grid.axis_codes)
        done = ["rows and columns exchanged"] if signs.exchanged else []
        done += [f"world {', '.join(turned)} turned"] if turned else []
        after = f"{', '.join(done)}, stored {''.join(STORAGE)}"
        lines.append(_line(volume.location, "repaired", "orientation", before, after, signs.basis))
    elif volume.grid.axis_codes != STORAGE and volume.is_nominal:
        before, after = "".join(volume.grid.axis_codes), "".join(STORAGE)
        lines.append(_line(volume.location, "repaired", "orientation", before, after, "stored order only"))
    if signs.unknown and (lines or volume.is_nominal):
        axes = ", ".join(signs.unknown)
        lines.append(_line(volume.location, "left", "orientation", "", "", f"not shown by the image: {axes}"))
    return lines


def _geometry_lines(volume: VolumeFacts, spacing: SpacingChoice | None, place: Place) -> list[Assumption]:
    assert volume.grid is not None  # noqa: S101 -- the caller checked
    where, old, lines = volume.location, volume.grid, []
    if spacing is None:
        reason = "the table is silent, and --estimate was not given or nothing supports an estimate"
        lines.append(_line(where, "left", "spacing", _mm(old.spacing_mm), _mm(old.spacing_mm), reason, "unknown"))
    elif not np.allclose(spacing.spacing_mm, old.spacing_mm, rtol=1e-6):
        words = (_mm(old.spacing_mm), _mm(spacing.spacing_mm), spacing.basis, spacing.uncertainty)
        lines.append(_line(where, spacing.status, "spacing", *words))
    if place.status in ("repaired", "assumed"):
        # The origin after is that of the first voxel as it is then stored.
        words = (_mm(old.origin_mm), _mm(place.grid.origin_mm), place.basis, place.uncertainty)
        lines.append(_line(where, place.status, "origin", *words))
    return lines


def _values(
    where: str, stored: Any, volume: VolumeFacts, mapping: ValueMap | str | None
) -> tuple[Any, list[Assumption]]:
    limits = f"{volume.intensity.minimum:.0f}…{volume.intensity.maximum:.0f}"
    if isinstance(mapping, ValueMap):
        after = f"HU = {mapping.slope:.6g} × value {mapping.intercept:+.6g}"
        status = "repaired" if mapping.proved else "assumed"
        line = _line(where, status, "values", f"{volume.dtype} {limits}", after, mapping.basis, mapping.uncertainty)
        return mapping.apply(stored), [line]
    lines = []
    if isinstance(mapping, str):
        lines.append(_line(where, "left", "values", f"{volume.dtype} {limits}", "", mapping))
    if stored.dtype.kind == "f":
        whole = np.rint(stored)
        exact = np.array_equal(whole, stored)
        return (whole.astype(np.int16) if exact else stored.astype(np.float32)), lines
    return stored.astype(np.int16), lines


def _mm(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.5g}" for value in values)


def _copy(job: RepairJob, row: ReleaseRow, where: str, why: str) -> list[Assumption]:
    """Copy the row's files byte for byte; a line if there is a reason."""
    for path in (row.ct_path, row.mask_path, row.liver_mask_path):
        if path is not None and (job.root / path).is_file():
            atomic.write_bytes(job.out / path, (job.root / path).read_bytes())
    return [_line(where, "left", "file", "", "", why)] if why else []
