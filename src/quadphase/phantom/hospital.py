"""Build a synthetic hospital on disk: a PACS export, a clinical table, two sealed-to-be readings, and the truth beside
them.

::

    out/pacs/…                                      DICOM as a PACS exports it: odd names, clutter, derived series
    out/clinical.csv                                one row per patient, eligible or not
    out/readings/A|B/<PatientID>/<phase>.nii.gz     lesion masks of two readers
    out/adjudicated/<PatientID>/<phase>.nii.gz      what they settle on
    out/truth/hospital.json                         eligibility with reasons, series and their phases, lesions
    out/truth/<PatientID>/<phase>_liver.nii.gz      true liver; …_lesions.nii.gz true lesion numbers

Everything follows from the seed; no clock is read. Ineligible patients get tiny exams: they exist to be refused.
Nothing here is a real person.
"""

from __future__ import annotations

import csv
import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.model.progress import Progress
from quadphase.phantom.admit import Job, admit
from quadphase.phantom.anatomy import FIELD_OF_VIEW_MM
from quadphase.phantom.clutter import write_stray_files
from quadphase.phantom.fields import rng_of
from quadphase.phantom.roster import Admission, roster
from quadphase.processes import WorkerPool

__all__ = ["Hospital", "build_hospital"]

_COVERAGE_MM: Final = 235.0
"""Length of an upper abdominal scan: from above the dome to below the kidneys."""

_TINY_MATRIX: Final = 48
"""Columns and rows of the exams of ineligible patients."""

_TINY_SLICES: Final = 6

_SEEN_IN_IMAGES: Final = ("ct-too-early", "missing-delayed-phase")
"""Reasons that only the exam shows: these exams have enough slices to be converted."""

COLUMNS: Final = (
    "patient_id",
    "name",
    "sex",
    "birth_date",
    "diagnosis_date",
    "morphology_code",
    "pathology_confirmed",
    "surgery_date",
    "prior_treatment",
    "icd10",
    "accession_number",
    "group",
)
"""Columns of the clinical table."""


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
    progress: Progress | None = None,
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
        raise InputError(
            "bad-phantom-size", "A hospital needs a patient, a matrix of 16 or more and slices of 0.4 to 40 mm"
        )
    admissions = [a for a in roster(patients, seed) if ineligible or a.eligible]
    for part in ("pacs", "readings", "adjudicated", "truth"):
        (out / part).mkdir(parents=True, exist_ok=True)
    jobs = [
        Job(
            number=n,
            admission=a,
            out=out,
            seed=seed,
            **_size(a, matrix, slice_spacing_mm),
        )
        for n, a in enumerate(admissions)
    ]
    truths: list[dict[str, Any]] = []
    with WorkerPool(workers) if workers > 1 else nullcontext() as pool:
        for truth in map(admit, jobs) if pool is None else pool.map(admit, jobs):
            truths.append(truth)
            if progress:
                progress(len(truths), len(jobs), f"patient {len(truths)}")
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


def _size(admission: Admission, matrix: int, slice_spacing_mm: float) -> dict[str, Any]:
    """Shape and spacing of a patient's exam."""
    if not admission.eligible:
        matrix = _TINY_MATRIX
        slices = 2 * _TINY_SLICES if admission.reasons[0] in _SEEN_IN_IMAGES else _TINY_SLICES
        slice_spacing_mm = _COVERAGE_MM / slices
    slices = max(4, round(_COVERAGE_MM / slice_spacing_mm))
    pixel = FIELD_OF_VIEW_MM / matrix
    return {"shape": (matrix, matrix, slices), "spacing_mm": (pixel, pixel, round(slice_spacing_mm, 3))}


def _write_tables(out: Path, admissions: list[Admission], truths: list[dict[str, Any]], seed: int) -> None:
    order = rng_of(seed, "table").permutation(len(admissions))
    with (out / "clinical.csv").open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(admissions[n].row() for n in order)
    text = json.dumps({"seed": seed, "patients": truths}, ensure_ascii=False, indent=1, sort_keys=True)
    (out / "truth" / "hospital.json").write_text(text + "\n", "utf-8")
