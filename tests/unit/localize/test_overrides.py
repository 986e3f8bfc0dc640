from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.localize import LocalizeError, RangeOverride, load_range_overrides
from quadphase.model import Phase

HEADER = "case,phase,first,last,index_base,author,time\n"


def _table(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "liver_range.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_both_index_bases_mean_the_same_slices(tmp_path: Path) -> None:
    found = load_range_overrides(_table(tmp_path, "P0137,C2,15,61,1,mw,2026-05-04T10:00Z\nP0137,c1,14,60,0,,\n"))
    assert found[("P0137", Phase.C2)] == RangeOverride(first=14, stop=61, author="mw", time="2026-05-04T10:00Z")
    assert found[("P0137", Phase.C1)] == RangeOverride(first=14, stop=61)
    assert found[("P0137", Phase.C1)].to_dict() == {"first": 14, "stop": 61, "author": "", "time": ""}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("P1,C2,15,61,,,", "missing-column"),
        ("P1,C2,,61,1,,", "missing-column"),
        ("P1,C9,15,61,1,,", "bad-phase"),
        ("P1,C2,15,61,2,,", "bad-index-base"),
        ("P1,C2,1.5,61,1,,", "bad-number"),
        ("P1,C2,0,61,1,,", "bad-range"),
        ("P1,C2,61,15,1,,", "bad-range"),
        ("P1,C1,1,5,1,,\nP1,C1,1,6,1,,", "duplicate-row"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, code: str) -> None:
    with pytest.raises(LocalizeError) as caught:
        load_range_overrides(_table(tmp_path, row + "\n"))
    assert caught.value.code == code
    assert "row" in caught.value.message


def test_rows_are_counted_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    with pytest.raises(LocalizeError, match="row 5"):
        load_range_overrides(_table(tmp_path, "P1,C1,1,5,1,,\n,,,,,,\n\nP1,C9,1,5,1,,\n"))


def test_a_table_without_index_base_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(LocalizeError, match="ITK-SNAP"):
        load_range_overrides(_table(tmp_path, "P1,C2,15,61\n", "case,phase,first,last\n"))


def test_a_range_must_fit_its_volume() -> None:
    override = RangeOverride(first=14, stop=61)
    assert override.within(61) == (14, 61)
    with pytest.raises(LocalizeError) as caught:
        override.within(60)
    assert caught.value.code == "range-outside"
