"""`quadphase init STUDY`: start a study with the paper's protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quadphase.cli.output import JsonOption, emit, guard

__all__ = ["register"]


def init(
    study: Annotated[Path, typer.Argument(help="Folder of the new study; made if it does not exist.")],
    json: JsonOption = False,
) -> None:
    """Start a study: a commented protocol.toml with the paper's values, and a private folder with a new key."""
    with guard():
        from quadphase.io.study import Study

        made = Study.create(study)
        emit(
            {"study": str(made.root), "protocol": str(made.protocol_path)},
            json=json,
            text=f"Study in {made.root}.\nRead and edit {made.protocol_path}, then: quadphase cohort {study} TABLE.csv",
        )


def register(app: typer.Typer) -> None:
    app.command()(init)
