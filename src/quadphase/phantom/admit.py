"""One patient into the hospital: render the phases, write the export, the readings and the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quadphase.io.nifti import save_label_map, save_mask
from quadphase.model import Mask, Phase
from quadphase.phantom.anatomy import RenderedPhase, render_phase
from quadphase.phantom.clutter import write_dose_report, write_localizer, write_reformat
from quadphase.phantom.dicom import write_series
from quadphase.phantom.fields import rng_of
from quadphase.phantom.readers import adjudicate, draw
from quadphase.phantom.roster import Admission

__all__ = ["Job", "admit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What it takes to admit a patient.

    Parameters
    ----------
    number : int
        Of the patient, from 0.
    admission : Admission
    out : Path
        Root of the hospital.
    seed : int
        Of the hospital.
    shape, spacing_mm : tuple
        Voxels along I, J, K and their size.
    """

    number: int
    admission: Admission
    out: Path
    seed: int
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]


def admit(job: Job) -> dict[str, Any]:
    """Render and write one patient; returns the truth about it."""
    n, admission, out, spacing = job.number, job.admission, job.out, job.spacing_mm
    rng = rng_of(job.seed, "files", n)
    folder = out / "pacs" / _folder_name(admission, n)
    truth: dict[str, Any] = {
        "patient_id": admission.patient_id,
        "eligible": admission.eligible,
        "reasons": list(admission.reasons),
        "diagnosis": admission.spec.diagnosis.value if admission.eligible else None,
        "study_instance_uid": admission.exam.study_uid,
        "scanner": admission.spec.scanner.value,
        "liver_state": admission.spec.liver_state.value,
        "phases": {},
    }
    for phase in admission.phases:
        rendered = render_phase(
            admission.spec, phase, shape=_phase_shape(admission, phase, job.shape), spacing_mm=spacing
        )
        order = rng.permutation(rendered.volume.grid.shape[2]).tolist()
        tags = admission.exam.tags(phase)
        write_series(
            rendered.volume,
            folder / _series_folder(phase, n),
            exam=admission.exam,
            phase=phase,
            order=order,
            overrides={"SliceThickness": f"{spacing[2]:g}"},
            name=_names(n, phase),
        )
        truth["phases"][phase.value] = _phase_truth(rendered, tags)
        if not admission.eligible:
            continue
        if phase is Phase.P:
            write_localizer(admission.exam, rendered.volume, folder / "S0", "IM0")
            write_dose_report(admission.exam, folder / "S9", "dose")
        if phase is Phase.C2:
            write_reformat(admission.exam, rendered.volume, phase, folder / "S8", "mpr")
        _write_readings(out, admission, phase, rendered)
    return truth


def _phase_shape(admission: Admission, phase: Phase, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Technologists plan each phase anew: delayed scans are often a little shorter."""
    trim = int(rng_of(admission.spec.seed, "planning").integers(0, 3)) if phase is Phase.C3 else 0
    return (shape[0], shape[1], max(4, shape[2] - trim))


def _phase_truth(rendered: RenderedPhase, tags: dict[str, Any]) -> dict[str, Any]:
    grid, labels = rendered.volume.grid, rendered.lesions.labels
    inside = np.flatnonzero(rendered.liver.voxels.any(axis=(0, 1)))
    return {
        "series_instance_uid": tags["SeriesInstanceUID"],
        "acquisition_number": tags["AcquisitionNumber"],
        "shape": list(grid.shape),
        "affine": grid.affine.tolist(),
        "liver_ml": round(rendered.liver.volume_ml, 3),
        "liver_slices": [int(inside[0]), int(inside[-1]) + 1] if inside.size else None,
        "lesions_ml": {
            str(number): round(float((labels == number).sum()) * grid.voxel_volume_ml, 4)
            for number in range(1, int(labels.max(initial=0)) + 1)
        },
    }


def _write_readings(out: Path, admission: Admission, phase: Phase, rendered: RenderedPhase) -> None:
    name = f"{phase.value}.nii.gz"
    grid, lesions = rendered.volume.grid, rendered.lesions.labels
    truth = out / "truth" / admission.patient_id
    truth.mkdir(parents=True, exist_ok=True)
    save_mask(truth / f"{phase.value}_liver.nii.gz", rendered.liver, threads=1)
    save_label_map(truth / f"{phase.value}_lesions.nii.gz", rendered.lesions, threads=1)
    drawn = {}
    for reader, number in (("A", 1), ("B", 2)):
        seed = int(rng_of(admission.spec.seed, phase.value, number).integers(2**31))
        drawn[reader] = draw(lesions, seed, spacing_mm=grid.spacing_mm)
    folders = {f"readings/{reader}": mask for reader, mask in drawn.items()}
    folders["adjudicated"] = adjudicate(drawn["A"], drawn["B"], lesions)
    for where, mask in folders.items():
        folder = out / where / admission.patient_id
        folder.mkdir(parents=True, exist_ok=True)
        save_mask(folder / name, Mask(voxels=mask, grid=grid), threads=1)


def _folder_name(admission: Admission, n: int) -> str:
    """Exports are named after the patient, the accession or nothing in particular."""
    return (admission.patient_id, admission.exam.accession_number, f"DICOM/ST{n:06d}", f"{n:08X}")[n % 4]


def _series_folder(phase: Phase, n: int) -> str:
    return (f"S{phase.order + 2}", f"SE{phase.order + 2:06d}", ".", f"{0x10 * n + phase.order:04X}")[n % 4]


def _names(n: int, phase: Phase) -> Callable[[int], str]:
    stem = phase.order * 10_000
    styles: tuple[Callable[[int], str], ...] = (
        lambda k: f"IM{stem + k:06d}",
        lambda k: f"{stem + k:08d}.dcm",
        lambda k: f"I{stem + k}",
        lambda k: f"CT.{stem + k}.IMA",
    )
    return styles[n % 4]
