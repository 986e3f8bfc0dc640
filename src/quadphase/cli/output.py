"""What every command shares: one-line errors, one JSON object on standard output, progress on a terminal.

A command is written as ``with guard(): …; emit(value, json=json, text=render)``. Anything people read goes to standard
error (progress, errors) or standard output (results); with ``--json`` standard output holds exactly one object.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from quadphase.errors import ExitCode, QuadphaseError, place_of
from quadphase.interrupts import interrupt_held

__all__ = [
    "INTERRUPTED",
    "JsonOption",
    "Progress",
    "WorkersOption",
    "counted",
    "emit",
    "guard",
    "print_anything",
    "progress",
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
WorkersOption = Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes that work at the same time.")]


INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""


class Progress(Protocol):
    """Callback of long work: ``(done, total, label)``; `label` is free of identity."""

    def __call__(self, done: int, total: int, label: str) -> None: ...


@contextmanager
def guard(*, resumes: bool = False) -> Iterator[None]:
    """Turn an expected exception into one line on standard error and its exit code; never a traceback.

    With `resumes` the command goes on, when it is run again, with what it had finished when it was interrupted.
    What the system refuses is told with the path of the command line it lies under, and no deeper: a source's folders
    and files may be named after people. Other exceptions are reported by type and place only, for the same reason.
    """
    try:
        yield
    except QuadphaseError as error:
        _say(" ".join(_sentence(part) for part in (error.message, error.hint) if part))
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        with interrupt_held():
            _say(
                "Interrupted; finished work is kept, run the same command to go on."
                if resumes
                else "Interrupted; run the same command to begin again."
            )
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            _say(_refusal(error))
            raise typer.Exit(int(ExitCode.USAGE)) from None
        _say(f"This is a defect of quadphase: {place_of(error)}. Please report it with this line.")
        raise typer.Exit(int(ExitCode.USAGE)) from None


def _sentence(text: str) -> str:
    return text if text.endswith(("?", "!")) else f"{text.rstrip('.')}."


def _say(line: str) -> None:
    print("quadphase: " + " ".join(line.split()), file=sys.stderr)  # noqa: T201


def _refusal(error: OSError) -> str:
    """Why the system refused, and the longest path of the command line that the refused one is or lies under."""
    typed = [Path(word) for word in sys.argv[1:] if word]
    refused = [Path(name).absolute() for name in (error.filename, error.filename2) if isinstance(name, str)]
    above = [path for path in typed if any(name.is_relative_to(path.absolute()) for name in refused)]
    where = f", at or below {max(above, key=lambda path: len(path.parts))}" if above else ""
    return f"The system refused: {error.strerror}{where}. Check rights, names and free space there."


def print_anything() -> None:
    """Let a terminal or file of any encoding take any text: what it cannot show is written as its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(value: Any, *, json: bool, text: Callable[[], None] | str = "") -> None:
    """Print the result: `value` as JSON in UTF-8, or `text` (printed, or called when it is a function)."""
    if json:
        line = json_module.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n"
        sys.stdout.flush()
        # A name that is no UTF-8 is kept as lone surrogates, whose escape is JSON's own.
        sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
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
