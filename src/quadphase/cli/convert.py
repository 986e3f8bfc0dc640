"""`quadphase convert STUDY`, or `quadphase convert FOLDER OUT` on its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, emit, guard, progress

if TYPE_CHECKING:
    from quadphase.convert.folder import FolderReport

__all__ = ["register"]


def convert(
    source: Annotated[Path, typer.Argument(help="Study folder, or a folder of DICOM files at any depth.")],
    out: Annotated[Path | None, typer.Argument(help="Where the volumes of a DICOM folder go (a new folder).")] = None,
    deskew: Annotated[bool, typer.Option("--deskew", help="Straighten gantry tilt by resampling.")] = False,
    resample: Annotated[
        float | None, typer.Option("--resample", metavar="MM", min=0.01, help="Resample to this even slice spacing.")
    ] = None,
    fill_gaps: Annotated[bool, typer.Option("--fill-gaps", help="Interpolate missing slices.")] = False,
    minimum_slices: Annotated[int, typer.Option(min=1, help="A stack with fewer slices is no volume.")] = 10,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing output.")] = False,
    to: Annotated[str, typer.Option(help="nifti, or dicom-seg for a mask (needs --slices).")] = "nifti",
    slices: Annotated[Path | None, typer.Option(help="DICOM folder a mask was drawn on.")] = None,
    stack: Annotated[int | None, typer.Option(help="Its stack, where several lie on one grid (0-based).")] = None,
    segment: Annotated[str, typer.Option(help="What the mask is: liver or lesion.")] = "lesion",
    workers: WorkersOption = 1,
    json: JsonOption = False,
) -> None:
    """Make exact volumes of DICOM series, or say why not. Nothing is resampled unless asked.

    With a study, the protocol's `[convert]` section decides; the options here are for the form FOLDER OUT.
    A mask becomes a DICOM Segmentation with `MASK.nii.gz OUT.dcm --to dicom-seg --slices FOLDER`, and back
    with `SEG.dcm OUT`.
    """
    with guard(resumes=out is None):
        of_masks = {
            "--to": to != "nifti",
            "--slices": slices,
            "--stack": stack is not None,
            "--segment": segment != "lesion",
        }
        of_resampling = {"--deskew": deskew, "--resample": resample, "--fill-gaps": fill_gaps}
        of_folders = {**of_resampling, "--minimum-slices": minimum_slices != 10}
        if out is not None and source.is_file():
            _only("a mask", of_folders)
            _masks(source, out, to=to, slices=slices, stack=stack, segment=segment, overwrite=overwrite, json=json)
            return
        if out is not None:
            _only("a folder of DICOM", of_masks)
            _folder(
                source,
                out,
                options={
                    "deskew": deskew,
                    "resample_mm": resample,
                    "fill_gaps": fill_gaps,
                    "minimum_slices": minimum_slices,
                },
                overwrite=overwrite,
                json=json,
            )
            return
        _only("a study, whose protocol.toml decides", {**of_folders, **of_masks, "--overwrite": overwrite})
        from quadphase.cli.outcomes import finish
        from quadphase.pipeline.single import convert_study

        outcomes = convert_study(source, workers=workers, progress=lambda title: progress(title, quiet=json))
        finish(outcomes, json=json)


def _only(what: str, foreign: Mapping[str, object]) -> None:
    """Refuse options that mean nothing for this form of the command."""
    from quadphase.errors import InputError

    if given := [name for name, value in foreign.items() if value]:
        raise InputError("foreign-option", f"{', '.join(given)} cannot be used with {what}", "Leave it out")


def _folder(source: Path, out: Path, *, options: dict[str, object], overwrite: bool, json: bool) -> None:
    from quadphase.convert.folder import convert_folder
    from quadphase.errors import ExitCode
    from quadphase.model.protocol.sections import ConvertSection

    settings = ConvertSection.model_validate(options)
    with progress("convert", quiet=json) as report:
        result = convert_folder(source, out, settings=settings, overwrite=overwrite, progress=report)
    emit({**result.to_dict(), "out": str(out)}, json=json, text=lambda: _print(result, out))
    refused = any(
        stack.volume is None and any(f.severity == "error" for f in stack.findings) for stack in result.stacks
    )
    if refused or result.n_volumes == 0 or any(f.severity == "error" for f in result.findings):
        raise typer.Exit(int(ExitCode.FINDINGS))


def _masks(
    source: Path,
    out: Path,
    *,
    to: str,
    slices: Path | None,
    stack: int | None,
    segment: str,
    overwrite: bool,
    json: bool,
) -> None:
    """A mask to a DICOM Segmentation, or a DICOM Segmentation to masks."""
    from quadphase.convert.drawn_on import stack_referred_to, stack_under
    from quadphase.convert.exam import read_stacks
    from quadphase.convert.segmentation import load_segmentation, save_segmentation
    from quadphase.errors import InputError
    from quadphase.io import atomic
    from quadphase.io.nifti import load_mask, save_mask
    from quadphase.model.protocol.sections import ConvertSection

    if to not in ("nifti", "dicom-seg"):
        raise InputError("unknown-format", f"There is no format '{to}'", "Use nifti or dicom-seg")
    if to == "dicom-seg" and slices is None:
        raise InputError("no-slices", "A DICOM Segmentation refers to DICOM slices", "Name their folder with --slices")
    if slices is not None and not slices.exists():
        raise InputError("missing-folder", f"There is no file or folder {slices}", "Check the name")
    found = read_stacks([slices], settings=ConvertSection(minimum_slices=1)).stacks if slices else ()
    if slices is not None and not any(one.usable and stack in (None, one.index) for one in found):
        raise InputError("no-stack", f"{slices} holds no such stack", "See `quadphase convert FOLDER OUT --json`")
    given = [source, *([slices] if slices else [])]
    if to == "dicom-seg":
        atomic.require_apart(out, given)
        atomic.require_file(out, overwrite=overwrite)
        mask = load_mask(source)
        under = stack_under(mask, [one for one in found if stack in (None, one.index)])
        path = save_segmentation(out, {segment: mask}, under, overwrite=overwrite)
        emit({"segmentation": str(path), "volume_ml": mask.volume_ml}, json=json, text=f"{segment} in {path}")
        return
    segments = load_segmentation(source)
    if found and segments:
        segments = load_segmentation(source, stack_referred_to(source, segments[0].mask, found, index=stack))
    paths = [out / f"segment{number:02d}.nii.gz" for number in range(1, len(segments) + 1)]
    for path in paths:  # all, before any is written
        atomic.require_apart(path, given)
        atomic.require_file(path, overwrite=overwrite)
    for path, one in zip(paths, segments, strict=True):
        save_mask(path, one.mask)
    written = [str(path) for path in paths]
    emit({"masks": written, "names": [one.name for one in segments]}, json=json, text="\n".join(written))


def _print(result: FolderReport, out: Path) -> None:
    for stack in result.stacks:
        part = f" part {stack.part}/{stack.parts}" if stack.parts > 1 else ""
        series = "no series number" if stack.series_number is None else f"series {stack.series_number}"
        size = f"{stack.n_slices} slices, {stack.slice_spacing_mm:g} mm"
        kept = stack.volume or "refused"
        typer.echo(f"exam {stack.exam}  stack {stack.stack}  {series + part:<22} {size:<24} {kept}")
        for f in stack.findings:
            if f.severity != "info" or stack.volume is None:
                typer.echo(f"    {f.severity:<8}{f.message} [{f.code}]")
    for f in result.findings:
        typer.echo(f"{f.severity:<8}{f.location}: {f.message} [{f.code}]")
    typer.echo(f"{result.n_volumes} volumes of {len(result.stacks)} stacks, {result.n_files} files read; in {out}")


def register(app: typer.Typer) -> None:
    app.command()(convert)
