"""`quadphase annotate …`: readings in, sealed, compared, and brought to a consensus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quadphase.cli.output import JsonOption, emit, guard

__all__ = ["register"]

group = typer.Typer(help="Readers' lesion masks: import, seal, compare, adjudicate.", no_args_is_help=True)

StudyArgument = Annotated[Path, typer.Argument(help="Study folder.")]
ReaderArgument = Annotated[str, typer.Argument(help="Reader as named in the protocol, e.g. A.")]
CasesOption = Annotated[list[str] | None, typer.Option("--case", help="Only this case; may be given more than once.")]


@group.command("import")
def import_(
    study: StudyArgument,
    reader: ReaderArgument,
    folder: Annotated[Path, typer.Argument(help="Folder with CASE/PHASE.nii.gz, e.g. P0137/C1.nii.gz.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let a mask take the place of a different one of the same phase.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Import one reader's masks, beside those imported before; each must lie on the grid of its CT."""
    with guard():
        from quadphase.pipeline.reading import import_readings

        _show(import_readings(study, reader, folder, replace=overwrite), json=json)


@group.command()
def seal(
    study: StudyArgument,
    reader: ReaderArgument,
    tool: Annotated[str, typer.Option(help="What the masks were drawn with, e.g. 'ITK-SNAP 4.2'.")] = "",
    case: CasesOption = None,
    json: JsonOption = False,
) -> None:
    """Seal a reader's readings: from now on they are evidence and never change."""
    with guard():
        from quadphase.pipeline.reading import seal_readings

        _show(seal_readings(study, reader, tool=tool, cases=case), json=json)


@group.command()
def agree(study: StudyArgument, json: JsonOption = False) -> None:
    """Agreement of the readers on every case all of them have sealed; written to reports/agreement.json."""
    with guard():
        from quadphase.pipeline.reading import write_agreement

        result = write_agreement(study)

        def text() -> None:
            for key, title in (("dice", "Dice"), ("volume_difference_ml", "Volume difference (ml)")):
                s = result[key]
                if s["n"]:
                    sd = "-" if s["sd"] is None else f"{s['sd']:.4f}"
                    typer.echo(f"{title:<24} n {s['n']}  mean {s['mean']:.4f}  median {s['median']:.4f}  SD {sd}")
            if not result["rows"]:
                typer.echo(f"No case is sealed by all readers ({', '.join(result['readers'])}) yet")
                return
            typer.echo(f"{len(result['rows'])} pairs of masks, {result['both_empty']} of them both empty")
            for case in result["identical_cases"]:
                typer.echo(f"{case}: all readers sealed the same voxels; was one reading handed in twice?")

        emit(result, json=json, text=text)


@group.command()
def adjudicate(
    study: StudyArgument,
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder with CASE/PHASE.nii.gz of the masks agreed on; none: only equal readings."),
    ] = None,
    author: Annotated[str, typer.Option(help="Who answers for the adjudicated masks.")] = "adjudication",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let another decision take the place of the consensus that is there.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Build the consensus of every case all readers have sealed."""
    with guard():
        from quadphase.pipeline.reading import build_consensuses

        _show(build_consensuses(study, folder, author=author, replace=overwrite), json=json)


@group.command()
def status(study: StudyArgument, json: JsonOption = False) -> None:
    """Who has read and sealed what, and what people must still decide."""
    with guard():
        from quadphase.pipeline.reading import reading_status

        rows = reading_status(study)

        def text() -> None:
            if not rows:
                typer.echo("No converted cases yet")
            for row in rows:
                readers = "  ".join(f"{name}: {state}" for name, state in row["readers"].items())
                typer.echo(f"{row['case']}  {readers}  consensus: {'yes' if row['consensus'] else 'no'}")

        emit({"cases": rows}, json=json, text=text)


def _show(outcomes: Any, *, json: bool) -> None:
    from quadphase.cli.outcomes import finish

    finish(outcomes, json=json)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="annotate")
