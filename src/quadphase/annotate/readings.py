"""Readers' lesion masks come in: checked against the CT they belong to, stored per reader and case.

A mask must lie on the grid of `ct.nii.gz`. One stored in another axis order (some drawing tools write their own) is
brought back by flips and permutations, which move no voxel; anything else is refused, never resampled.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from quadphase.errors import InputError, OutputError, QuadphaseError
from quadphase.imaging.reorient import reorient_mask
from quadphase.io import atomic
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record, save_record
from quadphase.io.nifti import load_mask, load_volume, save_mask
from quadphase.io.study import Study
from quadphase.model import Finding, Grid, Mask, Phase, ReadingRecord, require_same_grid

__all__ = [
    "empty_like", "import_reading", "load_reading", "mask_on_grid", "reading_files", "reading_record", "require_reader",
    "require_same_images",
]  # fmt: skip

RECORD_NAME: Final = "reading.json"


def reading_files(folder: Path) -> dict[Phase, Path]:
    """Masks ``P.nii.gz``, ``C1.nii.gz``, … that a folder holds, by phase."""
    return {phase: folder / f"{phase}.nii.gz" for phase in Phase if (folder / f"{phase}.nii.gz").is_file()}


def mask_on_grid(path: Path, grid: Grid, *, where: str) -> tuple[Mask, list[Finding]]:
    """Load a mask and bring it onto `grid` without resampling.

    Parameters
    ----------
    where : str
        Case and phase, for messages.

    Raises
    ------
    GridMismatchError
        If its voxels are not the voxels of `grid`.
    """
    mask = load_mask(path)
    findings = []
    if not mask.grid.is_close(grid):
        turned = reorient_mask(mask, grid.axis_codes)
        require_same_grid(turned.grid, grid, what=f"{where}: the mask and its CT")
        mask = turned
        findings.append(Finding.of("reading-reoriented", where, "stored in another axis order than its CT"))
    if not mask.voxels.any():
        findings.append(Finding.of("reading-empty", where, "no voxel is set"))
    return Mask(voxels=mask.voxels, grid=grid), findings


def require_reader(study: Study, reader: str) -> None:
    """Refuse a reader the protocol does not name.

    Raises
    ------
    InputError
        ``"unknown-reader"``.
    """
    if reader not in study.protocol.annotate.readers:
        known = ", ".join(study.protocol.annotate.readers)
        raise InputError("unknown-reader", f"Reader {reader} is not in the protocol ({known})", "Add it to [annotate]")


def import_reading(
    study: Study, reader: str, case: str, files: Mapping[Phase, Path], *, replace: bool = False
) -> tuple[Finding, ...]:
    """Store one reader's masks of one case in ``readings/<reader>/<case>/``, beside the phases that are there already.

    Parameters
    ----------
    study : Study
    reader : str
        A reader named in the protocol.
    case : str
        Pseudonym of a converted case.
    files : mapping of Phase to Path
        One mask for every phase of the case that shows a lesion, or more; phases imported before and not given now
        stay as they are.
    replace : bool
        Whether a mask takes the place of one of the same phase that was drawn differently.

    Returns
    -------
    tuple of Finding

    Raises
    ------
    InputError
        ``"unknown-reader"``, ``"unknown-case"``, ``"unknown-phase"``, ``"no-masks"``.
    OutputError
        ``"sealed"``: the reading is immutable; ``"reading-differs"`` without `replace`.
    GridMismatchError
    """
    require_reader(study, reader)
    if not study.case_record(case).is_file():
        raise InputError("unknown-case", f"{case} is not a converted case", "Run `quadphase convert` first")
    if not files:
        raise InputError("no-masks", f"{case}: no mask named P, C1, C2 or C3 .nii.gz was given", "Name them by phase")
    target = study.reading(reader, case)
    if (target / "seal.json").exists():
        raise OutputError("sealed", f"{case}: reader {reader}'s reading is sealed", "A sealed reading never changes")
    findings: list[Finding] = []
    there = reading_files(target)
    images = dict(reading_record(study, reader, case).images)
    differing: list[Phase] = []
    with atomic.new_folder(target, replace=True) as folder:
        if target.is_dir():
            shutil.copytree(target, folder, dirs_exist_ok=True)
        for phase, path in sorted(files.items(), key=lambda item: item[0].order):
            where = f"{case} {phase}, reader {reader}"
            if not study.ct(case, phase).is_file():
                raise InputError("unknown-phase", f"{where}: the case has no such phase", "Leave that mask out")
            mask, found = mask_on_grid(path, load_volume(study.ct(case, phase)).grid, where=where)
            findings += found
            if phase in there and not _same(there[phase], mask):
                differing.append(phase)
            save_mask(folder / f"{phase}.nii.gz", mask)
            images[phase] = sha256_of(study.ct(case, phase))
        if differing and not replace:
            raise OutputError(
                "reading-differs",
                f"{case}: reader {reader} has another mask of {', '.join(differing)} already",
                "It stays unless --overwrite is given; nothing of this case was imported",
            )
        save_record(folder / RECORD_NAME, ReadingRecord(images=images))
    return tuple(findings)


def reading_record(study: Study, reader: str, case: str) -> ReadingRecord:
    """Which images a reading was drawn on; empty where nothing was imported yet."""
    path = study.reading(reader, case) / RECORD_NAME
    return load_record(path, ReadingRecord) if path.is_file() else ReadingRecord()


def require_same_images(study: Study, reader: str, case: str, images: Mapping[Phase, str]) -> None:
    """Refuse a reading of a CT that is no longer there: another conversion, or another scan under the phase's name.

    Parameters
    ----------
    images : mapping of Phase to str
        SHA-256 of the `ct.nii.gz` each mask was imported for.

    Raises
    ------
    InputError
        ``"reading-outdated"``.
    """
    for phase in reading_files(study.reading(reader, case)):
        ct = study.ct(case, phase)
        if not ct.is_file() or images.get(phase) != sha256_of(ct):
            raise InputError(
                "reading-outdated",
                f"{case} {phase}: reader {reader} outlined another image than the one that is there now",
                "Undo what changed the conversion (see overrides/phases.csv), or move the reading away and read again",
            )


def _same(path: Path, mask: Mask) -> bool:
    """Whether a stored mask is this one; a damaged one is not."""
    try:
        return np.array_equal(load_mask(path).voxels, mask.voxels)
    except QuadphaseError:
        return False


def load_reading(study: Study, reader: str, case: str) -> dict[Phase, Mask]:
    """Masks of one reading by phase, as stored."""
    return {phase: load_mask(path) for phase, path in reading_files(study.reading(reader, case)).items()}


def empty_like(mask: Mask) -> Mask:
    """A mask without a voxel on the same grid: what a reader who left a phase out has said."""
    return Mask(voxels=np.zeros(mask.grid.shape, dtype=np.bool_), grid=mask.grid)
