"""`quadphase figures RELEASE OUT`: the paper's figures from any release with its table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard, progress

__all__ = ["register"]


def figures(
    source: Annotated[Path, typer.Argument(help="Folder of a release.")],
    out: Annotated[Path, typer.Argument(help="New folder for the SVG and PNG files.")],
    subject: Annotated[str | None, typer.Option(help="Pseudonym to show; by default a typical case.")] = None,
    phase: Annotated[str | None, typer.Option(help="P, C1, C2 or C3; by default arterial (C1).")] = None,
    agreement: Annotated[
        Path | None, typer.Option(help="A study's reports/agreement.json, for the plots of the readers' agreement.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier folder of figures.")] = False,
    json: JsonOption = False,
) -> None:
    """Draw the figures: consecutive slices, three planes and rendering, phases, sample table, overview, agreement."""
    with guard():
        from quadphase.errors import InputError
        from quadphase.io import atomic
        from quadphase.io.json_file import load_json
        from quadphase.io.release import Release
        from quadphase.model import Phase
        from quadphase.release.figures.agreement import agreement_pairs
        from quadphase.release.figures.write import is_figures_folder, write_figures
        from quadphase.statistics.measures import release_measures, stored_measures

        if phase is not None and phase not in list(Phase):
            raise InputError("bad-phase", f"'{phase}' is not a phase", "Choose P, C1, C2 or C3")
        read_twice = load_json(agreement) if agreement is not None else None
        if read_twice is not None:
            agreement_pairs(read_twice)  # a wrong file is refused before any image is measured
        release = Release(source)
        given = [release.root, *([agreement] if agreement is not None else [])]
        atomic.require_target(out, replace=overwrite, recognised=is_figures_folder, inputs=given)
        measures = stored_measures(release.root)
        if measures is None and subject is None:  # a typical case can only be chosen among all
            with progress("measure", quiet=json) as report:
                measures = release_measures(release, progress=report)
        with atomic.new_folder(out, replace=overwrite, recognised=is_figures_folder, inputs=given) as folder:
            drawn = write_figures(
                release,
                folder,
                measures or (),
                subject=subject,
                phase=Phase(phase) if phase is not None else None,
                agreement=read_twice,
            )
        names = sorted(path.name for path in drawn)
        emit({"folder": str(out), "files": names}, json=json, text=f"{len(names)} files in {out}: {', '.join(names)}")


def register(app: typer.Typer) -> None:
    app.command()(figures)
