"""`phases.csv`: what a person decided about phases. Columns: case, series, phase, author, time.

``series`` is the stack's name as `quadphase exams` prints it (keyed hash, no identity); ``stack`` with the stack's
number (0-based, as printed) is accepted instead. ``phase`` is P, C1, C2, C3, or ``none`` to leave a stack out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from quadphase.errors import InputError
from quadphase.io.tables import load_numbered_table
from quadphase.model import Phase

__all__ = ["PhaseOverride", "load_overrides"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOverride:
    """One row. ``phase`` None leaves the stack out; exactly one of ``series`` and ``stack`` is given.

    ``row`` is its number as a spreadsheet shows it, for messages; 0 where it is in no table.
    """

    case: str
    series: str | None
    stack: int | None
    phase: Phase | None
    author: str
    time: str
    row: int = field(default=0, compare=False)


def load_overrides(path: Path) -> Mapping[str, tuple[PhaseOverride, ...]]:
    """Overrides by case; empty if the file does not exist.

    Raises
    ------
    InputError
        ``"missing-column"``, ``"bad-phase"``, ``"bad-override"``, with the row's number; those of
        `load_numbered_table`.
    """
    if not path.exists():
        return {}
    found: dict[str, list[PhaseOverride]] = {}
    for number, row in load_numbered_table(path):
        for column in ("case", "phase", "author", "time"):
            if column not in row:
                raise InputError(
                    "missing-column", f"{path} has no column '{column}'", "It needs case, series, phase, author, time"
                )
        override = _override(row, f"{path} row {number}", number)
        found.setdefault(override.case, []).append(override)
    return {case: tuple(items) for case, items in found.items()}


def _override(row: Mapping[str, str], where: str, number: int) -> PhaseOverride:
    word = row["phase"].strip()
    try:
        phase = None if word.lower() == "none" else Phase(word.upper())
    except ValueError:
        raise InputError("bad-phase", f"{where}: '{word}' is no phase", "Write P, C1, C2, C3 or none") from None
    series, stack = row.get("series", ""), row.get("stack", "")
    if not row["case"] or bool(series) == bool(stack) or (stack and not stack.isdigit()):
        raise InputError(
            "bad-override", f"{where} must name a case and one series (or stack number)", "See `quadphase exams`"
        )
    if not row["author"]:
        raise InputError("bad-override", f"{where} has no author", "Every override needs an author and a time")
    try:
        datetime.fromisoformat(row["time"])
    except ValueError:
        raise InputError(
            "bad-override", f"{where}: '{row['time']}' is no time", "Write it as 2025-03-01T09:30"
        ) from None
    return PhaseOverride(
        case=row["case"],
        series=series or None,
        stack=int(stack) if stack else None,
        phase=phase,
        author=row["author"],
        time=row["time"],
        row=number,
    )
