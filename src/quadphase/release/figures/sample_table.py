"""Figure 4 of the paper: the first rows of `patient_data.csv`, set as a table."""

from __future__ import annotations

from typing import Any, Final

from quadphase.io.release import Release
from quadphase.io.release_rows import COLUMNS, ReleaseRow
from quadphase.io.tables import NA
from quadphase.release.figures.style import GREY, INK, styled

__all__ = ["draw_sample_table"]

ROWS: Final = 12

_WIDTHS: Final = (0.075, 0.04, 0.06, 0.05, 0.085, 0.2, 0.215, 0.275)


def _cells(row: ReleaseRow) -> tuple[str, ...]:
    values = (
        row.subject,
        None if row.age_years is None else f"{row.age_years:g}",
        row.sex,
        row.phase,
        row.diagnosis,
        row.ct_path,
        row.mask_path,
        row.liver_mask_path,
    )
    return tuple(NA if value is None else str(value) for value in values)


def draw_sample_table(release: Release) -> Any:
    """The figure: subjects' rows in the order of the table."""
    rows = [_cells(row) for row in release.rows[:ROWS]]
    more = len(release.rows) - len(rows)
    line = 0.2
    height = (len(rows) + 2.4) * line
    with styled() as figure_module:
        figure = figure_module.Figure(figsize=(10.4, height))
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, 1), ylim=(len(rows) + 2.2, -0.2))
        ax.set_axis_off()
        starts = [sum(_WIDTHS[:n]) for n in range(len(_WIDTHS))]
        for start, name in zip(starts, COLUMNS, strict=True):
            ax.text(start, 0.5, name, weight="bold", va="center", fontsize=7.5)
        for at, width in ((0.0, 1.2), (1.0, 0.7), (len(rows) + 1.0, 1.2)):
            ax.plot([0, 1], [at, at], color=INK, linewidth=width)
        for number, cells in enumerate(rows):
            for start, cell in zip(starts, cells, strict=True):
                colour = GREY if cell == NA else INK
                ax.text(start, number + 1.5, cell, va="center", fontsize=7.2, color=colour)
        note = f"First {len(rows)} of {len(release.rows)} rows." if more > 0 else f"All {len(rows)} rows."
        ax.text(0, len(rows) + 1.6, f"{note} NA: does not exist or is not known.", fontsize=7, color=GREY, va="center")
    return figure
