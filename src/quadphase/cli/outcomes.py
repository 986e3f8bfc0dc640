"""How commands over many cases end: a short table for people, one object for machines, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from quadphase.cli.output import emit
from quadphase.errors import ExitCode

if TYPE_CHECKING:
    from quadphase.model import Outcome

__all__ = ["finish", "print_outcomes"]


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """One line a case that was held back or failed, with its reasons; a count of the others; findings by code."""
    from collections import Counter

    from quadphase.model import Severity, Status

    for o in outcomes:
        if o.status in (Status.HELD, Status.FAILED):
            typer.echo(f"  {o.case}  {o.status}: {'; '.join(r.text for r in o.reasons)}")
    for o in outcomes:
        for f in o.findings:
            if f.severity is not Severity.INFO:
                typer.echo(f"  {f.severity:<8}{f.location}: {f.message} [{f.code}]")
    counts = Counter(o.status.value for o in outcomes)
    typer.echo(", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "no cases")


def finish(outcomes: Sequence[Outcome], *, json: bool) -> None:
    """Show outcomes and leave with 0, or 3 when some case failed or was held back."""
    from quadphase.model import Status

    emit({"outcomes": [o.to_dict() for o in outcomes]}, json=json, text=lambda: print_outcomes(outcomes))
    if any(o.status in (Status.HELD, Status.FAILED) for o in outcomes):
        raise typer.Exit(int(ExitCode.SOME_CASES_FAILED))
