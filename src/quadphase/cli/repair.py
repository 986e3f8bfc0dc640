"""`quadphase repair RELEASE OUT`: a corrected copy of a flawed release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, counted, emit, guard, progress

if TYPE_CHECKING:
    from quadphase.audit.repair import RepairReport

__all__ = ["register"]


def repair(
    release: Annotated[Path, typer.Argument(help="Folder of the flawed release; it is never changed.")],
    out: Annotated[Path, typer.Argument(help="New folder for the corrected copy.")],
    spacing: Annotated[
        Path | None,
        typer.Option("--spacing", help="Table: patient_id, phase, spacing_i_mm, spacing_j_mm, slice_spacing_mm."),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Estimate spacings the table does not give; each with its uncertainty.")
    ] = False,
    json: JsonOption = False,
    workers: WorkersOption = 2,
) -> None:
    """Write a corrected copy: orientation, slice order, components, spacing, HU; provenance.csv says what and why."""
    with guard(resumes=True):
        from quadphase.audit.repair import repair as run

        with progress("repair", quiet=json) as step:
            report = run(release, out, spacing=spacing, estimate=estimate, workers=workers, progress=step)
        emit(report.to_dict(), json=json, text=_text(report))


def _text(report: RepairReport) -> str:
    lines = [f"{counted(report.images, 'image')} → {report.out}"]
    for status, counts in report.counts().items():
        said = ", ".join(f"{what} of {n}" for what, n in counts.items()) or "nothing"
        lines.append(f"  {status + ':':<10}{said}")
    lines += [f"Every line: {report.out / 'provenance.csv'}", f"Now check it: quadphase audit {report.out}"]
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    app.command()(repair)
