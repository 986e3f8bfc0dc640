"""One case into a release: crop to the liver, window, write three files a phase, measure. The unit of parallel work.

The slice range is the liver's (from `liver.json`), widened where the lesion mask reaches further (a released lesion is
never cut), plus the protocol's margin. The released liver mask is the union of liver and lesions, because a
liver finder leaves out what does not look like liver; how many voxels that added is in `geometry.csv`. Everything
released is built new from voxels and grid; no header is copied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quadphase.errors import InputError, QuadphaseError
from quadphase.imaging.crop import slice_range
from quadphase.imaging.lesions import measure_lesions
from quadphase.imaging.window import window
from quadphase.io.nifti import load_mask, load_volume, save_mask, save_volume
from quadphase.io.release_tables import GeometryRow, LesionRow
from quadphase.io.study import Study
from quadphase.model import (
    Box,
    Diagnosis,
    Finding,
    LiverPhaseRecord,
    Mask,
    Phase,
    Sex,
    Volume,
    require_same_grid,
)
from quadphase.model.protocol.sections import WindowSection
from quadphase.release.rows import geometry_row, lesion_rows
from quadphase.release.source import PhaseSource, phase_sources

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
        sources = phase_sources(study, case, job.phases, is_cancer=job.subject.diagnosis.is_cancer)
        images = tuple(_release_phase(job, study, source, findings) for source in sources)
    except QuadphaseError as error:
        for phase in job.phases:
            for name in image_paths(case, phase):
                (job.out / name).unlink(missing_ok=True)
        return ReleasedCase(subject=job.subject, findings=tuple(findings), failure=(error.code, error.message))
    return ReleasedCase(subject=job.subject, images=images, findings=tuple(findings))


def _release_phase(job: ReleaseJob, study: Study, source: PhaseSource, findings: list[Finding]) -> ReleasedImage:
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
        geometry=geometry_row(
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
