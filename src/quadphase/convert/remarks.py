"""What is said of files and stacks as findings: counts and kinds, never a name, a path or a value that could be one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import Rejection
from quadphase.convert.pixels import Pixels, refusal_of
from quadphase.convert.stacks import Group
from quadphase.model import Finding

if TYPE_CHECKING:
    from quadphase.convert.exam import Stack

__all__ = ["of_cut", "of_files", "of_headers", "of_pixels", "of_sizes"]


def of_files(rejected: Sequence[Rejection], copies: Counter[str], closed_folders: int, where: str) -> list[Finding]:
    """Files that are no slices and copies of slices, counted by kind, and folders that may not be listed."""
    findings = [*_of_rejected(rejected, where), *_of_copies(copies, where)]
    if closed_folders:
        findings.append(Finding.of("closed-folders", where or "files", f"{closed_folders} folders may not be listed"))
    return findings


def _of_rejected(rejected: Sequence[Rejection], where: str) -> list[Finding]:
    counts = Counter((item.code, item.series_number if item.series[2] else None, item.detail) for item in rejected)
    findings = []
    for (code, number, detail), count in sorted(counts.items(), key=repr):
        place = f"series {number}" if number is not None else "files"
        files = "1 file" if count == 1 else f"{count} files"
        findings.append(Finding.of(code, f"{where} {place}".strip(), f"{files}: {detail}"))
    return findings


def _of_copies(copies: Counter[str], where: str) -> list[Finding]:
    texts = {
        "duplicate-file": "copies of files that are here already",
        "duplicate-slice": "slices that are here already under another instance UID",
        "conflicting-instance": "images carry the instance UID of another image of their series",
    }
    return [Finding.of(code, where or "files", f"{count} {texts[code]}") for code, count in sorted(copies.items())]


def of_sizes(stacks: Sequence[Stack], where: str) -> list[Finding]:
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


def of_cut(group: Group, where: str) -> list[Finding]:
    """That a stack is a part of its series."""
    if group.parts < 2:
        return []
    code = "weakly-split" if group.is_weak else "split-series"
    return [Finding.of(code, where, f"its series holds {group.parts} stacks, told apart by {', '.join(group.told_by)}")]


def of_headers(headers: Sequence[SliceHeader], where: str) -> list[Finding]:
    """Encodings and rescales of the slices of a stack, where they are remarkable."""
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


def of_pixels(headers: Sequence[SliceHeader], pixels: Pixels, where: str) -> tuple[Finding, ...]:
    """What was noticed in decoding a stack."""
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
