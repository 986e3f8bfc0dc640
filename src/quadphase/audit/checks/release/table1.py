"""`table1.csv`, printed again and compared cell by cell, header and denominators included.

The release prints measures as `geometry.csv` rounds them (that table is compared with the images on its own); a table
made elsewhere may come from the exact ones. A cell is right if it is what either gives.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, get_args

from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.errors import InputError
from quadphase.io.release_tables import GEOMETRY_NAME
from quadphase.model import Finding
from quadphase.statistics.measures import ImageMeasures, stored_measures
from quadphase.statistics.table1 import Convention, compute_table1
from quadphase.statistics.table1_cells import table1_cells

__all__ = ["check"]

NAME: Final = "table1.csv"

Rows = tuple[tuple[str, ...], ...]


def check(context: ReleaseContext) -> Iterator[Finding]:
    if NAME not in context.files:
        return
    try:
        text = (context.root / NAME).read_text("utf-8-sig", errors="replace")
    except OSError:
        return  # said by the check of the files
    try:
        printed = tuple(tuple(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row)
    except csv.Error:
        yield Finding.of("table1-differs", NAME, "it is not a CSV table")
        return
    # Whose convention it follows is read from its labels.
    labels = [row[0] for row in printed]
    expected = max(_expected(context), key=lambda tables: sum(row[0] in labels for row in tables[0]))
    # Images that could not be read leave only the rows of the table; those after them cannot be judged.
    judged = printed if _sources(context) else printed[: len(expected[0])]
    if len(judged) != len(expected[0]):
        yield Finding.of("table1-differs", NAME, f"rows: {len(printed)}, expected {len(expected[0])}")
    for number, have in enumerate(printed):
        if number >= len(expected[0]):
            break
        wanted = [rows[number] for rows in expected]
        if len(have) != len(wanted[0]) or have[0] != wanted[0][0]:
            message = f"row {number + 1} is not '{', '.join(wanted[0])}'"
            yield Finding.of("table1-differs", NAME, message)
            continue
        for column, cell in enumerate(have):
            right = [row[column] for row in wanted]
            if cell not in right:
                message = f"row '{have[0].strip()}': printed '{cell}', computed '{right[0]}'"
                yield Finding.of("table1-differs", NAME, message)


def _sources(context: ReleaseContext) -> list[tuple[ImageMeasures, ...]]:
    """Measures as stated, and our own where all images could be read."""
    sources: list[tuple[ImageMeasures, ...]] = []
    if GEOMETRY_NAME in context.files:
        with suppress(InputError, ValueError):  # what is wrong with that table is said by its own check
            sources.append(stored_measures(context.root) or ())
    whole = len(context.volumes) == len(context.release.rows)
    if whole and all(volume.lesions is not None or volume.lesion is None for volume in context.volumes):
        sources.append(tuple(_image(volume) for volume in context.volumes if volume.row.phase is not None))
    return sources


def _expected(context: ReleaseContext) -> Iterator[tuple[Rows, ...]]:
    """For each convention: the rows (header first) from each source of measures."""
    sources: list[tuple[ImageMeasures, ...] | None] = [*_sources(context)] or [None]
    for convention in get_args(Convention):
        tables = [compute_table1(context.release.rows, images, convention=convention) for images in sources]
        yield tuple((header, *rows) for header, rows in map(table1_cells, tables))


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
