"""`quadphase cohort` as people and machines use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from quadphase.cli import cohort, init

ROW = "QX-7,Li,男,1960-05-17,2019-03-13,{},{},2019-03-20,no,C22.0,,cancer\n"
HEADER = (
    "patient_id,name,sex,birth_date,diagnosis_date,morphology_code,pathology_confirmed,surgery_date,prior_treatment,"
    "icd10,accession_number,group\n"
)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    init.register(app)
    cohort.register(app)
    return app


def invoke(app, *arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def study(app, tmp_path) -> Path:
    assert invoke(app, "init", tmp_path / "study").exit_code == 0
    return tmp_path / "study"


def write(tmp_path, *rows) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "".join(rows), "utf-8")
    return path


def test_counts_and_reasons_for_people(app, study, tmp_path):
    table = write(tmp_path, ROW.format("8170/3", "yes"), ROW.replace("QX-7", "QX-8").format("9999/0", "perhaps"))
    result = invoke(app, "cohort", study, table)
    assert result.exit_code == 0
    assert "Other tumour, or no primary liver cancer" in result.stdout
    assert "row 3, column pathology_confirmed" in result.stdout
    assert "eligible (HCC 1)" in result.stdout
    assert "QX-" not in result.output
    assert (study / "reports" / "flow.svg").is_file()


def test_one_object_for_machines(app, study, tmp_path):
    result = invoke(app, "cohort", study, write(tmp_path, ROW.format("8170/3", "yes")), "--json")
    value = json.loads(result.stdout)
    assert (value["patients"], value["eligible"], value["excluded"]) == (1, 1, 0)
    assert value["decisions"] == [{"case": "P0001", "eligible": True, "reasons": []}]


def test_dry_run_says_so_and_writes_nothing(app, study, tmp_path):
    result = invoke(app, "cohort", study, write(tmp_path, ROW.format("8170/3", "yes")), "--dry-run")
    assert result.exit_code == 0
    assert "nothing was written" in result.stdout
    assert not (study / "reports").exists()
    assert not (study / "restricted" / "ledger.sqlite").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no table"),
        (b"\x00\x01", "not a text table"),
        (b"", "no header row"),
        (b"name,sex\nLi,M\n", "no column 'patient_id'"),
        (HEADER.encode(), "no rows"),
    ],
)
def test_bad_tables_are_one_line_and_exit_code_2(app, study, tmp_path, content, words):
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    result = invoke(app, "cohort", study, path)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_a_folder_that_is_no_study(app, tmp_path):
    result = invoke(app, "cohort", tmp_path / "nowhere", write(tmp_path, ROW.format("8170/3", "yes")))
    assert result.exit_code == 2
    assert "quadphase init" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_an_unknown_protocol_key(app, study, tmp_path):
    protocol = study / "protocol.toml"
    protocol.write_text(protocol.read_text().replace("minimum_age_years", "minimal_age"))
    result = invoke(app, "cohort", study, write(tmp_path, ROW.format("8170/3", "yes")))
    assert result.exit_code == 2
    assert "cohort.minimal_age" in result.stderr
