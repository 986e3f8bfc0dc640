"""From files to stacks: read every file once, name what is no slice, group the rest, prove each stack's geometry.

`read_stacks` is the door; a `Stack` knows its slices, its grid (or why it has none) and decodes its voxels when asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from quadphase.convert import remarks
from quadphase.convert.duplicates import without_copies
from quadphase.convert.geometry import Geometry, prove_geometry
from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import Rejection, files_below, read_file
from quadphase.convert.missing import Missing
from quadphase.convert.pixels import Pixels, load_hu
from quadphase.convert.regrid import Change, plan, regrid
from quadphase.convert.stacks import Group, group_slices, identity_key, series_key
from quadphase.errors import GeometryError, QuadphaseError
from quadphase.model import Finding, Grid, Severity, Volume
from quadphase.model.protocol.sections import ConvertSection

__all__ = ["Loaded", "Stack", "StackSet", "read_stacks"]


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
        findings = remarks.of_pixels(self.headers, pixels, self.where)
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
    missing = Missing.of(rejected)
    stacks: list[Stack] = []
    for group in groups:
        exam = exams.index(identity_key(group.headers[0]))
        index = sum(stack.exam == exam for stack in stacks)
        stacks.append(_stack(group, index, exam, len(exams), settings, where, missing))
    return StackSet(
        stacks=tuple(stacks),
        rejected=tuple(sorted(rejected, key=lambda r: (r.code, r.detail, str(r.path)))),
        findings=(*remarks.of_files(rejected, copies, closed, where), *remarks.of_sizes(stacks, where)),
        n_files=len(files),
    )


def _stack(
    group: Group,
    index: int,
    exam: int,
    n_exams: int,
    settings: ConvertSection,
    where: str,
    missing: Missing,
) -> Stack:
    headers = group.headers
    place = _name(headers[0], index, exam if n_exams > 1 else None, group, where)
    geometry = prove_geometry(headers, where=place, tolerance_mm=settings.spacing_tolerance_mm)
    findings = [*remarks.of_cut(group, place), *geometry.findings, *remarks.of_headers(headers, place)]
    if len(headers) < settings.minimum_slices:
        message = f"{len(headers)} slices, at least {settings.minimum_slices} make a volume"
        findings.append(Finding.of("too-few-slices", place, message))
    findings += missing.findings(headers, place)
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


def _name(header: SliceHeader, index: int, exam: int | None, group: Group, where: str) -> str:
    number = header.acquisition.series_number
    inside = "no series number" if number is None else f"series {number}"
    if group.parts > 1:
        inside += f", part {group.part} of {group.parts}"
    prefix = [where] if where else []
    if exam is not None:
        prefix.append(f"exam {exam + 1}")
    return " ".join([*prefix, f"stack {index} ({inside})"])
