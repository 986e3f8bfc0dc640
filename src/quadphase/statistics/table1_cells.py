"""Cells of Table 1 as text: how a count, a share and quartiles are printed.

Apart from the formats (CSV, Markdown, HTML, LaTeX), which `quadphase.release` owns, because `quadphase.audit` prints
the table again to compare it cell by cell.
"""

from __future__ import annotations

from typing import Final

from quadphase.statistics.summary import Quartiles, Share
from quadphase.statistics.table1 import Cell, Line, Table1

__all__ = ["ABSENT", "table1_cells"]

ABSENT: Final = "—"
"""What the paper prints where a value does not apply."""


def table1_cells(table: Table1) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows as text; the first column is indented by two spaces under a heading."""
    header = ("Category", *(f"{g.label} (N = {g.subjects})" for g in table.groups))
    rows = tuple(
        (("  " if line.indent else "") + line.label, *_texts(line, table, honest=table.convention == "honest"))
        for line in table.lines
    )
    return header, rows


def _texts(line: Line, table: Table1, *, honest: bool) -> tuple[str, ...]:
    if line.cells is None:
        return ("",) * len(table.groups)
    return tuple(_text(cell, show_range=line.show_range, honest=honest) for cell in line.cells)


def _text(cell: Cell, *, show_range: bool, honest: bool) -> str:
    match cell:
        case None:
            return ABSENT
        case Share():
            whole = "" if not honest or cell.known == cell.total else f" of {cell.known} known"
            return f"{cell.count} ({cell.percent:.1f}){whole}" if cell.known else f"{ABSENT} (none known)"
        case Quartiles():
            text = f"{cell.median:.2f} [{cell.lower:.2f}, {cell.upper:.2f}]"
            if show_range:
                text += f", ({_short(cell.minimum)}, {_short(cell.maximum)})"
            return text if not honest or cell.known == cell.total else f"{text}; n = {cell.known}"
        case _:
            return str(cell)


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.3f}"
