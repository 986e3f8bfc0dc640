"""`quadphase table1 RELEASE|patient_data.csv`: Table 1 of the paper, from any release with that table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard, progress

__all__ = ["register"]


class TableFormat(StrEnum):
    """How the table is printed."""

    TEXT = "text"
    CSV = "csv"
    MARKDOWN = "md"
    HTML = "html"
    LATEX = "tex"


class TableConvention(StrEnum):
    """Whose words the table uses."""

    HONEST = "honest"
    PAPER = "paper"


def table1(
    source: Annotated[Path, typer.Argument(help="A release, or its patient_data.csv alone (demographic rows only).")],
    form: Annotated[TableFormat, typer.Option("--format", "-f", help="How to print it.")] = TableFormat.TEXT,
    convention: Annotated[
        TableConvention,
        typer.Option(help="honest: denominators shown, per image and per patient apart. paper: the rows as published."),
    ] = TableConvention.HONEST,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    json: JsonOption = False,
) -> None:
    """Print Table 1: who the subjects are and what their images hold, cancer against control."""
    with guard():
        from quadphase.io import atomic
        from quadphase.io.release import Release
        from quadphase.io.release_tables import GEOMETRY_NAME
        from quadphase.release.manifest import CHECKSUMS_NAME
        from quadphase.release.table1_text import render_table1
        from quadphase.statistics.measures import release_measures
        from quadphase.statistics.table1 import compute_table1

        release = Release(source)
        if out is not None:
            sealed = (release.root / CHECKSUMS_NAME).is_file()  # a file more or less would break its checksums
            atomic.require_apart(out, [release.root] if sealed else [release.table])
            atomic.require_file(out, overwrite=overwrite)  # before every image is measured
        images = None
        if source.is_dir():
            with progress("measure", quiet=json or (release.root / GEOMETRY_NAME).is_file()) as report:
                images = release_measures(release, progress=report)
        table = compute_table1(release.rows, images, convention=convention.value)
        text = render_table1(table, form.value)
        if out is not None:
            atomic.write_text(out, text, overwrite=overwrite)
        emit(
            {**table.to_dict(), "file": str(out) if out is not None else None, "problems": len(release.problems)},
            json=json,
            text=f"Table 1 in {out}" if out is not None else text.rstrip("\r\n"),
        )


def register(app: typer.Typer) -> None:
    app.command()(table1)
