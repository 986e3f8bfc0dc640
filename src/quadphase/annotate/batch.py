"""What readers hand over: a folder a case, and in it one mask a phase."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from quadphase.errors import InputError
from quadphase.model import Phase

__all__ = ["given_masks", "is_mask_name"]

NIFTI_ENDINGS: Final = (".nii.gz", ".nii")
OTHER_ENDINGS: Final = (".nrrd", ".mha", ".mhd", ".hdr", ".img", ".dcm")
"""Masks of tools that were not told to write NIfTI."""


def is_mask_name(name: str) -> bool:
    """Whether somebody meant a file of that name as a mask; others beside masks are notes."""
    return name.lower().endswith((*NIFTI_ENDINGS, *OTHER_ENDINGS))


def given_masks(folder: Path, case: str) -> dict[Phase, Path]:
    """Masks of one case by phase: ``C1.nii.gz``, ``c1.nii``, …; notes and hidden files beside them do not matter.

    Raises
    ------
    InputError
        ``"unknown-mask"`` if a mask is named by no phase, or two by one: it would be lost without a word. The message
        counts them and names none, as such a name may be a person's.
    """
    masks: dict[Phase, Path] = {}
    unknown = 0
    phases = {phase.value.lower(): phase for phase in Phase}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = path.name.lower()
        if name.startswith(".") or not path.is_file():
            continue
        stem = next((name.removesuffix(ending) for ending in NIFTI_ENDINGS if name.endswith(ending)), None)
        if stem in phases and phases[stem] not in masks:
            masks[phases[stem]] = path
        elif is_mask_name(name):
            unknown += 1
    if unknown:
        raise InputError(
            "unknown-mask",
            f"{case}: {unknown} mask files are not named by phase, or are there twice",
            "Name them P, C1, C2 or C3 with .nii.gz; nothing of this case was taken",
        )
    return masks
