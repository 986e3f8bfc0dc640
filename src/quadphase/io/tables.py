"""Tables: read a hospital's CSV or Excel file as text, write a release's CSV in the paper's own form.

Values are read as strings (a patient id ``007`` stays ``007``); encodings tried are UTF-8 (with or without byte order
mark), then GB18030, the superset of GBK that Chinese spreadsheets export.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from quadphase.errors import InputError
from quadphase.io.access import unreadable

__all__ = ["NA", "format_csv", "load_numbered_table", "load_table"]

NA = "NA"
"""What the paper's table writes for a value that does not exist."""


def load_table(path: Path) -> list[dict[str, str]]:
    """Rows of a ``.csv``, ``.tsv`` or ``.xlsx`` file, every value a stripped string, blank where empty.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"unreadable-table"``, ``"empty-table"``, ``"duplicate-column"``.
    """
    return [row for _, row in load_numbered_table(path)]


def load_numbered_table(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows as `load_table`, each with its number as a spreadsheet shows it (1-based; the header is row 1).

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"unreadable-table"``, ``"empty-table"``, ``"duplicate-column"``.
    """
    if not path.is_file():
        raise InputError("missing-file", f"There is no table {path}", "Check the name")
    try:
        rows = _excel_rows(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _text_rows(path)
    except InputError:
        raise
    except OSError as error:
        raise unreadable(error, path) from None
    except Exception as error:  # zip, XML and csv errors of many kinds
        raise InputError(
            "unreadable-table", f"{path} cannot be read as a table: {error}", "Save it as CSV in UTF-8"
        ) from None
    if not rows or not any(rows[0]):
        raise InputError("empty-table", f"{path} has no header row", "The first row must name the columns")
    header = [name.strip() for name in rows[0]]
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise InputError("duplicate-column", f"{path} names column '{doubled[0]}' twice", "Rename one of them")
    width = len(header)
    filled = (
        (number, [*row, *[""] * (width - len(row))])
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    )
    return [
        (number, {name: cell.strip() for name, cell in zip(header, row, strict=False) if name})
        for number, row in filled
    ]


def _text_rows(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    if b"\0" in raw:
        raise InputError("unreadable-table", f"{path} is not a text table", "Save it as CSV in UTF-8")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError("unreadable-table", f"{path} is neither UTF-8 nor GB18030 text", "Save it as CSV in UTF-8")
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _excel_rows(path: Path) -> list[list[str]]:
    from datetime import datetime

    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    rows = []
    for row in book.worksheets[0].iter_rows(values_only=True):
        cells = [cell.date().isoformat() if isinstance(cell, datetime) else cell for cell in row]
        rows.append(["" if cell is None else str(cell) for cell in cells])
    book.close()
    return rows


def format_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV as in the paper's `patient_data.csv`: strings quoted, numbers and NA bare, CRLF line ends.

    None becomes `NA`; floats are written with their shortest exact form.
    """

    def cell(value: object) -> str:
        if value is None:
            return NA
        if isinstance(value, bool | int | float):
            return repr(value)
        return '"' + str(value).replace('"', '""') + '"'

    lines = [",".join(cell(v) for v in row) for row in [tuple(header), *rows]]
    return "".join(line + "\r\n" for line in lines)
