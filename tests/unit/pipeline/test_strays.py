"""What people decided about a case or a phase that is not there is told, row by row, and never by what they wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quadphase.io import atomic
from quadphase.io.json_file import save_record
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import CaseRecord, Decision, Grid, GridRecord, Outcome, Phase, PhaseRecord, Status
from quadphase.model.source import SourcePatient
from quadphase.pipeline.stages import convert_cases, localize_cases
from quadphase.pipeline.work import SerialExecutor

GRID = Grid((6, 5, 8), [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """P0001 is converted and has one phase, C2; P0002 was never converted."""
    made = Study.create(tmp_path / "study")
    phase = PhaseRecord(phase=Phase.C2, grid=GridRecord.of(GRID), series="x", n_slices=8, slice_spacing_mm=2.0)
    save_record(made.case_record("P0001"), CaseRecord(case="P0001", phases={Phase.C2: phase}))
    with Ledger(made.ledger_url) as ledger:
        ids = {"QX-1": "P0001", "QX-2": "P0002"}
        ledger.replace_patients([SourcePatient(patient_id=name) for name in ids], ids)
        ledger.decide([Decision(case="P0001", stage="convert", eligible=True)])
    return made


@pytest.fixture
def ledger(study: Study) -> Iterator[Ledger]:
    with Ledger(study.ledger_url) as opened:
        yield opened


def strays(outcomes: tuple[Outcome, ...]) -> list[tuple[str, str]]:
    """Place and reason of what is no case, all failed."""
    found = [o for o in outcomes if not o.case.startswith("P0")]
    assert all(o.status is Status.FAILED for o in found)
    assert "Somebody" not in str([o.to_dict() for o in found])
    return [(o.case, o.reasons[0].code) for o in found]


def localized(study: Study, ledger: Ledger) -> tuple[Outcome, ...]:
    return localize_cases(study, ledger, executor=SerialExecutor(), progress=lambda *_: None)


def test_rows_of_phases_csv(study: Study, ledger: Ledger) -> None:
    rows = ["P0001,0,P", "P001,0,C1", "Somebody,1,C2", "P0002,0,P"]
    text = "case,stack,phase,author,time\n\n" + "".join(f"{row},A,2025-03-01\n" for row in rows)
    atomic.write_text(study.overrides / "phases.csv", text)
    outcomes = convert_cases(study, ledger, {}, executor=SerialExecutor(), progress=lambda *_: None)
    assert strays(outcomes) == [("phases.csv row 4", "unknown-case"), ("phases.csv row 5", "unknown-case")]
    assert not (study.reports / "held").exists()
    assert "phases.csv row 4" in (study.reports / "run.jsonl").read_text("utf-8")
    assert {d.case for d in ledger.decisions("convert")} == {"P0001"}


def test_rows_of_liver_range_csv(study: Study, ledger: Ledger) -> None:
    rows = ["P0001,C2", "p0001,C2", "P0001,C3", "P0002,C3", "Somebody,C1"]
    text = "case,phase,first,last,index_base\n" + "".join(f"{row},1,4,1\n" for row in rows)
    atomic.write_text(study.overrides / "liver_range.csv", text)
    outcomes = localized(study, ledger)
    assert outcomes[0].case == "P0001"
    assert strays(outcomes) == [
        ("liver_range.csv row 3", "unknown-case"),
        ("liver_range.csv row 4", "unknown-phase"),
        ("liver_range.csv row 6", "unknown-case"),
    ]


def test_masks_in_the_wrong_place(study: Study, ledger: Ledger) -> None:
    livers = study.overrides / "livers"
    for name in ("P0001/C2.nii.gz", "P0001/notes.txt", "P0002/C3.nii.gz", "readme.txt", ".DS_Store"):
        atomic.write_bytes(livers / name, b"")
    assert strays(localized(study, ledger)) == []
    for name in ("P001/C2.nii.gz", "P0001/c1.nii.gz", "P0001/C3.nii.gz", "Somebody.nii.gz"):
        atomic.write_bytes(livers / name, b"")
    outcomes = localized(study, ledger)
    assert strays(outcomes) == [
        ("overrides/livers/P0001", "unknown-phase"),
        ("overrides/livers, entry 3 of 5", "unknown-case"),
        ("overrides/livers, entry 4 of 5", "unknown-case"),
    ]
    assert "2 masks are not called C2.nii.gz" in outcomes[1].reasons[0].text


def test_without_overrides_nothing_is_said(study: Study, ledger: Ledger) -> None:
    assert strays(localized(study, ledger)) == []
    assert convert_cases(study, ledger, {}, executor=SerialExecutor(), progress=lambda *_: None) == ()
