"""`localize` as a stage: what people gave wins and is recorded, and an uncertain liver holds the case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quadphase.io.json_file import load_record, save_record
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.study import Study
from quadphase.localize import LiverResult
from quadphase.localize import case as stage
from quadphase.localize.case import LocalizeJob, localize_case
from quadphase.localize.overrides import RangeOverride
from quadphase.model import (
    CaseRecord,
    Grid,
    GridRecord,
    LiverRecord,
    Mask,
    Outcome,
    Phase,
    PhaseRecord,
    Status,
    Volume,
)

GRID = Grid((6, 5, 8), [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])


def box(first: int, stop: int) -> Mask:
    voxels = np.zeros(GRID.shape, bool)
    voxels[1:4, 1:4, first:stop] = True
    return Mask(voxels=voxels, grid=GRID)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study.create(tmp_path / "study")
    save_volume(made.ct("P0001", Phase.C2), Volume(hu=np.full(GRID.shape, -1000, np.int16), grid=GRID))
    phase = PhaseRecord(phase=Phase.C2, grid=GridRecord.of(GRID), series="x", n_slices=8, slice_spacing_mm=2.0)
    save_record(made.case_record("P0001"), CaseRecord(case="P0001", phases={Phase.C2: phase}))
    return made


def run(study: Study, **ranges: RangeOverride) -> Outcome:
    job = LocalizeJob(
        study_root=study.root,
        case="P0001",
        backend="builtin",
        command="",
        ranges={Phase(name): override for name, override in ranges.items()},
    )
    return localize_case(job)


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def test_a_scan_of_air_has_no_liver_and_nothing_is_written(study: Study) -> None:
    outcome = run(study)
    assert outcome.status is Status.HELD
    assert codes(outcome) == ["liver-not-found"]
    assert not study.livers.exists()


def test_a_given_mask_wins_and_a_second_run_does_nothing(study: Study) -> None:
    save_mask(study.overrides / "livers" / "P0001" / "C2.nii.gz", box(2, 5))
    outcome = run(study)
    assert outcome.status is Status.DONE
    assert codes(outcome) == ["liver-mask-overridden"]
    record = load_record(study.liver_record("P0001"), LiverRecord).phases[Phase.C2]
    assert (record.first, record.stop, record.source) == (2, 5, "person")
    assert run(study).status is Status.UNCHANGED


def _garble(study: Study) -> None:
    study.liver("P0001", Phase.C2).write_bytes(b"not a mask")


def _same_size(study: Study) -> None:
    path = study.liver("P0001", Phase.C2)
    path.write_bytes(bytes(path.stat().st_size))


def _remove(study: Study) -> None:
    study.liver("P0001", Phase.C2).unlink()


def _damage_record(study: Study) -> None:
    study.liver_record("P0001").write_bytes(b'{"case": "P0')


def _strange_record(study: Study) -> None:
    study.liver_record("P0001").write_text('{"case": "P0001", "phases": {}, "colour": "red"}')


@pytest.mark.parametrize("harm", [_garble, _same_size, _remove, _damage_record, _strange_record])
def test_what_was_damaged_is_made_again(study: Study, harm: Callable[[Study], None]) -> None:
    save_mask(study.overrides / "livers" / "P0001" / "C2.nii.gz", box(2, 5))
    run(study)
    written = study.liver("P0001", Phase.C2).read_bytes()
    harm(study)
    assert run(study).status is Status.DONE
    assert study.liver("P0001", Phase.C2).read_bytes() == written
    assert run(study).status is Status.UNCHANGED


def test_a_new_version_finds_the_liver_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    save_mask(study.overrides / "livers" / "P0001" / "C2.nii.gz", box(2, 5))
    run(study)
    monkeypatch.setattr(stage, "__version__", "999.0")
    assert run(study).status is Status.DONE
    step = load_record(study.liver_record("P0001"), LiverRecord).steps[0]
    assert step.versions["quadphase"] == "999.0"
    assert run(study).status is Status.UNCHANGED


def test_a_given_range_wins_and_names_its_author(study: Study) -> None:
    save_mask(study.overrides / "livers" / "P0001" / "C2.nii.gz", box(2, 5))
    outcome = run(study, C2=RangeOverride(first=1, stop=7, author="Dr X"))
    assert codes(outcome) == ["liver-mask-overridden", "liver-range-overridden"]
    record = load_record(study.liver_record("P0001"), LiverRecord).phases[Phase.C2]
    assert (record.first, record.stop, record.source) == (1, 7, "Dr X")


def test_an_uncertain_liver_holds_the_case_until_a_person_accepts_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unsure:
        def find(self, phases):  # type: ignore[no-untyped-def]
            return {phase: LiverResult(mask=box(2, 5), confidence=0.2, k_range=(2, 5)) for phase in phases}

    monkeypatch.setattr(stage, "get_backend", lambda *_, **__: Unsure())
    outcome = run(study)
    assert outcome.status is Status.HELD
    assert codes(outcome) == ["liver-low-confidence"]
    assert study.liver("P0001", Phase.C2).is_file()
    accepted = run(study, C2=RangeOverride(first=2, stop=5, author="Dr X"))
    assert accepted.status is Status.DONE
