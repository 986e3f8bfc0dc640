"""`quadphase audit PATH`: check every claim of a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, counted, emit, guard, progress
from quadphase.errors import ExitCode

if TYPE_CHECKING:
    from quadphase.audit import AuditReport

__all__ = ["register"]

EXAMPLES = 3
"""Findings of one code shown in the table."""

COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def audit(
    path: Annotated[
        Path, typer.Argument(help="Folder of a release, or its table; a table without images is judged alone.")
    ],
    against: Annotated[
        Path | None, typer.Option("--against", help="Another release, searched for the same scans.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write this report with pictures.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")] = False,
    json: JsonOption = False,
    workers: WorkersOption = 2,
) -> None:
    """Check a release: files, geometry, HU, masks, phases, duplicates, metadata, headers, checksums, derived tables.

    Understands quadphase releases, the published PLC-CECT and older tables of it. Exit code 1 if there are errors.
    """
    with guard():
        from quadphase.audit import audit as run

        if html is not None:
            from quadphase.audit.html import require_page

            require_page(html, path, *([against] if against is not None else []), overwrite=overwrite)
        with progress("audit", quiet=json) as step:
            report = run(path, against=against, workers=workers, progress=step, thumbnails=html is not None)
        if html is not None:
            from quadphase.audit.html import write_html

            write_html(html, report, overwrite=overwrite)
        emit(report.to_dict(), json=json, text=lambda: _print(report, html))
        if report.has_errors:
            raise typer.Exit(int(ExitCode.FINDINGS))


def _print(report: AuditReport, html: Path | None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    counts = report.severity_counts()
    if report.counts:
        table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        table.add_column("code", overflow="fold")
        table.add_column("n", justify="right")
        table.add_column("what, and where", overflow="fold", ratio=1)
        for code, n in report.counts.items():
            findings = report.of(code)
            severity = findings[0].severity.value
            shown = [f"  {f.location}: {f.message}" for f in findings[:EXAMPLES]]
            more = [f"  … {n - EXAMPLES} more"] if n > EXAMPLES else []
            body = "\n".join([f"[bold]{escape(_title(code))}[/]", *map(escape, [*shown, *more])])
            table.add_row(f"[{COLOURS[severity]}]{code}[/]\n[dim]{severity}[/]", str(n), body)
        console.print(table)
    words = ", ".join(f"{n} {name}" if name == "info" else counted(n, name) for name, n in counts.items())
    read = f"{len(report.facts)} of {report.images} volumes read"
    console.print(f"{escape(report.name)}: {counted(report.subjects, 'subject')}, {read}; {words}.", soft_wrap=True)
    if html is not None:
        console.print(f"Report with pictures: {escape(str(html))}", soft_wrap=True)


def _title(code: str) -> str:
    from quadphase.model.catalogue import CATALOGUE

    return CATALOGUE[code].title


def register(app: typer.Typer) -> None:
    app.command()(audit)
