"""The tables of a ledger that another version of quadphase made: brought to their present form, or refused.

A study lives for years and its ledger cannot be made again. What no version needs any more is dropped; what this one
does not know is left alone unless it would make writing impossible.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, inspect, text

from quadphase.errors import InputError
from quadphase.io.ledger.tables import Base

__all__ = ["prepare"]

RETIRED: Final = {"retrievals": ("details",)}
"""Columns of earlier versions whose content nothing reads."""


def prepare(engine: Engine) -> None:
    """Make missing tables and drop retired columns.

    Raises
    ------
    InputError
        ``"bad-ledger"``: a column is missing, or there is an unknown one that must be filled.
    SQLAlchemyError
        If the database cannot be read or written.
    """
    Base.metadata.create_all(engine)
    present = inspect(engine)
    for table in Base.metadata.sorted_tables:
        columns = {column["name"]: column for column in present.get_columns(table.name)}
        for name in RETIRED.get(table.name, ()):
            if columns.pop(name, None) is not None:
                with engine.begin() as connection:
                    connection.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {name}"))
        missing = table.columns.keys() - columns.keys()
        unknown = {
            name
            for name, column in columns.items()
            if name not in table.columns and not column["nullable"] and column["default"] is None
        }
        if missing or unknown:
            what = f"has no column {min(missing)}" if missing else f"needs a column {min(unknown)} nobody knows"
            raise InputError(
                "bad-ledger",
                f"The ledger's table {table.name} {what}: another version of quadphase made it",
                "Go on with that version, or begin a new study",
            )
