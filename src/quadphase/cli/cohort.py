"""`quadphase cohort STUDY TABLE`: who is in the study, with every reason, and the flow diagram."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard

if TYPE_CHECKING:
    from quadphase.cohort import CohortResult

__all__ = ["register"]


def cohort(
    study: Annotated[Path, typer.Argument(help="Study folder, made by `quadphase init`.")],
    table: Annotated[Path, typer.Argument(help="Clinical table of the hospital: CSV, TSV or Excel.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide and count; write nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Apply the protocol's criteria to the clinical table; give pseudonyms; draw the flow diagram."""
    with guard():
        from quadphase.cohort import run_cohort
        from quadphase.io.study import Study
        from quadphase.pipeline.lock import lock_study

        opened = Study(study)
        _ = opened.protocol
        with nullcontext() if dry_run else lock_study(opened):
            result = run_cohort(opened, table, dry_run=dry_run)
        emit(result.to_dict(), json=json, text=lambda: _print(result))


def _print(result: CohortResult) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    step = result.flow.steps[0]
    out = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    out.add_column(justify="right")
    out.add_column()
    out.add_row(str(result.flow.total), f"patients in {result.rows} rows of the table")
    out.add_row(str(step.out), "excluded")
    for title, n in step.reasons:
        out.add_row("", f"{n:>5}  {escape(title)}")
    by_label = ", ".join(f"{label} {n}" for label, n in step.passed_by_diagnosis.items())
    out.add_row(str(step.passed), f"eligible{f' ({by_label})' if by_label else ''}")
    console.print(out)
    for finding in result.findings:
        hint = f" ({finding.hint})" if finding.hint else ""
        console.print(f"{finding.severity.value}: {escape(finding.location)}: {escape(finding.message)}{escape(hint)}")
    if result.reports:
        console.print("Reports: " + ", ".join(escape(str(path)) for path in result.reports))
    else:
        console.print("Dry run: nothing was written.")


def register(app: typer.Typer) -> None:
    app.command()(cohort)
