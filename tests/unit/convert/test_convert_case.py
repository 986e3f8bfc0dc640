"""One exam to one case folder: written whole, held with its reason, left alone when nothing changed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.case import ConvertJob, convert_case
from quadphase.convert.phases import PhaseOverride
from quadphase.io.json_file import load_record
from quadphase.io.nifti import load_volume
from quadphase.io.study import Study
from quadphase.model import CaseRecord, Outcome, Phase, Protocol, Status
from quadphase.phantom.nasty import NASTY

KEY = b"k" * 32


def job(root: Path, files: Path, *, required: tuple[str, ...] = ("P", "C1", "C2"), **options: object) -> ConvertJob:
    protocol = Protocol.of({"phases": {"required": list(required)}, **options.pop("protocol", {})})  # type: ignore[arg-type, dict-item]
    paths = tuple(sorted(p for p in files.rglob("*") if p.is_file()))
    return ConvertJob(study_root=root, case="P0001", paths=paths, key=KEY, protocol=protocol, **options)  # type: ignore[arg-type]


def left_behind(root: Path) -> list[str]:
    """Files of the study but the report of `quadphase exams`, which held exams have too."""
    found = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return sorted(name for name in found if not name.startswith("reports/exams/"))


class TestRealExam:
    def test_four_phases_asked_is_held_with_the_missing_one(self, real_data: Path, tmp_path: Path) -> None:
        outcome = convert_case(job(tmp_path, real_data / "multiphase_hcc", required=("P", "C1", "C2", "C3")))
        assert outcome.status is Status.HELD
        assert [r.text for r in outcome.reasons] == ["delayed phase (C3) is missing"]
        assert left_behind(tmp_path) == []

    def test_three_phases_asked_is_converted_exactly(self, real_data: Path, tmp_path: Path) -> None:
        from pydicom import dcmread

        outcome = convert_case(job(tmp_path, real_data / "multiphase_hcc"))
        assert outcome.status is Status.DONE
        record = load_record(Study(tmp_path).case_record("P0001"), CaseRecord)
        assert {p: r.n_slices for p, r in record.phases.items()} == {Phase.P: 18, Phase.C1: 75, Phase.C2: 75}
        assert {p: r.slice_spacing_mm for p, r in record.phases.items()} == {Phase.P: 10, Phase.C1: 2.5, Phase.C2: 2.5}
        series = real_data / "multiphase_hcc/study/4.000000-Recon 2 LIVER 3 PHASE AP-28011"
        slices = [dcmread(path) for path in sorted(series.glob("*.dcm"))]
        for phase, acquisition in ((Phase.C1, 2), (Phase.C2, 3)):
            volume = load_volume(Study(tmp_path).ct("P0001", phase))
            mine = sorted(
                (s for s in slices if s.AcquisitionNumber == acquisition), key=lambda s: s.ImagePositionPatient[2]
            )
            assert volume.hu.shape == (512, 512, 75)
            for k, one in enumerate(mine):
                np.testing.assert_array_equal(volume.hu[:, :, k].T, one.pixel_array)  # slope 1, intercept 0
                place = volume.grid.world_from_index((0, 0, k)) * (-1, -1, 1)
                np.testing.assert_allclose(place, np.array(one.ImagePositionPatient, dtype=float), atol=1e-3)

    def test_again_is_unchanged_until_a_setting_or_file_changes(self, real_data: Path, tmp_path: Path) -> None:
        first = job(tmp_path, real_data / "multiphase_hcc")
        assert convert_case(first).status is Status.DONE
        before = Study(tmp_path).case_record("P0001").read_bytes()
        assert convert_case(first).status is Status.UNCHANGED
        other = job(tmp_path, real_data / "multiphase_hcc", protocol={"convert": {"minimum_slices": 12}})
        assert convert_case(other).status is Status.DONE
        assert Study(tmp_path).case_record("P0001").read_bytes() != before

    def test_slice_table_names_no_one(self, real_data: Path, tmp_path: Path) -> None:
        convert_case(job(tmp_path, real_data / "multiphase_hcc"))
        text = Study(tmp_path).slices("P0001", Phase.P).read_text("utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["k"] for row in rows] == [str(k) for k in range(18)]
        assert [float(row["s_mm"]) for row in rows] == pytest.approx([-218.36 + 10 * k for k in range(18)])
        assert len({row["sop"] for row in rows}) == 18
        assert "1.3.6.1.4.1" not in text
        assert "1.3.6.1.4.1" not in Study(tmp_path).case_record("P0001").read_text("utf-8")

    @pytest.mark.parametrize(
        ("folder", "said"), [("tilted_ct", "gantry-tilt, uneven-spacing"), ("burned_in", "none of 16 files is a slice")]
    )
    def test_an_exam_without_a_volume_says_why(self, folder: str, said: str, real_data: Path, tmp_path: Path) -> None:
        outcome = convert_case(job(tmp_path, real_data / folder))
        assert outcome.status is Status.HELD
        assert said in outcome.reasons[0].text
        assert left_behind(tmp_path) == []

    def test_incomplete_exam_names_every_missing_phase(self, real_data: Path, tmp_path: Path) -> None:
        outcome = convert_case(job(tmp_path, real_data / "incomplete_exam"))
        assert outcome.status is Status.HELD
        assert "plain phase (P) is missing" in [r.text for r in outcome.reasons]
        assert "too-few-slices" in {f.code for f in outcome.findings}


def _by_hand(order: str) -> tuple[PhaseOverride, ...]:
    return tuple(
        PhaseOverride(case="P0001", series=None, stack=n, phase=Phase(name), author="reader A", time="2025-03-01T09:30")
        for n, name in enumerate(order.split())
    )


def test_a_person_may_decide_the_phases(tmp_path: Path) -> None:
    NASTY["phases_by_acquisition_number"](tmp_path / "in")
    decided = job(
        tmp_path / "study", tmp_path / "in", phase_overrides=_by_hand("P C1 C2 C3"),
        protocol={"convert": {"minimum_slices": 5}}, required=("P", "C1", "C2", "C3"),
    )  # fmt: skip
    outcome: Outcome = convert_case(decided)
    assert outcome.status is Status.DONE, outcome.reasons
    record = load_record(Study(tmp_path / "study").case_record("P0001"), CaseRecord)
    assert {r.assigned_by for r in record.phases.values()} == {"reader A"}


def test_two_exams_in_one_job_are_held(tmp_path: Path) -> None:
    NASTY["oblique"](tmp_path / "in/a")
    NASTY["blank_uids"](tmp_path / "in/b")
    outcome = convert_case(job(tmp_path / "study", tmp_path / "in"))
    assert outcome.reasons[0].code == "several-exams"


def test_a_damaged_slice_holds_the_case_and_leaves_nothing(tmp_path: Path) -> None:
    case = NASTY["jpeg2000"](tmp_path / "in")
    blob = case.paths[2].read_bytes()
    end = blob.rindex(b"\xff\xd9")
    case.paths[2].write_bytes(blob[: end - 200] + bytes(202) + blob[end + 2 :])
    outcome = convert_case(job(tmp_path / "study", tmp_path / "in", required=("C2",)))
    assert outcome.status is Status.HELD
    assert "undecodable-pixels" in {f.code for f in outcome.findings}
    assert left_behind(tmp_path / "study") == []
