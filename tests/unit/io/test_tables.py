"""Hospital tables come in as text in the encodings hospitals use; our CSV has the paper's own form."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from quadphase.errors import InputError
from quadphase.io.tables import format_csv, load_table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_text_tables(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(f"id{delimiter}姓名\r\n007{delimiter} 李雷 \r\n\r\n008\r\n".encode(encoding))
    assert load_table(path) == [{"id": "007", "姓名": "李雷"}, {"id": "008", "姓名": ""}]


def test_excel_tables(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["id", "n"])
    book.active.append(["007", 5])
    book.save(tmp_path / "t.xlsx")
    assert load_table(tmp_path / "t.xlsx") == [{"id": "007", "n": "5"}]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty-table"),
        ("a.csv", b"\x00\x01\x02", "unreadable-table"),
        ("a.csv", b"a,a\n1,2\n", "duplicate-column"),
        ("a.csv", b'a,b\n"1,2\n', "unreadable-table"),
        ("a.xlsx", b"not a zip", "unreadable-table"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_table(tmp_path / name)
    assert caught.value.code == code


def test_our_csv_is_the_papers(real_data: Path) -> None:
    published = (real_data / "plc_cect" / "patient_data.csv").read_bytes()
    rows = load_table(real_data / "plc_cect" / "patient_data.csv")

    def typed(name: str, value: str) -> object:
        return None if value == "NA" else int(value) if name == "age" else value

    again = format_csv(list(rows[0]), [[typed(n, v) for n, v in row.items()] for row in rows])
    assert again.encode() == published
