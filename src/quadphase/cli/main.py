"""The `quadphase` command. Each subcommand has a file of its own beside this one and registers itself here."""

from __future__ import annotations

import atexit
import os
import signal
from importlib import import_module
from typing import Annotated

import typer

from quadphase.cli.output import INTERRUPTED, print_anything

__all__ = ["app", "main"]

COMMANDS = (
    "demo", "init", "cohort", "acquire", "convert", "exams", "localize", "annotate", "agree", "deidentify", "release",
    "pack", "audit", "table1", "figures", "repair", "run",
)  # fmt: skip
"""Modules of this folder, in the order `--help` shows them."""

app = typer.Typer(
    name="quadphase",
    help="Build, prove and serve multi-phase contrast-enhanced CT datasets.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from quadphase import __version__

        typer.echo(f"quadphase {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
) -> None:
    """Build, prove and serve multi-phase contrast-enhanced CT datasets."""


for name in COMMANDS:
    import_module(f"quadphase.cli.{name}").register(app)


def main() -> None:
    """Entry point of the console script."""
    print_anything()
    try:
        app()
    except KeyboardInterrupt:  # pressed again on the way out
        raise SystemExit(INTERRUPTED) from None
    finally:
        _end_quietly()


def _end_quietly() -> None:
    """Python on its way out would answer Ctrl-C with a traceback: one is ignored there, one more ends what hangs."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED)))
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # threads, which could hang, are gone by then
