"""Slice ranges that people set: `liver_range.csv`.

One row per case and phase. ITK-SNAP counts slices from 1 and shows the last one it includes, other programs count from
0, and nothing in the numbers tells which: so the table must say, row by row, in the column `index_base`. Inside
quadphase a range is half-open and 0-based.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from quadphase.io.tables import load_numbered_table
from quadphase.localize.results import LocalizeError
from quadphase.model import Phase

__all__ = ["RangeOverride", "load_range_overrides"]

REQUIRED = ("case", "phase", "first", "last", "index_base")


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOverride:
    """Slices of one phase that a person chose.

    Parameters
    ----------
    first, stop : int
        Half-open, 0-based indices of the last array axis.
    author, time : str
        Who set it and when, as written in the table; may be blank.
    row : int
        Number of the row as a spreadsheet shows it, for messages; 0 where it is in no table.
    """

    first: int
    stop: int
    author: str = ""
    time: str = ""
    row: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.stop:
            raise LocalizeError(
                "bad-range", f"{self.first}..{self.stop} is no range of slices", "first must not be after last"
            )

    def within(self, slices: int) -> tuple[int, int]:
        """The range, if a volume of so many slices holds it.

        Raises
        ------
        LocalizeError
            ``range-outside``.
        """
        if self.stop > slices:
            raise LocalizeError(
                "range-outside",
                f"Slices {self.first}..{self.stop - 1} (0-based) reach beyond the {slices} slices of the volume",
                "Check first, last and index_base in the table",
            )
        return self.first, self.stop

    def to_dict(self) -> dict[str, int | str]:
        """Plain values for a record."""
        return {"first": self.first, "stop": self.stop, "author": self.author, "time": self.time}


def load_range_overrides(path: Path) -> dict[tuple[str, Phase], RangeOverride]:
    """Read `liver_range.csv`.

    Parameters
    ----------
    path : Path
        Columns ``case, phase, first, last, index_base``; ``author`` and ``time`` may follow. ``last`` is included in
        the range; ``index_base`` is 0 or 1.

    Returns
    -------
    dict of (case, Phase) to RangeOverride

    Raises
    ------
    LocalizeError
        ``missing-column``, ``bad-phase``, ``bad-number``, ``bad-index-base``, ``bad-range``, ``duplicate-row``; the
        message names the row, counted from 2 as a spreadsheet does.
    InputError
        If the file is no table.

    Examples
    --------
    The row ``P0137,C2,15,61,1`` (read in ITK-SNAP) becomes ``RangeOverride(first=14, stop=61)``.
    """
    overrides: dict[tuple[str, Phase], RangeOverride] = {}
    for number, row in load_numbered_table(path):
        key, override = _parse(row, f"{path.name}, row {number}", number)
        if key in overrides:
            raise LocalizeError(
                "duplicate-row", f"{path.name}, row {number}: {key[0]} {key[1]} was set before", "Keep one row"
            )
        overrides[key] = override
    return overrides


def _parse(row: dict[str, str], where: str, number: int) -> tuple[tuple[str, Phase], RangeOverride]:
    absent = [name for name in REQUIRED if not row.get(name)]
    if absent:
        hint = "ITK-SNAP counts from 1; most programs count from 0" if "index_base" in absent else ""
        raise LocalizeError("missing-column", f"{where}: {', '.join(absent)} is missing", hint)
    try:
        phase = Phase(row["phase"].upper())
    except ValueError:
        raise LocalizeError("bad-phase", f"{where}: '{row['phase']}' is no phase", "Use P, C1, C2 or C3") from None
    if row["index_base"] not in ("0", "1"):
        raise LocalizeError("bad-index-base", f"{where}: index_base is '{row['index_base']}'", "Use 0 or 1")
    base = int(row["index_base"])
    try:
        first, last = int(row["first"]) - base, int(row["last"]) - base
    except ValueError:
        raise LocalizeError("bad-number", f"{where}: first and last must be whole numbers", "E.g. 15 and 61") from None
    if first < 0 or last < first:
        raise LocalizeError(
            "bad-range",
            f"{where}: slices {row['first']}..{row['last']} are no range with index_base {base}",
            "first must not be after last nor before the first slice",
        )
    author, time = row.get("author", ""), row.get("time", "")
    override = RangeOverride(first=first, stop=last + 1, author=author, time=time, row=number)
    return (row["case"], phase), override
