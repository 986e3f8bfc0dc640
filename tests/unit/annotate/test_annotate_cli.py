"""`quadphase annotate …`: a misspelt study or reader is one line and exit code 2, never "nothing to do"."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.nifti import load_mask, save_mask
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


def hand_in(folder: Path, drawn: Path, *names: str) -> Path:
    """A reader's folder with one case, and the same mask under several names."""
    case = folder / "P0001"
    case.mkdir(parents=True)
    for name in names:
        target = case / name
        if name.endswith(".nii"):
            save_mask(target, load_mask(drawn))
        else:
            shutil.copy(drawn, target)
    return folder


@pytest.mark.parametrize(
    ("name", "taken"),
    [("c2.nii.gz", True), ("C2.nii", True), ("notes.txt", True), (".DS_Store", True), ("arterial.nii.gz", False),
     ("C2.nrrd", False), ("Somebody Unlikely.nii.gz", False)],
)  # fmt: skip
def test_a_mask_that_no_phase_names_is_not_lost_without_a_word(
    study: Study, draw: Callable[..., Path], tmp_path: Path, name: str, taken: bool
) -> None:
    folder = hand_in(tmp_path / "in", draw("a", [1]), "C1.nii.gz", name)
    result = annotate("import", study.root, "A", folder)
    assert result.exit_code == (0 if taken else 3)
    assert ("P0001: 1 mask files are not named by phase" in result.stdout) is not taken
    assert "Unlikely" not in result.output
    assert (study.reading("A", "P0001") / "C1.nii.gz").exists() is taken
    assert (study.reading("A", "P0001") / "C2.nii.gz").exists() is name.lower().startswith("c2.nii")


def test_a_phase_named_twice_is_refused(study: Study, draw: Callable[..., Path], tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", draw("a", [1]), "C1.nii.gz", "C1.nii")
    assert "or are there twice" in annotate("import", study.root, "A", folder).stdout


def test_seal_says_which_phases_were_left_out_and_that_nothing_is_left(
    study: Study, draw: Callable[..., Path], tmp_path: Path
) -> None:
    nothing = annotate("seal", study.root, "A")
    assert (nothing.exit_code, nothing.stderr) == (
        2,
        "quadphase: Reader A has read no case yet. Run `quadphase annotate import` first.\n",
    )
    annotate("import", study.root, "A", hand_in(tmp_path / "in", draw("a", [1]), "C1.nii.gz"))
    value = json.loads(annotate("seal", study.root, "A", "--json").stdout)
    (finding,) = value["outcomes"][0]["findings"]
    assert (finding["code"], finding["message"]) == (
        "reading-without-phase",
        "reader A sealed no mask of C2: no lesion seen there",
    )
    again = annotate("seal", study.root, "A")
    assert (again.exit_code, again.stdout) == (0, "1 unchanged\n")


def test_what_nobody_can_compare_yet_is_said(study: Study, draw: Callable[..., Path], tmp_path: Path) -> None:
    annotate("import", study.root, "A", hand_in(tmp_path / "in", draw("a", [1]), "C1.nii.gz"))
    annotate("seal", study.root, "A")
    assert "No case is sealed by all readers (A, B)" in annotate("agree", study.root).stdout
    refused = annotate("adjudicate", study.root)
    assert (refused.exit_code, "No case is sealed by all readers (A, B)" in refused.stderr) == (2, True)


def test_adjudication_keeps_what_was_decided_and_names_strangers(
    study: Study, draw: Callable[..., Path], tmp_path: Path
) -> None:
    for reader, slices in (("A", [1, 2]), ("B", [2, 3])):
        annotate("import", study.root, reader, hand_in(tmp_path / reader, draw(reader, slices), "C1.nii.gz"))
        annotate("seal", study.root, reader)
    first = hand_in(tmp_path / "first", draw("first", [2]), "C1.nii.gz")
    (first / "P0099").mkdir()
    decided = annotate("adjudicate", study.root, first, "--author", "Dr A")
    assert (decided.exit_code, "folder 2 of 2" in decided.stdout, "1 done" in decided.stdout) == (3, True, True)
    (first / "P0099").rmdir()
    record = study.consensus("P0001") / "consensus.json"
    before = record.read_bytes()
    assert annotate("adjudicate", study.root).stdout == "1 unchanged\n"
    assert annotate("adjudicate", study.root, first, "--author", "Dr A").stdout == "1 unchanged\n"
    other = annotate("adjudicate", study.root, first)
    assert (other.exit_code, "another consensus was decided already" in other.stdout) == (3, True)
    assert record.read_bytes() == before
    assert annotate("adjudicate", study.root, first, "--overwrite").exit_code == 0
    assert b"Dr A" not in record.read_bytes()
