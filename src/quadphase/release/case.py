"""One case into a release: crop to the liver, window, write three files a phase, measure. The unit of parallel work.

The slice range is the liver's (from `liver.json`), widened where the lesion mask reaches further (a released lesion is
never cut), plus the protocol's margin. The released liver mask is the union of liver and lesions, because a
liver finder leaves out what does not look like liver; how many voxels that added is in `geometry.csv`. Everything
released is built new from voxels and grid; no header is copied.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quadphase.errors import InputError, QuadphaseError
from quadphase.imaging.crop import slice_range
from quadphase.imaging.lesions import LesionMeasures, measure_lesions
from quadphase.imaging.window import window
from quadphase.io.consensus import consensus_masks
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record
from quadphase.io.nifti import load_mask, load_volume, save_mask, save_volume
from quadphase.io.release_tables import GeometryRow, LesionRow
from quadphase.io.study import Study
from quadphase.model import (
    Box,
    CaseRecord,
    Diagnosis,
    Finding,
    LiverPhaseRecord,
    LiverRecord,
    Mask,
    Phase,
    PhaseRecord,
    Sex,
    Volume,
    require_same_grid,
)
from quadphase.model.protocol.sections import WindowSection
from quadphase.model.vocabulary.plain_code import plain_code

__all__ = ["ReleaseJob", "ReleaseSubject", "ReleasedCase", "ReleasedImage", "image_paths", "release_case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSubject:
    """What the ledger says about a case, without identity.

    Parameters
    ----------
    case : str
        Pseudonym.
    age : int or None
        Years at the exam.
    sex : Sex or None
    diagnosis : Diagnosis
    """

    case: str
    age: int | None
    sex: Sex | None
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseJob:
    """All a worker needs; picklable.

    Parameters
    ----------
    phases : tuple of Phase
        The phases to release, in order.
    out : Path
        Folder of the release under construction.
    """

    subject: ReleaseSubject
    study_root: Path
    out: Path
    phases: tuple[Phase, ...]
    margin_mm: float
    window: WindowSection


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedImage:
    """One phase as released. `mask_path` is None where there is no consensus mask."""

    phase: Phase
    ct_path: str
    mask_path: str | None
    liver_mask_path: str
    geometry: GeometryRow
    lesions: tuple[LesionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCase:
    """Result of one case. `failure` is set, and `images` empty, when the case could not be released."""

    subject: ReleaseSubject
    images: tuple[ReleasedImage, ...] = ()
    findings: tuple[Finding, ...] = ()
    failure: tuple[str, str] | None = None
    """(code, message), free of identity."""


def image_paths(case: str, phase: Phase) -> tuple[str, str, str]:
    """Names of CT, lesion mask and liver mask, as in the paper (Fig. 4)."""
    return (
        f"ct_files/{case}_ct_{phase.value}.nii.gz",
        f"mask_files/{case}_mask_{phase.value}.nii.gz",
        f"liver_mask_files/{case}-livermask_{phase.value}.nii.gz",
    )


def release_case(job: ReleaseJob) -> ReleasedCase:
    """Write the files of one case; on failure remove what was written and say why. Runs in a worker process."""
    case = job.subject.case
    study = Study(job.study_root)
    findings: list[Finding] = []
    try:
        record = load_record(study.case_record(case), CaseRecord)
        liver = load_record(study.liver_record(case), LiverRecord)
        lesions = _lesion_files(study, job.subject)
        first_s = _first_s(record, job.phases)
        images = []
        for phase in job.phases:
            if phase not in record.phases:
                raise InputError("phase-missing", f"{case} has no phase {phase.value}")
            if phase not in liver.phases:
                raise InputError("liver-missing", f"{case} has no liver mask of phase {phase.value}")
            _require_same_liver(study, liver, phase)
            source = _Source(
                record=record.phases[phase],
                liver=liver.phases[phase],
                liver_source=_liver_source(liver, phase),
                lesion_file=lesions.get(phase),
                first_s=first_s,
            )
            images.append(_release_phase(job, study, source, findings))
    except QuadphaseError as error:
        for phase in job.phases:
            for name in image_paths(case, phase):
                (job.out / name).unlink(missing_ok=True)
        return ReleasedCase(subject=job.subject, findings=tuple(findings), failure=(error.code, error.message))
    return ReleasedCase(subject=job.subject, images=tuple(images), findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What the study says about one phase."""

    record: PhaseRecord
    liver: LiverPhaseRecord
    liver_source: str | None
    lesion_file: Path | None
    first_s: float | None


def _lesion_files(study: Study, subject: ReleaseSubject) -> Mapping[Phase, Path]:
    """Consensus masks by phase; none of a control: its readers found nothing, or the case is to be looked at."""
    masks = consensus_masks(study, subject.case)
    if subject.diagnosis.is_cancer:
        return masks
    for phase, path in masks.items():
        if load_mask(path).voxels.any():
            raise InputError(
                "control-with-lesion",
                f"{subject.case} {phase.value}: the readers outlined a lesion in a control",
                "Correct the diagnosis or the mask",
            )
    return {}


def _first_s(record: CaseRecord, phases: tuple[Phase, ...]) -> float | None:
    """When the first *released* phase was scanned; an exam may have earlier ones that are not released."""
    times = [record.phases[phase].seconds_after_first for phase in phases if phase in record.phases]
    return min((time for time in times if time is not None), default=None)


def _liver_source(record: LiverRecord, phase: Phase) -> str | None:
    """Who made the liver mask of a phase: a backend, or ``person``. Never `LiverPhaseRecord.source`: it may be a name.

    None where the record has no step that says so.
    """
    if _has(record.phases[phase], "liver-mask-overridden"):
        return "person"
    backend = str(record.steps[-1].settings.get("backend", "")) if record.steps else ""
    return backend if re.fullmatch(r"[a-z]{1,20}", backend) else None


def _require_same_liver(study: Study, record: LiverRecord, phase: Phase) -> None:
    """Refuse a liver mask that is not the one `liver.json` describes, or was found in another image."""
    path, ct = study.liver(record.case, phase), study.ct(record.case, phase)
    found_in = {name: digest for step in record.steps for name, digest in step.inputs.items()}
    if not _is(ct, found_in.get(study.relative(ct))):
        raise InputError(
            "liver-outdated",
            f"{record.case} {phase}: the liver mask was found in another image than the one that is there now",
            "Run `quadphase localize` again",
        )
    digests = {name: digest for step in record.steps for name, digest in step.outputs.items()}
    if not _is(path, digests.get(study.relative(path))):
        raise InputError(
            "liver-changed",
            f"{record.case} {phase}: the liver mask is not what localize wrote",
            "Put your own mask under overrides/livers and run `quadphase localize` again",
        )


def _is(path: Path, stated: str | None) -> bool:
    """Whether a file is what a record states; one that states nothing, or a missing file, is refused elsewhere."""
    return stated is None or not path.is_file() or sha256_of(path) == stated


def _has(record: LiverPhaseRecord, code: str) -> bool:
    return any(finding.code == code for finding in record.findings)


def _release_phase(job: ReleaseJob, study: Study, source: _Source, findings: list[Finding]) -> ReleasedImage:
    case, record = job.subject.case, source.record
    phase = record.phase
    where = f"{case} {phase.value}"
    volume = load_volume(study.ct(case, phase))
    liver = load_mask(study.liver(case, phase))
    require_same_grid(volume.grid, liver.grid, what=f"CT and liver mask of {where}")
    lesions = load_mask(source.lesion_file) if source.lesion_file is not None else None
    if lesions is not None:
        require_same_grid(volume.grid, lesions.grid, what=f"CT and lesion mask of {where}")
    first, stop = _kept(volume, source.liver, lesions, margin_mm=job.margin_mm, where=where, findings=findings)
    box = Box.of_slices(volume.grid.shape, first, stop)
    kept = volume.crop(box)
    if job.window.enabled:
        kept = window(kept, lower_hu=job.window.lower_hu, upper_hu=job.window.upper_hu)
    liver, added = _with_lesions(liver.crop(box), lesions.crop(box) if lesions is not None else None)
    ct_path, mask_path, liver_path = image_paths(case, phase)
    save_volume(job.out / ct_path, kept, threads=1)
    save_mask(job.out / liver_path, liver, threads=1)
    measures = None
    if lesions is not None:
        lesions = lesions.crop(box)
        save_mask(job.out / mask_path, lesions, threads=1)
        measures = measure_lesions(lesions)
    return ReleasedImage(
        phase=phase,
        ct_path=ct_path,
        mask_path=mask_path if lesions is not None else None,
        liver_mask_path=liver_path,
        geometry=_geometry(
            case, source, kept, liver, measures, slices=(volume.grid.shape[2], first, stop), added=added
        ),
        lesions=lesion_rows(case, phase, measures) if measures is not None else (),
    )


def _with_lesions(liver: Mask, lesions: Mask | None) -> tuple[Mask, int | None]:
    """The liver with its lesions, and how many voxels they added; None without a lesion mask."""
    if lesions is None:
        return liver, None
    united = liver.voxels | lesions.voxels
    added = int(np.count_nonzero(united)) - int(np.count_nonzero(liver.voxels))
    return Mask(voxels=united, grid=liver.grid), added


def _kept(
    volume: Volume,
    liver: LiverPhaseRecord,
    lesions: Mask | None,
    *,
    margin_mm: float,
    where: str,
    findings: list[Finding],
) -> tuple[int, int]:
    depth = volume.grid.shape[2]
    if not 0 <= liver.first < liver.stop <= depth:
        raise InputError("bad-slice-range", f"The liver range of {where} does not fit its {depth} slices")
    # Whole slices only; a margin of less than one slice keeps none, never a part.
    margin = math.floor(margin_mm / volume.grid.spacing_mm[2] + 1e-6)
    first, stop = liver.first, liver.stop
    spanned = slice_range(lesions.voxels) if lesions is not None else None
    if spanned is not None and (spanned[0] < first or spanned[1] > stop):
        findings.append(
            Finding.of(
                "lesion-outside-liver-range",
                where,
                f"lesion on slices {spanned[0]}..{spanned[1] - 1}, liver on {liver.first}..{liver.stop - 1}",
            )
        )
        first, stop = min(first, spanned[0]), max(stop, spanned[1])
    return max(0, first - margin), min(depth, stop + margin)


def _geometry(
    case: str,
    source: _Source,
    volume: Volume,
    liver: Mask,
    lesions: LesionMeasures | None,
    *,
    slices: tuple[int, int, int],
    added: int | None,
) -> GeometryRow:
    record = source.record
    seconds = record.seconds_after_first
    i, j, k = volume.grid.shape
    si, sj, sk = volume.grid.spacing_mm
    x, y, z = volume.grid.origin_mm
    limits = volume.window_hu or (None, None)
    low, high = volume.hu.min(), volume.hu.max()
    number = float if volume.hu.dtype == np.float32 else int
    return GeometryRow(
        patient_id=case,
        phase=record.phase.value,
        voxels_i=i,
        voxels_j=j,
        voxels_k=k,
        spacing_i_mm=si,
        spacing_j_mm=sj,
        slice_spacing_mm=sk,
        orientation="".join(volume.grid.axis_codes),
        origin_x_mm=x,
        origin_y_mm=y,
        origin_z_mm=z,
        source_slices=slices[0],
        first_slice=slices[1],
        stop_slice=slices[2],
        window_lower_hu=limits[0],
        window_upper_hu=limits[1],
        minimum_hu=number(low),
        maximum_hu=number(high),
        liver_volume_ml=liver.volume_ml,
        lesion_count=None if lesions is None else lesions.count,
        lesion_volume_ml=None if lesions is None else lesions.volume_ml,
        lesion_max_diameter_mm=None if lesions is None else lesions.max_diameter_mm,
        lesion_slices=None if lesions is None else lesions.slices,
        manufacturer=_thing(record.manufacturer),
        model=_thing(record.model),
        kernel=_thing(record.kernel),
        kvp=record.kvp,
        slice_thickness_mm=record.slice_thickness_mm,
        seconds_after_first=None if seconds is None or source.first_s is None else round(seconds - source.first_s, 3),
        data_type=volume.hu.dtype.name,
        liver_source=source.liver_source,
        liver_voxels_from_lesions=added,
        range_source="person" if _has(source.liver, "liver-range-overridden") else "liver",
        resampling="; ".join(f.message for f in record.findings if f.code == "resampled") or None,
    )


def lesion_rows(case: str, phase: Phase, measures: LesionMeasures) -> tuple[LesionRow, ...]:
    """Rows of `lesions.csv` of one image."""
    return tuple(
        LesionRow(
            patient_id=case,
            phase=phase.value,
            lesion=lesion.number,
            voxels=lesion.voxels,
            volume_ml=lesion.volume_ml,
            max_diameter_mm=lesion.max_diameter_mm,
            slices=lesion.slices,
            first_slice=lesion.first,
            stop_slice=lesion.stop,
            centroid_x_mm=lesion.centroid_mm[0],
            centroid_y_mm=lesion.centroid_mm[1],
            centroid_z_mm=lesion.centroid_mm[2],
        )
        for lesion in measures.lesions
    )


def _thing(text: str | None) -> str | None:
    """What names a scanner or a kernel (``Br40d\\3`` are two values), and nothing that somebody typed beside it."""
    return "\\".join(map(plain_code, text.split("\\"))).strip("\\") or None if text else None
