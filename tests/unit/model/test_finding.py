"""One catalogue of findings: unknown codes are a bug, entries tell people what to do."""

from __future__ import annotations

import re

import pytest

from quadphase.model import Finding
from quadphase.model.catalogue import CATALOGUE


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Finding.of("no-such-code", "P0001", "…")


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_entry_is_complete(code: str) -> None:
    entry = CATALOGUE[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert entry.title
    assert entry.hint
