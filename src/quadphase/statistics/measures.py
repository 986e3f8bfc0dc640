"""What the images of a release measure: per image as stored, and per patient as one number for all phases.

A patient's value is the median over the phases that have one: it does not depend on how many phases exist, and one bad
mask of four cannot move it far. Nothing here turns a missing mask into 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from quadphase.errors import InputError
from quadphase.imaging.lesions import measure_lesions
from quadphase.io.release import Release, ReleasedPhase
from quadphase.io.release_tables import GEOMETRY_NAME, load_geometry
from quadphase.model import Phase
from quadphase.model.progress import Progress

__all__ = ["ImageMeasures", "PatientMeasures", "measure_image", "per_patient", "release_measures", "stored_measures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMeasures:
    """One image. Lesion values are None where there is no lesion mask; the diameter also where the mask is empty.

    Parameters
    ----------
    slices : int
        Slices of the CT volume.
    """

    subject: str
    phase: Phase
    slices: int
    lesion_slices: int | None = None
    lesion_volume_ml: float | None = None
    lesion_max_diameter_mm: float | None = None
    lesion_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMeasures:
    """One patient: the median over its phases; None where no phase has a value."""

    subject: str
    slices: float | None
    lesion_slices: float | None
    lesion_volume_ml: float | None
    lesion_max_diameter_mm: float | None
    lesion_count: float | None


def measure_image(phase: ReleasedPhase) -> ImageMeasures:
    """Measure one image from its files.

    The number of slices is taken from the lesion mask if there is one (they share a grid; the audit checks that), so
    that the large file need not be read.

    Raises
    ------
    InputError, UnsupportedDataError
        If a file is missing or damaged.
    """
    mask = phase.lesions
    if mask is None:
        beside = phase.liver
        slices = (beside.grid if beside is not None else phase.ct.grid).shape[2]
        return ImageMeasures(subject=phase.row.subject, phase=phase.name, slices=slices)
    found = measure_lesions(mask)
    return ImageMeasures(
        subject=phase.row.subject,
        phase=phase.name,
        slices=mask.grid.shape[2],
        lesion_slices=found.slices,
        lesion_volume_ml=found.volume_ml,
        lesion_max_diameter_mm=found.max_diameter_mm,
        lesion_count=found.count,
    )


def stored_measures(root: Path) -> tuple[ImageMeasures, ...] | None:
    """Measures as `geometry.csv` states them; None if the release has no such table.

    Raises
    ------
    InputError
        ``"unknown-phase"``, and those of reading a table.
    """
    path = root / GEOMETRY_NAME
    if not path.is_file():
        return None
    rows = load_geometry(path)
    if strange := next((row for row in rows if row.phase not in set(Phase)), None):
        raise InputError(
            "unknown-phase", f"A row of {strange.patient_id} in {path} names no phase", f"Phases are {', '.join(Phase)}"
        )
    return tuple(
        ImageMeasures(
            subject=row.patient_id,
            phase=Phase(row.phase),
            slices=row.voxels_k,
            lesion_slices=row.lesion_slices,
            lesion_volume_ml=row.lesion_volume_ml,
            lesion_max_diameter_mm=row.lesion_max_diameter_mm,
            lesion_count=row.lesion_count,
        )
        for row in rows
    )


def per_patient(images: Iterable[ImageMeasures]) -> tuple[PatientMeasures, ...]:
    """One value a patient; patients in the order of their first image."""
    of: dict[str, list[ImageMeasures]] = {}
    for image in images:
        of.setdefault(image.subject, []).append(image)

    def middle(values: Iterable[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return float(median(known)) if known else None

    return tuple(
        PatientMeasures(
            subject=subject,
            slices=middle(i.slices for i in own),
            lesion_slices=middle(i.lesion_slices for i in own),
            lesion_volume_ml=middle(i.lesion_volume_ml for i in own),
            lesion_max_diameter_mm=middle(i.lesion_max_diameter_mm for i in own),
            lesion_count=middle(i.lesion_count for i in own),
        )
        for subject, own in of.items()
    )


def release_measures(release: Release, *, progress: Progress | None = None) -> tuple[ImageMeasures, ...] | None:
    """Measures of all images: as stated if the release states them, else measured from the files.

    Parameters
    ----------
    release : Release
    progress : callable, optional
        Called with (done, total, label) after each image that had to be measured.

    Returns
    -------
    tuple of ImageMeasures, or None
        None if the release is its table alone: no image file exists.
    """
    stored = stored_measures(release.root)
    if stored is not None:
        return stored
    phases = [phase for subject in release for phase in subject]
    paths = [path for phase in phases for path in (phase.ct_path, phase.lesions_path, phase.liver_path)]
    if not any(path is not None and path.is_file() for path in paths):
        return None
    measured = []
    for phase in phases:
        measured.append(measure_image(phase))
        if progress is not None:
            progress(len(measured), len(phases), f"{phase.row.subject} {phase.name.value}")
    return tuple(measured)
