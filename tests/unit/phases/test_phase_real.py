"""Phases of the real exams, from their DICOM files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from quadphase.convert.exam import read_stacks
from quadphase.convert.judging import judge
from quadphase.model import Phase
from quadphase.model.protocol.sections import PhasesSection


@cache
def assignment(folder: Path):
    return judge(read_stacks([folder]).usable, PhasesSection(), key=b"k" * 32, case="P0001").assignment


def test_two_phases_in_one_series_without_any_time(real_data):
    result = assignment(real_data / "multiphase_hcc" / "study")
    assert result.by_phase == {Phase.P: 0, Phase.C1: 1, Phase.C2: 2}
    assert result.missing == (Phase.C3,)
    assert not result.needs_review
    assert result.margins[Phase.C2] > 1  # venous, not delayed
    assert [f.message for f in result.findings if f.code == "missing-phase"] == ["No stack is the delayed phase (C3)"]


def test_an_exam_of_which_one_phase_is_left(real_data):
    result = assignment(real_data / "incomplete_exam")
    assert list(result.labels.values()) == [Phase.C2]
    assert set(result.missing) == {Phase.P, Phase.C1, Phase.C3}
    assert result.needs_review  # one stack alone does not tell venous from delayed


def test_a_venous_scan_with_a_bolus_time(real_data):
    result = assignment(real_data / "compressed_ct" / "dicom")
    assert list(result.labels.values()) == [Phase.C2]
    sources = {item.source for item in next(iter(result.evidence.values()))}
    assert {"time", "contrast", "enhancement"} <= sources


@pytest.mark.parametrize("folder", ["multiphase_hcc/study", "incomplete_exam", "compressed_ct/dicom"])
def test_reports_hold_no_uid_and_no_clock(real_data, folder):
    import pydicom

    report = assignment(real_data / folder).report("P0001").model_dump_json()
    first = next(p for p in sorted((real_data / folder).rglob("*")) if p.is_file() and b"DICM" in p.read_bytes()[:132])
    data = pydicom.dcmread(first, stop_before_pixels=True)
    for keyword in (
        "SeriesInstanceUID",
        "StudyInstanceUID",
        "SOPInstanceUID",
        "AcquisitionTime",
        "StudyDate",
        "PatientID",
    ):
        value = str(data.get(keyword, ""))
        assert not value or value not in report
