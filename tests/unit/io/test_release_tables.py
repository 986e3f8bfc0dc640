"""`geometry.csv` of an earlier quadphase is read: columns it could not know are unknown, those it must have are not."""

from __future__ import annotations

import csv
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from quadphase.errors import InputError
from quadphase.io.release_tables import GeometryRow, format_rows, load_geometry

NEWER = [field.name for field in fields(GeometryRow) if field.default is not MISSING]


def row() -> GeometryRow:
    values = {field.name: "x" if "str" in str(field.type) else 1 for field in fields(GeometryRow)}
    return GeometryRow(**values)  # type: ignore[arg-type]


def without(path: Path, *names: str) -> Path:
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [name for name in rows[0] if name not in names]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "geometry.csv"
    path.write_text(format_rows(GeometryRow, [row()]), newline="")
    return path


def test_a_row_comes_back(table: Path) -> None:
    assert load_geometry(table) == (row(),)


def test_newer_columns_may_be_absent(table: Path) -> None:
    assert NEWER
    (old,) = load_geometry(without(table, *NEWER))
    assert {getattr(old, name) for name in NEWER} == {None}
    assert old.kernel == "x"


def test_the_first_columns_may_not(table: Path) -> None:
    with pytest.raises(InputError, match="no column 'kvp'"):
        load_geometry(without(table, "kvp"))


def test_a_bad_cell_is_in_the_line_a_spreadsheet_shows(table: Path) -> None:
    header, first = table.read_text().splitlines()
    table.write_text("\n".join([header, first, "", ",,", first.replace(",1,", ",one,", 1)]))
    with pytest.raises(InputError, match=r"geometry\.csv line 5: voxels_i is not") as caught:
        load_geometry(table)
    assert caught.value.code == "bad-cell"
