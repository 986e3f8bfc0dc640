"""A seeded sample of the mutated files of ``benchmarks/fuzz_convert.py``, which runs 20,000 of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_mutated_files_are_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from fuzz_convert import HANG_S, run_batches

    results = list(run_batches(500, seed=7))
    outcomes = {outcome for outcome, _ in results}
    assert len(results) == 500
    assert not [outcome for outcome in outcomes if outcome[:4].isupper()]
    assert max(seconds for _, seconds in results) < HANG_S
    # The damage is neither trifling nor total: some files still make a volume, many kinds of refusal occur.
    assert {"volume", "truncated-file", "undecodable-pixels", "not-dicom"} <= outcomes
    sys.modules.pop("fuzz_convert")
