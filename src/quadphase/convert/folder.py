"""`convert_folder`: a folder of DICOM to volumes, without a study: every exam, every stack, nothing chosen.

Volumes are named by exam, series number, part and phase, never by anything a file says of a person. `report.json`
tells what each stack is, which was refused and why, and counts every file that was no slice.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quadphase.convert.exam import Loaded, Stack, read_stacks
from quadphase.convert.features import features_of
from quadphase.convert.phases.assign import assign
from quadphase.convert.slice_table import slice_table
from quadphase.errors import InputError, QuadphaseError
from quadphase.io import atomic
from quadphase.io.json_file import load_json, save_json
from quadphase.io.nifti import save_volume
from quadphase.model import Finding, GridRecord, Phase
from quadphase.model.progress import Progress
from quadphase.model.protocol.sections import ConvertSection, PhasesSection

__all__ = ["FolderReport", "StackReport", "convert_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReport:
    """What became of one stack; `volume` is relative to the output folder, None if it was refused."""

    exam: int
    stack: int
    series_number: int | None
    part: int
    parts: int
    n_slices: int
    slice_spacing_mm: float
    volume: str | None
    grid: GridRecord | None
    phase: Phase | None
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "exam": self.exam,
            "stack": self.stack,
            "series_number": self.series_number,
            "part": self.part,
            "parts": self.parts,
            "n_slices": self.n_slices,
            "slice_spacing_mm": self.slice_spacing_mm,
            "volume": self.volume,
            "grid": self.grid.model_dump(mode="json") if self.grid else None,
            "phase": self.phase.value if self.phase else None,
            "findings": [f.to_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """Everything a folder held.

    Parameters
    ----------
    stacks : tuple of StackReport
    findings : tuple of Finding
        About files.
    rejected : dict of str to int
        Files that are no slice, counted by code.
    """

    stacks: tuple[StackReport, ...]
    findings: tuple[Finding, ...] = ()
    rejected: dict[str, int] = field(default_factory=dict)
    n_files: int = 0

    @property
    def n_volumes(self) -> int:
        return sum(stack.volume is not None for stack in self.stacks)

    def to_dict(self) -> dict[str, Any]:
        return {
            "n_files": self.n_files,
            "n_volumes": self.n_volumes,
            "stacks": [stack.to_dict() for stack in self.stacks],
            "rejected": dict(sorted(self.rejected.items())),
            "findings": [f.to_dict() for f in self.findings],
        }


def _is_converted(folder: Path) -> bool:
    """Whether a folder is what `convert_folder` writes: its report and the volumes that names."""
    try:
        report = load_json(folder / "report.json")
    except InputError:
        return False
    return isinstance(report, dict) and {"n_files", "n_volumes", "stacks", "rejected"} <= report.keys()


def convert_folder(
    folder: Path,
    out: Path,
    *,
    settings: ConvertSection | None = None,
    overwrite: bool = False,
    threads: int = 2,
    progress: Progress = lambda done, total, label: None,  # noqa: ARG005
) -> FolderReport:
    """Convert every stack below `folder` to `out`, which appears complete or not at all.

    Parameters
    ----------
    folder : Path
        Searched at any depth, links followed; or a single file.
    out : Path
        Must not exist, unless `overwrite`; replaced only if an earlier conversion wrote it.
    settings : ConvertSection, optional
        Smallest stack, and the resampling that is allowed (none by default).

    Returns
    -------
    FolderReport
        Also written as ``report.json``.

    Raises
    ------
    InputError
        ``"missing-folder"``, ``"no-source"`` (it may not be listed), ``"no-files"``, ``"output-inside-input"``.
    OutputError
        ``"exists"`` and those of a disk that refuses.

    Examples
    --------
    >>> report = convert_folder(Path("from_pacs"), Path("volumes"))  # doctest: +SKIP
    >>> [stack.volume for stack in report.stacks]  # doctest: +SKIP
    ['exam1/series002.nii.gz', 'exam1/series004-1.nii.gz', 'exam1/series004-2.nii.gz']
    """
    if not folder.exists():
        raise InputError("missing-folder", f"There is no file or folder {folder}", "Check the name")
    if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            "output-inside-input", f"{out} lies inside {folder}", "Choose a place outside the DICOM folder"
        )
    # Said before hours of reading, not after.
    atomic.require_target(out, replace=overwrite, recognised=_is_converted, inputs=[folder])
    found = read_stacks([folder], settings=settings, threads=threads)
    if not found.n_files:
        closed = "; folders in it may not be listed" if found.findings else ""
        raise InputError("no-files", f"{folder} holds no files{closed}", "Check the name and the rights")
    reports: list[StackReport] = []
    findings = list(found.findings)
    with atomic.new_folder(out, replace=overwrite, recognised=_is_converted, inputs=[folder]) as target:
        for exam in sorted({stack.exam for stack in found.stacks}):
            stacks = [stack for stack in found.stacks if stack.exam == exam]
            phases, kept, doubts = _phases([stack for stack in stacks if stack.usable], threads)
            findings += [replace(finding, location=f"exam {exam + 1} {finding.location}".strip()) for finding in doubts]
            for stack in stacks:
                progress(len(reports), len(found.stacks), stack.where)
                reports.append(
                    _one(stack, target, stacks, phases.get(stack.index), threads, kept.pop(stack.index, None))
                )
        counts: dict[str, int] = {}
        for item in found.rejected:
            counts[item.code] = counts.get(item.code, 0) + 1
        report = FolderReport(stacks=tuple(reports), findings=tuple(findings), rejected=counts, n_files=found.n_files)
        save_json(target / "report.json", report.to_dict())
    progress(len(found.stacks), len(found.stacks), "")
    return report


def _phases(stacks: Sequence[Stack], threads: int) -> tuple[dict[int, Phase], dict[int, Loaded], tuple[Finding, ...]]:
    """Phase of each stack of an exam by index where the evidence leaves no doubt, voxels decoded on the way, doubts."""
    key = secrets.token_bytes(32)  # names of series are needed to tell stacks apart, and are not kept
    if len(stacks) < 2:
        # One image alone has nothing to be compared with: its header says what there is to say.
        assignment = assign([features_of(stack, key) for stack in stacks], PhasesSection())
        kept: dict[int, Loaded] = {}
    else:
        from quadphase.convert.judging import judge

        judged = judge(stacks, PhasesSection(), key=key, threads=threads)
        assignment, kept = judged.assignment, dict(judged.loaded)
    # Nobody required phases here: that one is missing is no news, that one is in doubt is.
    doubts = tuple(finding for finding in assignment.findings if finding.code != "missing-phase")
    if assignment.needs_review:
        return {}, kept, doubts
    return {index: phase for phase, index in assignment.by_phase.items()}, kept, doubts


def _stem(stack: Stack, stacks: Sequence[Stack], phase: Phase | None) -> str:
    """Name of a stack's volume, unique within its exam."""
    number = stack.series_number
    same = [s for s in stacks if s.series_number == number]
    name = "series" if number is None else f"series{number:03d}"
    if len(same) > 1:
        name += f"-{same.index(stack) + 1}"
    return name + (f"_{phase.value}" if phase else "")


def _one(
    stack: Stack, target: Path, stacks: Sequence[Stack], phase: Phase | None, threads: int, kept: Loaded | None
) -> StackReport:
    findings, volume = stack.findings, None
    if stack.usable:
        name = f"exam{stack.exam + 1}/{_stem(stack, stacks, phase)}"
        try:
            loaded = kept or stack.load(threads=threads)
        except QuadphaseError as error:
            findings = (*findings, stack.failure(error))
        else:
            findings = (*findings, *loaded.findings)
            description = "; ".join(change.text for change in stack.changes)[:79]
            volume = f"{name}.nii.gz"
            save_volume(target / volume, loaded.volume, description=description, threads=threads)
            atomic.write_text(target / f"{name}.csv", slice_table(stack, None))
    return StackReport(
        exam=stack.exam + 1,
        stack=stack.index,
        series_number=stack.series_number,
        part=stack.part,
        parts=stack.parts,
        n_slices=stack.n_slices,
        slice_spacing_mm=round(stack.geometry.spacing_mm, 6),
        volume=volume,
        grid=GridRecord.of(stack.grid) if stack.grid and volume else None,
        phase=phase if volume else None,
        findings=findings,
    )
