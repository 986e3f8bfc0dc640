"""A table of spacings is refused with the place of what is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.audit.repair.spacing import load_spacings
from quadphase.errors import InputError


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        ("", "empty-table", "has no rows"),
        ("P1,C1,0.7,5\n\n,,,\nP1,C2,0.7,none\n", "bad-cell", "line 5: slice_spacing_mm"),
        ("\nP1,C9,0.7,5\n", "bad-cell", "line 3: the phase"),
        ("P1,C1,0.7,5\n\nP1,C1,0.7,5\n", "row-duplicated", "line 4"),
    ],
)
def test_a_spacing_table_is_told_what_is_wrong_and_in_which_line(
    tmp_path: Path, rows: str, code: str, says: str
) -> None:
    path = tmp_path / "spacing.csv"
    path.write_text("patient_id,phase,spacing_i_mm,slice_spacing_mm\n" + rows)
    with pytest.raises(InputError, match=says) as caught:
        load_spacings(path)
    assert caught.value.code == code
