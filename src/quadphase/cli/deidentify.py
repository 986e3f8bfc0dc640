"""`quadphase deidentify scan|dicom|score`: prove that a release is clean, clean DICOM, judge cleaned DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard, progress

if TYPE_CHECKING:
    from quadphase.deidentify import ScanReport

__all__ = ["register"]

app = typer.Typer(help="Prove that a release is clean; clean DICOM for sharing.", no_args_is_help=True)

StudyOption = Annotated[Path, typer.Option("--study", help="Study whose ledger knows the identifiers.")]


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(help="File or folder about to be released.")],
    study: StudyOption,
    allow: Annotated[list[str] | None, typer.Option("--allow", help="Text that is public on purpose.")] = None,
    json: JsonOption = False,
) -> None:
    """Search every byte of PATH for every identifier of the study. Exit code 5 when one is found."""
    with guard():
        from quadphase.deidentify import scan as scan_bytes
        from quadphase.errors import ExitCode, InputError
        from quadphase.io.ledger import Ledger
        from quadphase.io.study import Study

        home = Study(study)
        if not (home.restricted / "ledger.sqlite").is_file():
            raise InputError(
                "no-ledger", f"There is no ledger in {study}", "Name the study folder the release came from"
            )
        with Ledger(home.ledger_url) as ledger:
            identifiers = ledger.identifiers()
        if not identifiers:
            raise InputError(
                "empty-ledger", f"The ledger of {study} knows no identifiers", "Run `quadphase cohort` first"
            )
        with progress("Scanning", quiet=json) as update:
            report = scan_bytes(path, identifiers, allow=allow or (), progress=update)
        emit(report.to_dict(), json=json, text=lambda: _show(report))
        if not report.is_clean:
            raise typer.Exit(int(ExitCode.PRIVACY_STOP))


def _show(report: ScanReport) -> None:
    for finding in report.findings:
        typer.echo(f"{finding.severity.value:7} {finding.code}: {finding.location}: {finding.message}")
    verdict = "clean" if report.is_clean else "NOT clean: do not release"
    typer.echo(
        f"{report.files} files, {report.bytes / 1e6:.1f} MB, {report.identifiers} identifiers searched: {verdict}."
    )


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="deidentify")
