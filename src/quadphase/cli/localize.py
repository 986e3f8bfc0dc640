"""`quadphase localize STUDY`, or `quadphase localize CT.nii.gz MASK.nii.gz` on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, WorkersOption, emit, guard, progress

__all__ = ["register"]


def localize(
    source: Annotated[Path, typer.Argument(help="Study folder, or a CT volume in HU (NIfTI).")],
    mask: Annotated[Path | None, typer.Argument(help="Where to write the liver mask of a single CT.")] = None,
    backend: Annotated[
        str | None, typer.Option(help="builtin, totalsegmentator, livermask or command; by default the protocol's.")
    ] = None,
    command: Annotated[str, typer.Option(help="For the command backend: a command line with {ct} and {mask}.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the existing mask of a single CT.")] = False,
    workers: WorkersOption = 1,
    json: JsonOption = False,
) -> None:
    """Find the liver: masks and slice ranges of every case, or the mask of one CT."""
    with guard(resumes=mask is None):
        if mask is not None:
            _refuse_for_one(backend=backend, command=command, workers=workers)
            _one(source, mask, backend=backend or "builtin", command=command, overwrite=overwrite, json=json)
            return
        _refuse_for_study(source, backend=backend, command=command, overwrite=overwrite)
        from quadphase.cli.outcomes import finish
        from quadphase.pipeline.single import localize_study

        outcomes = localize_study(
            source,
            backend=backend,
            command=command,
            workers=workers,
            progress=lambda title: progress(title, quiet=json),
        )
        finish(outcomes, json=json)


def _refuse_for_one(*, backend: str | None, command: str, workers: int) -> None:
    """Options that would do nothing with a single CT."""
    from quadphase.errors import InputError

    if workers > 1:
        raise InputError("study-options", "--workers is for a study", "One CT is the work of one process; leave it out")
    _refuse_command(backend or "builtin", command)


def _refuse_for_study(source: Path, *, backend: str | None, command: str, overwrite: bool) -> None:
    """A CT without a mask's name, and options that would do nothing with a study."""
    from quadphase.errors import InputError
    from quadphase.io.study import Study

    if source.is_file():
        raise InputError("no-mask-name", f"{source} is a file, not a study", "For one CT name the mask to write too")
    if overwrite:
        raise InputError(
            "single-options",
            "--overwrite is for a single CT",
            "A study's masks are made again when an input, a setting or a version changed, or once they are removed",
        )
    _refuse_command(backend or Study(source).protocol.localize.backend, command)


def _refuse_command(backend: str, command: str) -> None:
    from quadphase.errors import InputError

    if command and backend != "command":
        raise InputError("unused-command", f"The {backend} backend takes no --command", "Add --backend command")


def _one(source: Path, target: Path, *, backend: str, command: str, overwrite: bool, json: bool) -> None:
    from quadphase.errors import InputError
    from quadphase.io import atomic
    from quadphase.io.nifti import load_volume, require_nifti_name, save_mask
    from quadphase.localize.backends import find_liver_with

    if source.is_dir():
        raise InputError("not-nifti", f"{source} is a folder", "With two arguments the first is a CT volume")
    require_nifti_name(target)
    atomic.require_apart(target, [source])
    atomic.require_file(target, overwrite=overwrite)
    result = find_liver_with(backend, load_volume(source), command=command)
    save_mask(target, result.mask)
    first, stop = result.k_range
    emit(
        {
            "mask": str(target),
            "confidence": result.confidence,
            "first": first,
            "stop": stop,
            "volume_ml": result.mask.volume_ml,
            "flags": [flag.value for flag in result.flags],
            "reasons": list(result.reasons),
        },
        json=json,
        text=f"Liver {result.mask.volume_ml:.0f} ml, slices {first}..{stop - 1} (0-based), "
        f"confidence {result.confidence:.2f}; mask in {target}" + "".join(f"\n  {reason}" for reason in result.reasons),
    )


def register(app: typer.Typer) -> None:
    app.command()(localize)
