"""Identifiers left in tables and texts: columns that name a person, cells and notes that look like dates or numbers.

Columns that the table of a release must have hold ids and paths, which a publisher may form freely; only a date, a
number or a name in them is said, as a warning. Any other column, and every further table, is judged as a whole. What
the specification itself asks for (the card, metadata, derived tables) is full of lawful dates and names and is not
searched by form. No finding shows a text or the name of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Final

from quadphase.audit.checks.release.layout import is_specified
from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.suspicion import suspicious_column, suspicious_text
from quadphase.errors import InputError
from quadphase.io.release_rows import is_blank, known_column
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME, GeometryRow, LesionRow
from quadphase.io.tables import load_table
from quadphase.model import Finding, Severity

__all__ = ["check"]

TABLES: Final = frozenset({".csv", ".tsv", ".xlsx", ".xlsm"})
STATED: Final[Mapping[str, frozenset[str]]] = {
    GEOMETRY_NAME: frozenset(field.name for field in fields(GeometryRow)),
    LESIONS_NAME: frozenset(field.name for field in fields(LesionRow)),
    "splits.csv": frozenset({"patient_id", "fold"}),
}
"""Columns that the specification gives the derived tables; they are judged by what was measured."""
TEXTS: Final = frozenset(
    {"", ".txt", ".log", ".md", ".json", ".xml", ".yaml", ".yml", ".html", ".htm", ".ini", ".toml"}
)
PUBLIC: Final = ("readme", "license", "licence", "changelog", "citation", "notice", "authors", "contributing")
"""Files whose dates and names are those of the publication."""
MOST_BYTES: Final = 1_000_000
"""Of each text; a note is shorter."""


def check(context: ReleaseContext) -> Iterator[Finding]:
    table = context.release.table
    yield from _table(load_table(table), table.name)
    named = {path for row in context.release.rows for path in (row.ct_path, row.mask_path, row.liver_mask_path) if path}
    for path in sorted(context.files - named - {table.name}):
        name = PurePosixPath(path)
        if path not in STATED and (is_specified(path) or name.name.lower().startswith(PUBLIC)):
            continue
        try:
            if name.suffix.lower() in TABLES:
                yield from _table(load_table(context.root / path), path)
            elif name.suffix.lower() in TEXTS:
                yield from _text(context, path)
        except (InputError, OSError):
            continue  # no table; a file that may not be read is said by the check of the files


def _table(rows: Sequence[dict[str, str]], location: str) -> Iterator[Finding]:
    for number, column in enumerate(rows[0] if rows else (), start=1):
        if column in STATED.get(location, ()):
            continue
        known = known_column(column)
        cells = [(_subject(row), row[column]) for row in rows if not is_blank(row[column])]
        if known is None:
            found = suspicious_column(column, cells)
            severity = None
        else:
            found = _own(known, [text for _, text in cells])
            severity = Severity.WARNING
        if found:
            message = f"column {number} looks like {', '.join(found)} ({len(cells)} cells filled)"
            yield Finding.of("text-identifier", location, message, severity=severity)


def _subject(row: dict[str, str]) -> str:
    """Whom a row is about: the first column that says so, else the first column."""
    names = {known_column(name): name for name in reversed(row)}
    return row[names.get("patient_id", next(iter(row)))]


def _own(known: str, texts: Sequence[str]) -> tuple[str, ...]:
    """What an id or a path holds, without the folders that all paths share."""
    if known == "patient_id":
        parts = frozenset(texts)
    elif known.endswith("_path"):
        split = [frozenset(text.replace("\\", "/").split("/")) for text in texts]
        shared = frozenset.intersection(*split) if len(split) > 1 else frozenset()
        parts = frozenset().union(*split) - shared
    else:
        return ()  # age, sex, phase and diagnosis are judged by their values
    return tuple(dict.fromkeys(what for part in sorted(parts) for what in suspicious_text(part) if what != "a UID"))


def _text(context: ReleaseContext, path: str) -> Iterator[Finding]:
    with (context.root / path).open("rb") as stream:
        raw = stream.read(MOST_BYTES)
    if b"\0" in raw:
        return
    found = suspicious_text(raw.decode("utf-8", errors="replace"))
    if found:
        yield Finding.of(
            "text-identifier", path, f"it holds what looks like {', '.join(found)}", severity=Severity.WARNING
        )
