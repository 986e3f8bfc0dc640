"""`quadphase run STUDY`: every automatic stage in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, emit, guard, progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quadphase.model import Finding
    from quadphase.pipeline.run import RunResult

__all__ = ["leave", "print_run", "register"]


def run(
    study: Annotated[Path, typer.Argument(help="Study folder with a protocol.toml.")],
    table: Annotated[Path | None, typer.Option(help="Clinical table (CSV or Excel); else the one read before.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Folder, dimse://AET@host:port or https://…/dicom-web; else what is there.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the release; STUDY/release by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing release.")] = False,
    workers: WorkersOption = 1,
    json: JsonOption = False,
) -> None:
    """Run every automatic stage in order: convert, localize, consensus, release, audit. Run again to go on."""
    with guard(resumes=True):
        from quadphase.pipeline.run import run_study

        result = run_study(
            study,
            table=table,
            source=source,
            out=out,
            replace=overwrite,
            workers=workers,
            progress=lambda title: progress(title, quiet=json),
        )
        emit(result.to_dict(), json=json, text=lambda: print_run(result))
        leave(result)


def print_run(result: RunResult) -> None:
    """The closing summary: what was released, what was held back and why, where to look."""
    from collections import Counter

    from quadphase.cli.acquire import acquired_text
    from quadphase.cli.output import counted
    from quadphase.model import Severity

    published = result.published
    if result.acquired is not None:
        typer.echo(acquired_text(result.acquired))
    if published:
        released = published.summary
        size = released.size_bytes / 1e6
        typer.echo(
            f"Released   {counted(len(released.released), 'case')}, {counted(released.images, 'image')}, {size:.1f} MB"
        )
    else:
        typer.echo("Released   nothing" + (f"; ready are {', '.join(result.ready)}" if result.ready else ""))
        if result.stopped_by is not None:
            typer.echo(f"Why        {result.stopped_by}")
    typer.echo(f"Excluded   {counted(result.excluded, 'patient')} by the protocol's criteria (reports/cohort.csv)")
    typer.echo(f"Held back  {counted(len(result.held), 'case')}" + (":" if result.held else ""))
    for outcome in result.held:
        typer.echo(f"  {outcome.case}  {outcome.stage}: {'; '.join(reason.text for reason in outcome.reasons)}")

    def codes(findings: Iterable[Finding]) -> str:
        found = Counter(finding.code for finding in findings if finding.severity is not Severity.INFO)
        return ", ".join(f"{code} ×{n}" for code, n in found.most_common())

    if said := codes(finding for outcome in result.outcomes for finding in outcome.findings):
        typer.echo(f"Findings   {said}")
    if published:
        counts = published.audit.severity_counts()
        said = codes(published.audit.findings)
        typer.echo(
            f"Audit      {counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}"
            + (f" ({said})" if said else "")
            + f"; {counted(published.scan.files, 'file')} searched for identifiers, none found"
        )
        typer.echo(f"Look at    {published.out / 'report.html'}")
    else:
        typer.echo(f"Look at    {result.study / 'reports'}")


def leave(result: RunResult) -> None:
    """Exit code 3 when a case was held back or failed, or not everything could be acquired."""
    from quadphase.errors import ExitCode

    partly = result.acquired is not None and not result.acquired.complete
    if result.held or result.published is None or partly:
        raise typer.Exit(int(ExitCode.SOME_CASES_FAILED))


def register(app: typer.Typer) -> None:
    app.command()(run)
