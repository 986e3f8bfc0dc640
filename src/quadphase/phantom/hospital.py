"""Build a synthetic hospital on disk: a PACS export, a clinical table, two sealed-to-be readings, and the truth beside them.

::

    out/pacs/…                                      DICOM as a PACS exports it: odd names, clutter, derived series
    out/clinical.csv                                one row per patient, eligible or not
    out/readings/A|B/<PatientID>/<phase>.nii.gz     lesion masks of two readers
    out/adjudicated/<PatientID>/<phase>.nii.gz      what they settle on
    out/truth/hospital.json                         eligibility with reasons, series and their phases, lesions
    out/truth/<PatientID>/<phase>_liver.nii.gz      true liver; …_lesions.nii.gz true lesion numbers

Everything follows from the seed; no clock is read. Ineligible patients get tiny exams: they exist to be refused. Nothing here
is a real person.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.io.nifti import save_label_map, save_mask
from quadphase.model import Mask, Phase
from quadphase.phantom.anatomy import FIELD_OF_VIEW_MM, RenderedPhase, render_phase
from quadphase.phantom.clutter import write_dose_report, write_localizer, write_reformat, write_stray_files
from quadphase.phantom.dicom import write_series
from quadphase.phantom.fields import rng_of
from quadphase.phantom.readers import adjudicate, draw
from quadphase.phantom.roster import Admission, roster

__all__ = ["Hospital", "build_hospital"]

_COVERAGE_MM: Final = 235.0
"""Length of an upper abdominal scan: from above the dome to below the kidneys."""

_TINY: Final = ((64, 64, 6), (FIELD_OF_VIEW_MM / 64, FIELD_OF_VIEW_MM / 64, 30.0))
"""Shape and spacing of the exams of ineligible patients."""

COLUMNS: Final = (
    "patient_id", "name", "sex", "birth_date", "diagnosis_date", "morphology_code", "pathology_confirmed", "surgery_date",
    "prior_treatment", "icd10", "accession_number", "group",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hospital:
    """Where a hospital's parts are.

    Parameters
    ----------
    root, pacs, clinical_table, readings, adjudicated, truth : Path
    eligible, ineligible : tuple of str
        Patient ids in the order of the clinical table.
    """

    root: Path
    pacs: Path
    clinical_table: Path
    readings: Path
    adjudicated: Path
    truth: Path
    eligible: tuple[str, ...]
    ineligible: tuple[str, ...]


def build_hospital(
    out: Path,
    *,
    patients: int = 6,
    seed: int = 0,
    matrix: int = 256,
    slice_spacing_mm: float = 5.0,
    workers: int = 1,
    ineligible: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> Hospital:
    """Write a hospital.

    Parameters
    ----------
    out : Path
        Empty or missing folder.
    patients : int
        Eligible patients.
    seed : int
    matrix : int
        Columns and rows of the eligible patients' images; the field of view is 400 mm.
    slice_spacing_mm : float
    workers : int
        Processes; more do not change a byte of the result.
    ineligible : bool
        Whether to add one patient for each reason of the paper to exclude someone.
    progress : callable, optional
        Called with (patients done, patients in total, what was done).

    Raises
    ------
    InputError
        ``"folder-not-empty"``, ``"bad-phantom-size"``.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError("folder-not-empty", f"{out} is not empty", "Choose a new folder")
    if patients < 1 or matrix < 16 or not 0.4 <= slice_spacing_mm <= 40:
        raise InputError("bad-phantom-size", "A hospital needs a patient, a matrix of 16 or more and slices of 0.4 to 40 mm")
    admissions = [a for a in roster(patients, seed) if ineligible or a.eligible]
    slices = max(4, round(_COVERAGE_MM / slice_spacing_mm))
    pixel = FIELD_OF_VIEW_MM / matrix
    size = ((matrix, matrix, slices), (pixel, pixel, slice_spacing_mm))
    for part in ("pacs", "readings", "adjudicated", "truth"):
        (out / part).mkdir(parents=True, exist_ok=True)
    truths: list[dict[str, Any]] = [{}] * len(admissions)
    done = 0
    for n, truth in _map(admissions, out, seed, size, workers):
        truths[n], done = truth, done + 1
        if progress:
            progress(done, len(admissions), f"patient {n + 1}")
    write_stray_files(out / "pacs")
    _write_tables(out, admissions, truths, seed)
    return Hospital(
        root=out,
        pacs=out / "pacs",
        clinical_table=out / "clinical.csv",
        readings=out / "readings",
        adjudicated=out / "adjudicated",
        truth=out / "truth",
        eligible=tuple(a.patient_id for a in admissions if a.eligible),
        ineligible=tuple(a.patient_id for a in admissions if not a.eligible),
    )


type_size = tuple[tuple[int, int, int], tuple[float, float, float]]


def _map(
    admissions: list[Admission], out: Path, seed: int, size: type_size, workers: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    jobs = [(n, a, out, seed, size if a.eligible else _TINY) for n, a in enumerate(admissions)]
    if workers <= 1:
        yield from map(_admit, jobs)
        return
    executor: Executor
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        yield from executor.map(_admit, jobs)


def _admit(job: tuple[int, Admission, Path, int, type_size]) -> tuple[int, dict[str, Any]]:
    """Render and write one patient; returns the truth about it."""
    n, admission, out, seed, (shape, spacing) = job
    rng = rng_of(seed, "files", n)
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
        rendered = render_phase(admission.spec, phase, shape=_phase_shape(admission, phase, shape), spacing_mm=spacing)
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
        _write_readings(out, admission, phase, rendered, n)
    return n, truth


def _phase_shape(admission: Admission, phase: Phase, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Technologists plan each phase anew: delayed scans are often a little shorter."""
    trim = int(rng_of(admission.spec.seed, "planning").integers(0, 3)) if phase is Phase.C3 else 0
    return (shape[0], shape[1], max(4, shape[2] - trim))


def _phase_truth(rendered: RenderedPhase, tags: dict[str, Any]) -> dict[str, Any]:
    grid, labels = rendered.volume.grid, rendered.lesions.labels
    inside = rendered.liver.voxels.any(axis=(0, 1)).nonzero()[0]
    return {
        "series_instance_uid": tags["SeriesInstanceUID"],
        "shape": list(grid.shape),
        "affine": grid.affine.tolist(),
        "liver_ml": round(rendered.liver.volume_ml, 3),
        "liver_slices": [int(inside[0]), int(inside[-1]) + 1] if inside.size else None,
        "lesions_ml": {
            str(number): round(float((labels == number).sum()) * grid.voxel_volume_ml, 4)
            for number in range(1, int(labels.max(initial=0)) + 1)
        },
    }


def _write_readings(out: Path, admission: Admission, phase: Phase, rendered: RenderedPhase, n: int) -> None:
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


def _write_tables(out: Path, admissions: list[Admission], truths: list[dict[str, Any]], seed: int) -> None:
    order = rng_of(seed, "table").permutation(len(admissions))
    with (out / "clinical.csv").open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(admissions[n].row() for n in order)
    text = json.dumps({"seed": seed, "patients": truths}, ensure_ascii=False, indent=1, sort_keys=True)
    (out / "truth" / "hospital.json").write_text(text + "\n", "utf-8")
