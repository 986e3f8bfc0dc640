"""The day a DICOM date names."""

from __future__ import annotations

from datetime import date

import pytest

from quadphase.io.dicom_date import day_of


@pytest.mark.parametrize("text", ["20240301", "2024.03.01", "2024-03-01", " 20240301 "])
def test_spellings_of_a_day(text: str) -> None:
    assert day_of(text) == date(2024, 3, 1)


@pytest.mark.parametrize(
    "text", ["", "2024", "20241301", "20240230", "yesterday", "2024+1+1", "２０２４０３０１", "00000101"]
)
def test_anything_else_is_no_day(text: str) -> None:
    assert day_of(text) is None
