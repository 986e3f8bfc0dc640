"""Every hiding place is searched: each identifier is found in each, and the same file about someone else is clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hiding_places import PERSON, PLACES, TWIN, Planted

from quadphase.deidentify.matcher import Matcher
from quadphase.deidentify.scan import scan_with
from quadphase.errors import PrivacyError
from quadphase.model.source import Identifier


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    p = PERSON
    values = {
        "name": (p.name, p.hanzi), "patient_id": (p.patient_id,), "date": (f"{p.day:%Y-%m-%d}",),
        "accession": (p.accession,), "uid": (p.uid,),
    }  # fmt: skip
    return Matcher(Identifier(kind=kind, value=value) for kind, found in values.items() for value in found)


def test_there_are_at_least_forty_places() -> None:
    assert len(PLACES) >= 40


@pytest.mark.parametrize("place", sorted(PLACES))
def test_an_identifier_is_found_and_never_printed(place: str, tmp_path: Path, matcher: Matcher) -> None:
    PLACES[place](tmp_path, PERSON)
    report = scan_with(matcher, tmp_path)
    assert "identifier-found" in {finding.code for finding in report.findings}
    with pytest.raises(PrivacyError) as stopped:
        report.require_clean()
    assert stopped.value.exit_code == 5
    said = f"{report.to_dict()} {stopped.value}".casefold()
    assert not [value for value in values_of(PERSON) if value.casefold() in said]


@pytest.mark.parametrize("place", sorted(PLACES))
def test_the_twin_is_clean(place: str, tmp_path: Path, matcher: Matcher) -> None:
    PLACES[place](tmp_path, TWIN)
    report = scan_with(matcher, tmp_path)
    assert report.findings == ()
    assert report.files > 0


def values_of(p: Planted) -> tuple[str, ...]:
    family, given = p.name.split("^")
    return (
        given,
        p.hanzi,
        p.patient_id.lstrip("0"),
        p.accession,
        p.uid,
        f"{p.day:%Y-%m-%d}",
        f"{p.day:%Y%m%d}",
        family,
    )
