"""From files to stacks: read every file once, name what is no slice, group the rest, prove each stack's geometry.

`read_stacks` is the door; a `Stack` knows its slices, its grid (or why it has none) and decodes its voxels when asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from quadphase.convert.duplicates import without_copies
from quadphase.convert.geometry import Geometry, prove_geometry
from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import Rejection, files_below, read_file
from quadphase.convert.pixels import Pixels, load_hu, refusal_of
from quadphase.convert.regrid import Change, plan, regrid
from quadphase.convert.stacks import Group, group_slices, identity_key, series_key
from quadphase.errors import GeometryError, QuadphaseError
from quadphase.model import Finding, Grid, Severity, Volume
from quadphase.model.protocol.sections import ConvertSection

__all__ = ["Loaded", "Stack", "StackSet", "read_stacks"]


DAMAGED: Final = ("truncated-file", "unreadable-dicom", "unreadable-file")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """Voxels of a stack and what was noticed in decoding them."""

    volume: Volume
    pixels: Pixels
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Slices of one volume.

    Parameters
    ----------
    index : int
        Number within its exam, 0-based, in order of acquisition.
    exam : int
        Number of the exam among the given files, 0-based.
    headers : tuple of SliceHeader
        Ascending along the slice normal.
    geometry : Geometry
        As the files are.
    changes : tuple of Change
        Resampling that the settings ask for and this stack needs; empty for a stack that is used as it is.
    grid : Grid or None
        Grid of the volume, None for a refused stack.
    findings : tuple of Finding
    """

    index: int
    exam: int
    where: str
    headers: tuple[SliceHeader, ...] = field(repr=False)
    geometry: Geometry = field(repr=False)
    grid: Grid | None
    part: int = 1
    parts: int = 1
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the stack can become a volume."""
        return self.grid is not None

    @property
    def proved_grid(self) -> Grid:
        """The grid of a usable stack.

        Raises
        ------
        GeometryError
            ``"refused-stack"``.
        """
        if self.grid is None:
            raise GeometryError("refused-stack", f"{self.where} has no proved geometry", "See its findings")
        return self.grid

    @property
    def n_slices(self) -> int:
        return len(self.headers)

    @property
    def series_number(self) -> int | None:
        return self.headers[0].acquisition.series_number

    @property
    def series_identity(self) -> str:
        """Text that names the series; identity, for keyed hashing only."""
        return "\0".join((*identity_key(self.headers[0]), *series_key(self.headers[0])))

    def failure(self, error: QuadphaseError) -> Finding:
        """What `load` could not do, as a finding."""
        known = error.code in ("undecodable-pixels", "unsupported-encoding", "truncated-file", "unreadable-file")
        code = error.code if known else "undecodable-pixels"
        return Finding.of(code, self.where, error.message, severity=Severity.ERROR)

    def load(self, *, threads: int = 2) -> Loaded:
        """Decode all slices.

        Raises
        ------
        GeometryError
            ``"refused-stack"`` for a stack that is not usable.
        UnsupportedDataError
            For pixels that cannot be decoded.
        """
        grid = self.proved_grid
        pixels = load_hu(self.headers, threads=threads)
        findings = _pixel_findings(self.headers, pixels, self.where)
        hu = pixels.hu.transpose(2, 1, 0)
        if self.changes:
            hu = regrid(hu, self.headers, self.geometry, grid=grid)
        return Loaded(volume=Volume(hu=hu, grid=grid), pixels=pixels, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSet:
    """All stacks of the given files, and everything that is no stack.

    Parameters
    ----------
    stacks : tuple of Stack
        By exam, in order of acquisition; refused ones too.
    rejected : tuple of Rejection
        Files that are no slice.
    findings : tuple of Finding
        About files rather than stacks.
    """

    stacks: tuple[Stack, ...]
    rejected: tuple[Rejection, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()
    n_files: int = 0

    @property
    def usable(self) -> tuple[Stack, ...]:
        return tuple(stack for stack in self.stacks if stack.usable)


def read_stacks(
    paths: Iterable[Path], *, settings: ConvertSection | None = None, where: str = "", threads: int = 2
) -> StackSet:
    """Read files or folders and group their slices into stacks.

    Parameters
    ----------
    paths : iterable of Path
        Files, or folders searched at any depth, links followed; names and order do not matter.
    settings : ConvertSection, optional
        What is accepted, and what may be resampled.
    where : str
        Prefix of the findings' locations, free of identity (a pseudonym).

    Raises
    ------
    InputError
        ``"no-source"`` for a folder that may not be listed.
    """
    settings = settings or ConvertSection()
    files, closed = files_below(paths)
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        read = list(pool.map(read_file, files))
    rejected = [item for item in read if isinstance(item, Rejection)]
    headers, copies, lost = without_copies(
        [header for item in read if not isinstance(item, Rejection) for header in item]
    )
    rejected += lost
    groups = group_slices(headers)
    exams = list(dict.fromkeys(identity_key(group.headers[0]) for group in groups))
    missed = [item for item in rejected if item.code in (*DAMAGED, "empty-file")]
    damaged = {key for item in missed if (key := _series_of(*item.series, item.series_number)) is not None}
    beside = {item.path.parent for item in missed if _series_of(*item.series, item.series_number) is None}
    stacks: list[Stack] = []
    for group in groups:
        exam = exams.index(identity_key(group.headers[0]))
        index = sum(stack.exam == exam for stack in stacks)
        stacks.append(_stack(group, index, exam, len(exams), settings, where, damaged, beside))
    findings = (
        *_closed_findings(closed, where),
        *_file_findings(rejected, where),
        *_copy_findings(copies, where),
        *_mixed(stacks, where),
    )
    return StackSet(
        stacks=tuple(stacks),
        rejected=tuple(sorted(rejected, key=lambda r: (r.code, r.detail, str(r.path)))),
        findings=findings,
        n_files=len(files),
    )


def _stack(
    group: Group,
    index: int,
    exam: int,
    n_exams: int,
    settings: ConvertSection,
    where: str,
    damaged: set[tuple[object, ...]],
    beside: set[Path],
) -> Stack:
    headers = group.headers
    place = _name(headers[0], index, exam if n_exams > 1 else None, group, where)
    geometry = prove_geometry(headers, where=place, tolerance_mm=settings.spacing_tolerance_mm)
    findings = [*_cut_findings(group, place), *geometry.findings, *_header_findings(headers, place)]
    if len(headers) < settings.minimum_slices:
        message = f"{len(headers)} slices, at least {settings.minimum_slices} make a volume"
        findings.append(Finding.of("too-few-slices", place, message))
    origin = headers[0].origin
    uids = (origin.patient_id, origin.study_instance_uid, origin.series_instance_uid)
    if _series_of(*uids, headers[0].acquisition.series_number) in damaged:
        findings.append(Finding.of("incomplete-series", place, "other files of this series are damaged"))
    elif any(header.origin.path.parent in beside for header in headers):
        text = "empty, damaged or unreadable files of unknown series lie beside its slices"
        findings.append(Finding.of("incomplete-series", place, text, severity=Severity.WARNING))
    changes, grid, findings = _decide(headers, geometry, settings, findings, place)
    blocked = len(headers) < settings.minimum_slices or any(f.severity is Severity.ERROR for f in findings)
    return Stack(
        index=index,
        exam=exam,
        where=place,
        headers=headers,
        geometry=geometry,
        grid=None if blocked else grid,
        part=group.part,
        parts=group.parts,
        changes=changes,
        findings=tuple(findings),
    )


def _series_of(patient: str, study: str, series: str, number: int | None) -> tuple[object, ...] | None:
    """What tells a series: its UID, or its number within its study; None where a file was cut before them."""
    if series:
        return (patient, study, series)
    return (patient, study, number) if study and number is not None else None


def _decide(
    headers: Sequence[SliceHeader], geometry: Geometry, settings: ConvertSection, findings: list[Finding], where: str
) -> tuple[tuple[Change, ...], Grid | None, list[Finding]]:
    """Resampling that was asked for and is needed; the findings it answers become warnings."""
    if len(headers) < 2:
        return (), geometry.grid, findings  # one slice has no neighbours to resample from
    changes, grid = plan(headers, geometry, settings)
    if not changes:
        return (), geometry.grid, findings
    answered = {change.answers for change in changes}
    softened = [replace(f, severity=Severity.WARNING) if f.code in answered else f for f in findings]
    text = "; ".join(change.text for change in changes)
    return changes, grid, [*softened, Finding.of("resampled", where, text)]


def _cut_findings(group: Group, where: str) -> list[Finding]:
    if group.parts < 2:
        return []
    code = "weakly-split" if group.is_weak else "split-series"
    return [Finding.of(code, where, f"its series holds {group.parts} stacks, told apart by {', '.join(group.told_by)}")]


def _name(header: SliceHeader, index: int, exam: int | None, group: Group, where: str) -> str:
    number = header.acquisition.series_number
    inside = "no series number" if number is None else f"series {number}"
    if group.parts > 1:
        inside += f", part {group.part} of {group.parts}"
    prefix = [where] if where else []
    if exam is not None:
        prefix.append(f"exam {exam + 1}")
    return " ".join([*prefix, f"stack {index} ({inside})"])


def _header_findings(headers: Sequence[SliceHeader], where: str) -> list[Finding]:
    findings = []
    refusals = Counter(why for h in headers if (why := refusal_of(h.pixels)) is not None)
    for why, count in sorted(refusals.items()):
        findings.append(Finding.of("unsupported-encoding", where, f"{count} slices are encoded as {why}"))
    units = Counter(h.pixels.unit for h in headers if h.pixels.unit != "HU")
    for unit, count in sorted(units.items()):
        # A unit is a code (PS3.3 C.11.1.1.2); anything else is not repeated.
        what = f"of {unit}" if re.fullmatch(r"[A-Z_0-9]{1,12}", unit) else "of an unknown unit"
        text = what if unit else "without rescale slope or intercept"
        findings.append(Finding.of("not-hounsfield", where, f"{count} slices {text}"))
    rescales = {(h.pixels.slope, h.pixels.intercept) for h in headers}
    if len(rescales) > 1:
        findings.append(
            Finding.of("varying-rescale", where, f"{len(rescales)} different rescales among {len(headers)} slices")
        )
    return findings


def _pixel_findings(headers: Sequence[SliceHeader], pixels: Pixels, where: str) -> tuple[Finding, ...]:
    findings = []
    if pixels.widened:
        code = "fractional-rescale" if "fractional" in pixels.widened else "wide-range"
        findings.append(Finding.of(code, where, pixels.widened))
    if pixels.n_padding and pixels.padding_hu is not None:
        share = pixels.n_padding / pixels.hu.size
        message = f"{share:.1%} of the voxels are padding, {pixels.padding_hu:g} HU"
        findings.append(Finding.of("pixel-padding", where, message))
    if pixels.masked:
        findings.append(Finding.of("stray-bits", where, f"in {pixels.masked} of {len(headers)} slices"))
    return tuple(findings)


def _closed_findings(closed: int, where: str) -> list[Finding]:
    return [Finding.of("closed-folders", where or "files", f"{closed} folders may not be listed")] if closed else []


def _file_findings(rejected: Sequence[Rejection], where: str) -> list[Finding]:
    counts = Counter((item.code, item.series_number if item.series[2] else None, item.detail) for item in rejected)
    findings = []
    for (code, number, detail), count in sorted(counts.items(), key=repr):
        place = f"series {number}" if number is not None else "files"
        files = "1 file" if count == 1 else f"{count} files"
        findings.append(Finding.of(code, f"{where} {place}".strip(), f"{files}: {detail}"))
    return findings


def _copy_findings(copies: Counter[str], where: str) -> list[Finding]:
    texts = {
        "duplicate-file": "copies of files that are here already",
        "duplicate-slice": "slices that are here already under another instance UID",
        "conflicting-instance": "images carry the instance UID of another image of their series",
    }
    return [Finding.of(code, where or "files", f"{count} {texts[code]}") for code, count in sorted(copies.items())]


def _mixed(stacks: Sequence[Stack], where: str) -> list[Finding]:
    """Series that hold slices of more than one matrix or pixel size."""
    sizes: dict[str, set[tuple[object, ...]]] = {}
    numbers: dict[str, int | None] = {}
    for stack in stacks:
        p = stack.headers[0].plane
        size = (p.rows, p.columns, round(p.row_spacing_mm, 4), round(p.column_spacing_mm, 4))
        sizes.setdefault(stack.series_identity, set()).add(size)
        numbers[stack.series_identity] = stack.series_number
    return [
        Finding.of(
            "mixed-matrix",
            f"{where} series {numbers[key]}".strip(),
            f"{len(found)} matrix or pixel sizes in one series",
        )
        for key, found in sizes.items()
        if len(found) > 1
    ]
