"""Quartiles are R's type 7, and unknown values are counted, never averaged."""

from __future__ import annotations

import math

from quadphase.statistics.summary import Quartiles, Share


def test_quartiles() -> None:
    found = Quartiles.of([1, 2, 3, 4, None])
    assert found == Quartiles(known=4, total=5, median=2.5, lower=1.75, upper=3.25, minimum=1.0, maximum=4.0)


def test_nothing_known() -> None:
    assert Quartiles.of([None, None]) is None
    assert Quartiles.of([]) is None


def test_share_is_of_the_known() -> None:
    assert Share(count=1, known=4, total=9).percent == 25.0
    assert math.isnan(Share(count=0, known=0, total=9).percent)
