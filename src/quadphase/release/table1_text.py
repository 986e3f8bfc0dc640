"""Table 1 as people read it: CSV, Markdown, HTML, LaTeX, from the values of `quadphase.statistics.table1`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from html import escape
from typing import Final, Literal

from quadphase.statistics.table1 import Table1
from quadphase.statistics.table1_cells import ABSENT, table1_cells

__all__ = ["FILE_FORMATS", "FORMATS", "Format", "render_table1", "table1_cells", "table1_html"]

Format = Literal["text", "csv", "md", "html", "tex"]


def _plain(table: Table1) -> str:
    header, rows = table1_cells(table)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def row(cells: tuple[str, ...]) -> str:
        first, *rest = (cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)))
        return "  ".join((first, *rest)).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([row(header), rule, *map(row, rows), rule, *table.footnotes]) + "\n"


def _csv(table: Table1) -> str:
    header, rows = table1_cells(table)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _markdown(table: Table1) -> str:
    header, rows = table1_cells(table)

    def row(cells: tuple[str, ...]) -> str:
        first = cells[0].replace("  ", "&nbsp;&nbsp;", 1) if cells[0].startswith("  ") else cells[0]
        return "| " + " | ".join((first, *cells[1:])).replace("\n", " ") + " |"

    lines = [row(header), "|" + "|".join([" --- ", *[" ---: "] * len(table.groups)]) + "|", *map(row, rows), ""]
    return "\n".join([*lines, *(f"*{note}*  " for note in table.footnotes)]) + "\n"


def table1_html(table: Table1) -> str:
    """The ``<table>`` alone, for a page that brings its own style."""
    header, rows = table1_cells(table)
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    body = []
    for line, cells in zip(table.lines, rows, strict=True):
        if line.cells is None:
            body.append(
                f'<tr class="heading"><th scope="rowgroup" colspan="{len(cells)}">{escape(line.label)}</th></tr>'
            )
            continue
        style = ' class="indent"' if line.indent else ""
        values = "".join(f"<td>{escape(text)}</td>" for text in cells[1:])
        body.append(f'<tr><th scope="row"{style}>{escape(line.label)}</th>{values}</tr>')
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.footnotes)
    return (
        f'<table class="table1"><thead><tr>{head}</tr></thead><tbody>\n'
        + "\n".join(body)
        + f'\n</tbody></table><div class="notes">{notes}</div>'
    )


_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Table 1</title>
<style>
body {{ font: 15px/1.5 Georgia, serif; color: #222; margin: 3rem auto; max-width: 56rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
thead th {{ border-top: 2px solid #222; border-bottom: 1px solid #222 }}
tbody tr:last-child > * {{ border-bottom: 2px solid #222 }}
th, td {{ padding: .25rem .75rem; text-align: right; font-weight: normal; font-variant-numeric: tabular-nums }}
th:first-child {{ text-align: left }}
thead th, .heading th {{ font-weight: bold }}
.indent {{ padding-left: 2rem }}
.notes {{ font-size: .85em; color: #555 }} .notes p {{ margin: .3rem 0 }}
</style>
<h1>Table 1. Summary of basic data information</h1>
{table}
</html>
"""


def _html(table: Table1) -> str:
    return _PAGE.format(table=table1_html(table))


_TEX: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "³": r"\textsuperscript{3}",
    ABSENT: "---",
}


def _latex(table: Table1) -> str:
    header, rows = table1_cells(table)

    def text(value: str) -> str:
        return "".join(_TEX.get(c, c) for c in value)

    body = []
    for line, cells in zip(table.lines, rows, strict=True):
        first = r"\quad " + text(line.label) if line.indent else text(line.label)
        body.append("    " + " & ".join([first, *map(text, cells[1:])]) + r" \\")
    return "\n".join(
        [
            r"\begin{table}",
            r"  \caption{Summary of basic data information.}",
            r"  \label{tab:quadphase-table1}",
            r"  \begin{tabular}{l" + "r" * len(table.groups) + "}",
            r"    \hline",
            "    " + " & ".join(map(text, header)) + r" \\",
            r"    \hline",
            *body,
            r"    \hline",
            r"  \end{tabular}",
            *(r"  \par\footnotesize " + text(note) for note in table.footnotes),
            r"\end{table}",
            "",
        ]
    )


FILE_FORMATS: Final[Mapping[Format, Callable[[Table1], str]]] = {
    "csv": _csv,
    "md": _markdown,
    "html": _html,
    "tex": _latex,
}
"""Formats a release holds, by file suffix."""

FORMATS: Final[Mapping[Format, Callable[[Table1], str]]] = {"text": _plain, **FILE_FORMATS}


def render_table1(table: Table1, form: Format) -> str:
    """The table as text of one format.

    Raises
    ------
    KeyError
        If the format is not one of `FORMATS`.
    """
    return FORMATS[form](table)
