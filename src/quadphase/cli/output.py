"""What every command shares: one-line errors, one JSON object on standard output, progress on a terminal.

A command is written as ``with guard(): …; emit(value, json=json, text=render)``. Anything people read goes to standard
error (progress, errors) or standard output (results); with ``--json`` standard output holds exactly one object.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import typer

from quadphase.errors import ExitCode, QuadphaseError

__all__ = ["JsonOption", "Progress", "WorkersOption", "counted", "emit", "guard", "progress"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
WorkersOption = Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes that work at the same time.")]


class Progress(Protocol):
    """Callback of long work: ``(done, total, label)``; `label` is free of identity."""

    def __call__(self, done: int, total: int, label: str) -> None: ...


@contextmanager
def guard() -> Iterator[None]:
    """Turn an expected exception into one line on standard error and its exit code; never a traceback.

    Unexpected exceptions are reported by type and place only: their text could hold an identifier.
    """
    try:
        yield
    except QuadphaseError as error:
        _say(". ".join(part.rstrip(".") for part in (error.message, error.hint) if part) + ".")
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        _say("Interrupted; finished work is kept, run the same command to go on.")
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
        _say(f"This is a defect of quadphase: {type(error).__name__} at {where}. Please report it with this line.")
        raise typer.Exit(int(ExitCode.USAGE)) from None


def _say(line: str) -> None:
    print("quadphase: " + " ".join(line.split()), file=sys.stderr)  # noqa: T201


def emit(value: Any, *, json: bool, text: Callable[[], None] | str = "") -> None:
    """Print the result: `value` as JSON, or `text` (printed, or called when it is a function)."""
    if json:
        sys.stdout.write(json_module.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n")
    elif callable(text):
        text()
    elif text:
        sys.stdout.write(text + "\n")


def counted(number: int, noun: str) -> str:
    """``1 warning``, ``2 warnings``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error when that is a terminal; a line now and then when it is a log file."""
    if quiet:
        yield lambda done, total, label: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[label]}"),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None, label="")

        def update(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, label=label)

        yield update
    if not console.is_terminal:
        finished = bar.tasks[0]
        console.print(f"{title}: {int(finished.completed)} done in {finished.elapsed or 0:.1f} s", highlight=False)
