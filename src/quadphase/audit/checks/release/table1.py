"""`table1.csv`, derived again: every number of every row.

The table is text for people; its numbers are read back from it and compared with those computed here from the table
and the masks, printed to as many decimals.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding
from quadphase.statistics.measures import ImageMeasures
from quadphase.statistics.summary import Quartiles, Share
from quadphase.statistics.table1 import Cell, Line, compute_table1

__all__ = ["check"]

NAME: Final = "table1.csv"
LAST_DIGIT: Final = 0.0101
"""Two decimals are printed of measures that `lesions.csv` had rounded before: the last may differ by one."""
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def check(context: ReleaseContext) -> Iterator[Finding]:
    if NAME not in context.files:
        return
    text = (context.root / NAME).read_text("utf-8-sig", errors="replace")
    printed = [row for row in csv.reader(io.StringIO(text)) if row]
    images = [_image(volume) for volume in context.volumes if volume.row.phase is not None]
    measured = images if all(v.lesions is not None or v.lesion is None for v in context.volumes) else None
    tables = [compute_table1(context.release.rows, measured, convention=c) for c in ("honest", "paper")]
    labels = [row[0].strip() for row in printed[1:]]
    table = max(tables, key=lambda t: sum(line.label in labels for line in t.lines))
    rest = printed[1:]
    for line in table.lines:
        if line.cells is None:
            continue
        row = next((row for row in rest if row[0].strip() == line.label), None)
        if row is None:
            yield Finding.of("table1-differs", NAME, f"there is no row '{line.label}'")
            continue
        rest = rest[rest.index(row) + 1 :]  # labels repeat: per image, then per patient
        yield from _compare(line, row[1:])


def _compare(line: Line, cells: list[str]) -> Iterator[Finding]:
    for expected, shown in zip(line.cells or (), cells, strict=False):
        want, have = _numbers(expected), [float(number) for number in _NUMBER.findall(shown)]
        if len(have) < len(want) or any(abs(h - w) > LAST_DIGIT for h, w in zip(have, want, strict=False)):
            yield Finding.of(
                "table1-differs",
                NAME,
                f"row '{line.label}': {', '.join(f'{v:g}' for v in have) or 'nothing'} printed, "
                f"{', '.join(f'{v:g}' for v in want)} measured",
            )


def _numbers(cell: Cell) -> list[float]:
    match cell:
        case None:
            return []
        case Share():
            return [cell.count, round(cell.percent, 1)] if cell.known else []
        case Quartiles():
            return [float(f"{value:.2f}") for value in (cell.median, cell.lower, cell.upper)]
        case _:
            return [cell]


def _image(volume: VolumeFacts) -> ImageMeasures:
    found = volume.lesions
    assert volume.row.phase is not None  # noqa: S101 -- the caller filtered
    return ImageMeasures(
        subject=volume.row.subject,
        phase=volume.row.phase,
        slices=volume.stored_shape[2],
        lesion_slices=found.slices if found else None,
        lesion_volume_ml=found.volume_ml if found else None,
        lesion_max_diameter_mm=found.max_diameter_mm if found else None,
        lesion_count=found.count if found else None,
    )
