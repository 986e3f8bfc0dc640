"""`quadphase agree MASK_A MASK_B`: agreement of two masks, on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard

__all__ = ["register"]


def agree(
    mask_a: Annotated[Path, typer.Argument(help="NIfTI mask of one reader; every non-zero voxel counts.")],
    mask_b: Annotated[Path, typer.Argument(help="NIfTI mask of the other reader.")],
    json: JsonOption = False,
) -> None:
    """Agreement of two masks: Dice, volumes in ml and their difference, and the slices that differ (0-based)."""
    with guard():
        from quadphase.imaging.overlap import overlap
        from quadphase.io.nifti import load_mask

        result = overlap(load_mask(mask_a), load_mask(mask_b))

        def text() -> None:
            dice = "undefined (both masks are empty)" if result.dice is None else f"{result.dice:.4f}"
            slices = ", ".join(str(k) for k in result.differing_slices) or "none"
            typer.echo(f"Dice                {dice}")
            typer.echo(f"Volume A            {result.volume_a_ml:.2f} ml")
            typer.echo(f"Volume B            {result.volume_b_ml:.2f} ml")
            typer.echo(f"Volume difference   {result.difference_ml:.2f} ml")
            typer.echo(f"Differing slices    {slices} (0-based)")

        emit(result.to_dict(), json=json, text=text)


def register(app: typer.Typer) -> None:
    app.command()(agree)
