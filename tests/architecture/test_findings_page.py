"""`docs/reference/findings.md` is the catalogue, word for word."""

from __future__ import annotations

from pathlib import Path

from quadphase.model.catalogue import CATALOGUE
from quadphase.model.catalogue.page import findings_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"


def test_the_page_is_the_catalogue() -> None:
    assert PAGE.read_text("utf-8") == findings_page(), "run: make docs"


def test_every_code_is_reported_somewhere() -> None:
    source = Path(__file__).parents[2] / "src" / "quadphase"
    text = "\n".join(p.read_text("utf-8") for p in source.rglob("*.py") if "catalogue" not in p.parts)
    unused = [code for code in CATALOGUE if f'"{code}"' not in text]
    assert unused == []


def test_every_code_is_provoked_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    text = "\n".join(p.read_text("utf-8") for p in tests.rglob("*.py") if p != Path(__file__))
    assert [code for code in CATALOGUE if f'"{code}"' not in text] == []
