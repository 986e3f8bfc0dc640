"""Metadata are valid for the tools that read them, say only what is known, and name what is open."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from quadphase.io.hashing import sha256_of
from quadphase.io.release_rows import COLUMNS
from quadphase.io.release_tables import GeometryRow, LesionRow
from quadphase.model import Protocol
from quadphase.release import build_release
from quadphase.release.datasheet import QUESTIONS
from quadphase.release.schema import TABLES

Maker = Callable[..., Any]


@pytest.fixture
def release(make_study: Maker, tmp_path: Path) -> Path:
    root: Path = make_study(4).build(tmp_path / "out")
    return root


def test_every_column_has_a_meaning() -> None:
    schema = {table.file: tuple(column.name for column in table.columns) for table in TABLES}
    assert schema["patient_data.csv"] == COLUMNS
    assert schema["geometry.csv"] == tuple(field.name for field in fields(GeometryRow))
    assert schema["lesions.csv"] == tuple(field.name for field in fields(LesionRow))
    nullable = {column.name for column in TABLES[1].columns if column.nullable}
    assert nullable == {field.name for field in fields(GeometryRow) if "None" in str(field.type)}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, which mlcroissant uses
def test_croissant_is_valid_and_reads_every_table(release: Path, caplog: pytest.LogCaptureFixture) -> None:
    import mlcroissant

    caplog.set_level(logging.ERROR)
    dataset = mlcroissant.Dataset(str(release / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert "http://mlcommons.org/croissant/1.1" in dataset.metadata.conforms_to
    assert "http://mlcommons.org/croissant/RAI/1.0" in dataset.metadata.conforms_to
    assert dataset.metadata.data_collection
    assert dataset.metadata.data_biases
    assert dataset.metadata.personal_sensitive_information
    assert [record["splits/patient_id"] for record in dataset.records("splits")] == [
        b"P0001",
        b"P0002",
        b"P0003",
        b"P0004",
    ]
    ages = [record["patient_data/age"] for record in dataset.records("patient_data")]
    assert ages[0] == 41.0
    assert ages[8] is None  # unknown stays unknown
    assert len(list(dataset.records("geometry"))) == 16


def test_datapackage_is_valid(release: Path) -> None:
    from frictionless import system, validate

    with system.use_context(trusted=True):
        report = validate(str(release / "datapackage.json"))
    assert report.valid, report.flatten(["type", "message"])
    assert len(report.tasks) == 4


def test_datapackage_notices_a_changed_table(release: Path) -> None:
    from frictionless import system, validate

    path = release / "splits.csv"
    path.write_bytes(path.read_bytes().replace(b'"P0001",', b'"P0009",'))
    with system.use_context(trusted=True):
        report = validate(str(release / "datapackage.json"))
    assert {error[0] for error in report.flatten(["type"])} >= {"hash-count", "foreign-key"}


def test_open_questions_are_named_and_answers_used(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    protocol = Protocol.of(
        {
            "study": {"name": "Our livers", "ethics_approval": "Approval 12"},
            "release": {
                "creators": ["A. Author", "B. Author"],
                "publication_year": 2026,
                "doi": "10.1234/x",
                "license": "CC0-1.0",
                "answers": {"funding": "Nobody paid.", "discouraged": "Do not treat people with it."},
            },
        }
    )
    out = tmp_path / "out"
    out.mkdir()
    build_release(small.study.root, out, small.subjects, protocol, figures=False)
    card = (out / "README.md").read_text()
    body, unanswered = card.split("## Open questions")
    assert card.startswith("# Our livers\n")
    assert "Nobody paid." in body
    assert "Approval 12" in body
    assert "Who funded its creation?" not in unanswered
    assert "For what purpose was the dataset created?" in unanswered
    assert "For what purpose was the dataset created?" not in body
    assert all((question.text in body) != (question.text in unanswered) for question in QUESTIONS)
    cite = json.loads((out / "croissant.json").read_text())
    assert cite["citeAs"].startswith("A. Author; B. Author (2026). Our livers")
    assert "Do not treat people with it." in cite["rai:dataLimitations"]
    datacite = json.loads((out / "datacite.json").read_text())
    assert (datacite["publicationYear"], datacite["doi"]) == (2026, "10.1234/x")
    assert datacite["creators"] == [{"name": "A. Author"}, {"name": "B. Author"}]
    assert (out / "LICENSE").read_text().startswith("Creative Commons Legal Code\n\nCC0 1.0 Universal")


def test_unknown_creator_is_to_be_announced_not_invented(release: Path) -> None:
    datacite = json.loads((release / "datacite.json").read_text())
    assert datacite["creators"] == [{"name": "(:tba)"}]
    assert "publicationYear" not in datacite
    assert "citeAs" not in json.loads((release / "croissant.json").read_text())


def test_hashes_in_the_metadata_are_the_files(release: Path) -> None:
    resources = json.loads((release / "datapackage.json").read_text())["resources"]
    files = json.loads((release / "croissant.json").read_text())["distribution"]
    for resource in resources:
        assert resource["hash"] == f"sha256:{sha256_of(release / resource['path'])}"
    for file in files:
        if "sha256" in file:
            assert file["sha256"] == sha256_of(release / file["contentUrl"])


def test_without_any_lesion_mask_nothing_is_said_about_readers(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    for path in small.study.consensus("P0001").iterdir():
        path.unlink()
    root = small.build(tmp_path / "out")
    assert "No lesion mask is released." in (root / "README.md").read_text()
    value = json.loads((root / "croissant.json").read_text())
    assert "rai:annotationsPerItem" not in value
    assert "lesion-masks" not in [item["@id"] for item in value["distribution"]]


def test_the_publisher_is_the_protocols_or_open(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    for name, expected in (("", "(:tba)"), ("Science Data Bank", "Science Data Bank")):
        out = tmp_path / f"out{len(name)}"
        out.mkdir()
        protocol = Protocol.of({"release": {"publisher": name}})
        build_release(small.study.root, out, small.subjects, protocol, figures=False)
        assert json.loads((out / "datacite.json").read_text())["publisher"] == {"name": expected}
        stated = json.loads((out / "croissant.json").read_text()).get("publisher")
        assert stated == ({"@type": "Organization", "name": name} if name else None)
