"""`quadphase annotate …`: a misspelt study or reader is one line and exit code 2, never "nothing to do"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.study import Study
from quadphase.model import Phase


def annotate(*words: object) -> Result:
    return CliRunner().invoke(app, ["annotate", *(str(word) for word in words)])


@pytest.mark.parametrize("command", [("import", "A", "{}"), ("seal", "A"), ("agree",), ("adjudicate",), ("status",)])
def test_there_is_no_such_study(tmp_path: Path, command: tuple[str, ...]) -> None:
    name, *rest = command
    result = annotate(name, tmp_path / "nosuch", *(word.format(tmp_path) for word in rest))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "nosuch" in result.stderr
    assert not (tmp_path / "nosuch").exists()


@pytest.mark.parametrize("command", ["seal", "import"])
def test_there_is_no_such_reader(study: Study, draw: Callable[..., Path], command: str) -> None:
    draw("a", [1])
    result = annotate(command, study.root, "X", *([study.root] if command == "import" else []))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "Reader X is not in the protocol (A, B)" in result.stderr


def test_a_study_without_cases_says_so(tmp_path: Path) -> None:
    result = annotate("status", Study.create(tmp_path / "s").root)
    assert (result.exit_code, result.stdout) == (0, "No converted cases yet\n")


def test_a_second_drawing_needs_replace_and_is_named(study: Study, draw: Callable[..., Path], tmp_path: Path) -> None:
    batch = tmp_path / "batch" / "P0001"
    batch.mkdir(parents=True)
    for phase, slices in ((Phase.C1, [1]), (Phase.C2, [1])):
        draw("m", slices).rename(batch / f"{phase}.nii.gz")
    assert annotate("import", study.root, "A", batch.parent).exit_code == 0
    draw("n", [2]).rename(batch / "C2.nii.gz")
    refused = annotate("import", study.root, "A", batch.parent)
    assert refused.exit_code == 3
    assert "another mask of C2 already" in refused.stdout
    assert annotate("import", study.root, "A", batch.parent, "--overwrite").exit_code == 0
