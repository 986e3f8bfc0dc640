"""`quadphase demo OUT`: a synthetic hospital becomes a released and audited dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, emit, guard, progress

__all__ = ["register"]


def demo(
    out: Annotated[Path, typer.Argument(help="Folder for hospital, study and release; replaces an earlier demo.")],
    patients: Annotated[int, typer.Option(min=1, help="Eligible patients.")] = 6,
    seed: Annotated[int, typer.Option(help="Same seed, same hospital.")] = 0,
    matrix: Annotated[int, typer.Option(min=64, max=512, help="Columns and rows of the images.")] = 256,
    workers: WorkersOption = 2,
    json: JsonOption = False,
) -> None:
    """Make a synthetic hospital and take it the whole way: cohort, DICOM, livers, two readers, release, audit."""
    with guard():
        from quadphase.pipeline.demo import make_demo

        made = make_demo(
            out,
            patients=patients,
            seed=seed,
            matrix=matrix,
            workers=workers,
            progress=lambda title: progress(title, quiet=json),
        )

        def text() -> None:
            from quadphase.cli.run import print_run

            print_run(made.result)
            typer.echo(f"Hospital   {made.hospital.root} (what a PACS and a clinical table would hold)")
            typer.echo(f"Study      {made.result.study} (protocol, masks, readings, reports)")

        emit({"hospital": str(made.hospital.root), **made.result.to_dict()}, json=json, text=text)


def register(app: typer.Typer) -> None:
    app.command()(demo)
