"""`quadphase acquire STUDY SOURCE`: find the cohort's exams in a folder, a PACS or behind DICOMweb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard, progress
from quadphase.errors import ExitCode

if TYPE_CHECKING:
    from quadphase.acquire import AcquireReport

__all__ = ["acquired_text", "register"]


def acquire(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    source: Annotated[
        str, typer.Argument(help="FOLDER, dimse://CALLED_AET@host:port[?calling=AET] or http(s)://host/dicom-web")
    ],
    patients: Annotated[
        list[str] | None,
        typer.Option("--patients", "-p", help="Pseudonyms, e.g. P0001 (repeat, or separate by commas); default: all."),
    ] = None,
    blank_id: Annotated[
        str | None, typer.Option("--blank-id", help="Pseudonym of the patient whose files carry no PatientID.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be fetched; fetch nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Find the cohort's exams and index them; run it again to go on after an interruption."""
    with guard(resumes=True):
        from quadphase.acquire import acquire as run
        from quadphase.io.study import Study
        from quadphase.pipeline.lock import lock_study

        wanted = [case for text in patients for case in text.split(",") if case] if patients else None
        opened = Study(study)
        opened.protocol  # noqa: B018  a missing or wrong protocol stops here, before anything is written
        with lock_study(opened), progress("acquire", quiet=json) as update:
            report = run(opened, source, wanted=wanted, progress=update, dry_run=dry_run, blank_id=blank_id)
        emit(report.to_dict(), json=json, text=acquired_text(report))
        if not report.complete:
            raise typer.Exit(int(ExitCode.SOME_CASES_FAILED))


def acquired_text(report: AcquireReport) -> str:
    """What a data manager wants to know, in a few lines."""
    transfer = report.transfer
    lines: list[str] = []
    if transfer is not None and transfer.dry_run:
        lines += [f"{case}: {series} series" for case, series in sorted(report.wanted.items())]
        lines.append(
            f"Would fetch {transfer.series_wanted} series ({transfer.instances} images) of {transfer.exams_found}"
            f" exams; {transfer.series_before} are here already, {transfer.series_skipped} are not wanted."
        )
    elif transfer is not None:
        rate = transfer.instances / transfer.seconds if transfer.seconds > 0 else 0.0
        lines.append(
            f"Fetched {transfer.series_done} series ({transfer.instances} images, {transfer.bytes / 1e6:.0f} MB,"
            f" {rate:.0f} images/s); {transfer.series_before} were here already, {transfer.series_failed} failed."
        )
    if transfer is None or not transfer.dry_run:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.files.items()))
        lines.append(f"Files: {counts or 'none'}. Opened {report.opened}, forgotten {report.forgotten}.")
        with_exam = len(report.cases) - len(report.without_exam)
        exams = sum(found.exams for found in report.cases.values())
        series = sum(found.series for found in report.cases.values())
        lines.append(f"{with_exam} of {len(report.cases)} patients have a CT: {exams} exams, {series} series.")
        if report.without_exam:
            shown = ", ".join(report.without_exam[:10])
            more = f" and {len(report.without_exam) - 10} more" if len(report.without_exam) > 10 else ""
            lines.append(f"Without a CT: {shown}{more}.")
        if report.unmatched_files:
            lines.append(f"{report.unmatched_files} DICOM files belong to nobody in the clinical table.")
    lines += [f"{f.severity.value}: {f.location}: {f.message}. {f.hint}." for f in report.findings]
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    app.command()(acquire)
