"""`quadphase release STUDY OUT`: publish what is ready."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, emit, guard, progress

__all__ = ["register"]


def release(
    study: Annotated[Path, typer.Argument(help="Study folder.")],
    out: Annotated[Path, typer.Argument(help="Folder of the release; must not exist.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing release.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; list what is ready and what is not.")
    ] = False,
    workers: WorkersOption = 1,
    json: JsonOption = False,
) -> None:
    """Release every case that is ready: crop, window, tables, figures, proof, audit. All or nothing."""
    with guard():
        from quadphase.cli.run import leave, print_run
        from quadphase.pipeline.single import release_study

        result = release_study(
            study,
            out,
            replace=overwrite,
            dry_run=dry_run,
            workers=workers,
            progress=lambda title: progress(title, quiet=json),
        )
        emit(result.to_dict(), json=json, text=lambda: print_run(result))
        if not dry_run:
            leave(result)


def register(app: typer.Typer) -> None:
    app.command()(release)
