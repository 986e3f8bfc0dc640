"""`quadphase exams` shows evidence, assignment and margins, and what to do about held cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from quadphase.cli import exams
from quadphase.convert.phases import StackFeatures, assign
from quadphase.io.json_file import save_json, save_record
from quadphase.io.study import Study
from quadphase.model.protocol.sections import PhasesSection


def stacks(*descriptions):
    return [
        StackFeatures(
            index=n,
            series=f"{n}c0ffee-1",
            texts={"SeriesDescription": text},
            acquisition_s=1000.0 + (0, 125, 155, 275)[n],
            n_slices=40,
            slice_spacing_mm=5.0,
            z_extent_mm=(0.0, 200.0),
        )
        for n, text in enumerate(descriptions)
    ]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = Study.create(tmp_path / "study")
    clear = assign(stacks("plain", "arterial", "portal", "delay"), PhasesSection(), case="P0001")
    swapped = assign(stacks("plain", "arterial", "delay", "portal"), PhasesSection(), case="P0002")
    save_record(study.exam_report("P0001"), clear.report("P0001"))
    save_record(study.exam_report("P0002"), swapped.report("P0002"))
    save_json(
        study.reports / "held" / "P0002.json", {"reasons": [{"code": "phase-review", "text": "a person must decide"}]}
    )
    return study


def invoke(study, *arguments):
    app = typer.Typer()
    exams.register(app)
    return CliRunner().invoke(app, [str(study.root), *arguments])


def test_text_for_people(study):
    result = invoke(study)
    assert result.exit_code == 0
    assert 'SeriesDescription has "arterial": arterial' in result.stdout
    assert "phase-contradiction" in result.stdout
    assert "held back: a person must decide" in result.stdout
    assert str(study.root / "overrides" / "phases.csv") in result.stdout
    assert "2c0ffee-1" in result.stdout


def test_one_object_for_machines(study):
    value = json.loads(invoke(study, "--json").stdout)
    first, second = value["exams"]
    assert [stack["phase"] for stack in first["stacks"]] == ["P", "C1", "C2", "C3"]
    assert {item["source"] for item in first["stacks"][1]["evidence"]} == {"text", "time"}
    assert set(first["margins"]) == {"P", "C1", "C2", "C3"}
    assert (first["held"], first["needs_review"]) == ([], False)
    assert (second["held"], second["needs_review"]) == (["a person must decide"], True)


def test_only_some_cases(study):
    assert [e["case"] for e in json.loads(invoke(study, "--review", "--json").stdout)["exams"]] == ["P0002"]
    assert [e["case"] for e in json.loads(invoke(study, "--case", "P0001", "--json").stdout)["exams"]] == ["P0001"]


def test_an_unknown_case_and_no_study_are_one_line(study, tmp_path):
    result = invoke(study, "--case", "P9999")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "quadphase init" in invoke(Study(tmp_path / "none")).stderr


def test_a_study_without_exams(tmp_path):
    result = invoke(Study.create(tmp_path / "new"))
    assert result.exit_code == 0
    assert "No exams yet" in result.stdout
