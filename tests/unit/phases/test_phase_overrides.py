"""phases.csv: what people may write, and one clear line for what they may not."""

from __future__ import annotations

import pytest

from quadphase.convert.phases import load_overrides
from quadphase.errors import InputError
from quadphase.model import Phase

HEADER = "case,series,phase,author,time\n"


def write(tmp_path, text):
    path = tmp_path / "phases.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_by_case(tmp_path):
    text = (
        HEADER
        + "P0001,ab12-1,C2,Dr Li,2025-03-01T09:30\nP0001,ab12-2,none,Dr Li,2025-03-01\nP0002,cd-1,p,Dr Wu,2025-03-02\n"
    )
    found = load_overrides(write(tmp_path, text))
    assert [(o.series, o.phase) for o in found["P0001"]] == [("ab12-1", Phase.C2), ("ab12-2", None)]
    assert found["P0002"][0].phase is Phase.P


def test_a_stack_number_may_stand_for_the_series(tmp_path):
    found = load_overrides(write(tmp_path, "case,stack,phase,author,time\nP0001,2,C1,A,2025-03-01\n"))
    assert found["P0001"][0].stack == 2


def test_no_file_means_no_overrides(tmp_path):
    assert load_overrides(tmp_path / "phases.csv") == {}


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ("P0001,ab-1,C9,A,2025-03-01", "bad-phase", "row 2: 'C9' is no phase"),
        ("P0001,ab-1,C1,,2025-03-01", "bad-override", "row 2 has no author"),
        ("P0001,ab-1,C1,A,yesterday", "bad-override", "'yesterday' is no time"),
        ("P0001,,C1,A,2025-03-01", "bad-override", "row 2 must name a case and one series"),
        (",ab-1,C1,A,2025-03-01", "bad-override", "row 2 must name a case"),
    ],
)
def test_bad_rows_are_one_line(tmp_path, row, code, words):
    with pytest.raises(InputError) as caught:
        load_overrides(write(tmp_path, HEADER + row + "\n"))
    assert caught.value.code == code
    assert words in caught.value.message
    assert "\n" not in str(caught.value)


def test_a_missing_column(tmp_path):
    with pytest.raises(InputError, match="no column 'author'"):
        load_overrides(write(tmp_path, "case,series,phase,time\nP0001,a,C1,2025-03-01\n"))
