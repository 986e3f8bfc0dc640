"""Table 1: every number of the paper's upper half from `patient_data.csv`, and honest denominators beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.io.release import Release
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Diagnosis, Phase, Sex
from quadphase.release.table1_text import FORMATS, render_table1, table1_cells
from quadphase.statistics.measures import ImageMeasures, per_patient
from quadphase.statistics.summary import Quartiles, Share
from quadphase.statistics.table1 import Table1, compute_table1

PAPER = """\
Number of patients (N)|278|83
Age (years) (median [IQR])|59.00 [51.00, 67.00]|41.00 [37.50, 53.50]
Gender (%)||
  Male|185 (67.3)|15 (18.1)
  Female|90 (32.7)|68 (81.9)
Total number of 3D CECT images (N)|1112|332
Phases (%)||
  Arterial Phase|278 (25.0)|83 (25.0)
  Venous Phase|278 (25.0)|83 (25.0)
  Delayed Phase|278 (25.0)|83 (25.0)
  Plain Phase|278 (25.0)|83 (25.0)
Cancer type (%)||
  cHCC-CCA|85 (30.6)|—
  HCC|94 (33.8)|—
  ICC|99 (35.6)|—
  Normal|—|83 (100.0)"""
"""Luo et al. 2025, Table 1, the rows that rest on patient_data.csv."""


@pytest.fixture
def published(real_data: Path) -> Release:
    return Release(real_data / "plc_cect" / "patient_data.csv")


def test_every_number_of_the_paper(published: Release) -> None:
    header, rows = table1_cells(compute_table1(published.rows, convention="paper"))
    assert header == ("Category", "Liver Cancer Patients (N = 278)", "Non-Liver Cancer Patients (N = 83)")
    assert "\n".join("|".join(row) for row in rows) == PAPER


def test_honest_denominators(published: Release) -> None:
    table = compute_table1(published.rows)
    _, rows = table1_cells(table)
    cells = {row[0].strip(): row[1:] for row in rows}
    assert cells["Male"] == ("185 (67.3) of 275 known", "15 (18.1)")
    assert cells["Age (years) (median [IQR])"] == ("59.00 [51.00, 67.00]; n = 275", "41.00 [37.50, 53.50]")
    male = table.line("male").cells
    assert male is not None
    assert male[0] == Share(count=185, known=275, total=278)


def row(subject: str, phase: Phase, diagnosis: Diagnosis | None, age: float | None = 50) -> ReleaseRow:
    return ReleaseRow(
        line=2,
        subject=subject,
        age_years=age,
        sex=Sex.MALE,
        phase=phase,
        diagnosis=diagnosis,
        ct_path="ct.nii.gz",
        mask_path=None,
        liver_mask_path=None,
    )


ROWS = [
    *(row("P1", phase, Diagnosis.HCC) for phase in (Phase.C1, Phase.C2)),
    row("P2", Phase.C1, Diagnosis.ICC, age=None),
    row("P3", Phase.C1, Diagnosis.CN),
]


def image(subject: str, phase: Phase, slices: int, **lesion: float | None) -> ImageMeasures:
    return ImageMeasures(subject=subject, phase=phase, slices=slices, **lesion)  # type: ignore[arg-type]


IMAGES = [
    image("P1", Phase.C1, 100, lesion_slices=10, lesion_volume_ml=8.0, lesion_max_diameter_mm=30.0, lesion_count=1),
    image("P1", Phase.C2, 120, lesion_slices=20, lesion_volume_ml=4.0, lesion_max_diameter_mm=20.0, lesion_count=3),
    image("P2", Phase.C1, 90, lesion_slices=0, lesion_volume_ml=0.0, lesion_max_diameter_mm=None, lesion_count=0),
    image("P3", Phase.C1, 80),
]


def cell(table: Table1, key: str) -> object:
    cells = table.line(key).cells
    assert cells is not None
    return cells[0]


def test_image_and_patient_are_kept_apart() -> None:
    table = compute_table1(ROWS, IMAGES)
    assert cell(table, "slices_total") == 310
    assert cell(table, "lesion_slices_total") == 30
    per_image, per_subject = cell(table, "lesion_volume_per_image"), cell(table, "lesion_volume_per_patient")
    assert isinstance(per_image, Quartiles)
    assert isinstance(per_subject, Quartiles)
    assert (per_image.known, per_image.median, per_image.maximum) == (3, 4.0, 8.0)
    assert (per_subject.known, per_subject.median, per_subject.maximum) == (2, 3.0, 6.0)
    controls = table.line("lesion_volume_per_image").cells
    assert controls is not None
    assert controls[1] is None


def test_an_empty_mask_has_no_diameter_in_the_table() -> None:
    diameter = cell(compute_table1(ROWS, IMAGES), "lesion_diameter_per_image")
    assert isinstance(diameter, Quartiles)
    assert (diameter.known, diameter.total, diameter.minimum) == (2, 3, 2.0)


def test_papers_convention_calls_images_patients() -> None:
    table = compute_table1(ROWS, IMAGES, convention="paper")
    assert table.line("slices").label == "Slices per patient (median [IQR])"
    slices = cell(table, "slices")
    assert isinstance(slices, Quartiles)
    assert slices.known == 3


def test_per_patient_is_the_median_of_the_phases() -> None:
    (first, second, _) = per_patient(IMAGES)
    assert (first.slices, first.lesion_count, second.lesion_max_diameter_mm) == (110.0, 2.0, None)


def test_rows_without_a_cancer_type_are_said_to_be_left_out() -> None:
    table = compute_table1([*ROWS, row("P4", Phase.P, None)])
    assert table.groups[0].subjects == 2
    assert table.footnotes[0].startswith("1 rows without")


def test_a_release_without_controls() -> None:
    table = compute_table1(ROWS[:2], IMAGES[:2])
    assert table1_cells(table)[1][0] == ("Number of patients (N)", "1", "—")


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_holds_every_number(form: str) -> None:
    table = compute_table1(ROWS, IMAGES)
    text = render_table1(table, form)  # type: ignore[arg-type]
    for number in ("50.00 [50.00, 50.00]; n = 1", "310", "4.00 [2.00, 6.00], (0, 8)"):
        assert number in text
    if form == "tex":
        assert "%" not in text.replace(r"\%", "")
        assert text.count(r"\\") == len(table.lines) + 1
    if form == "html":
        assert text.count("<tr") == len(table.lines) + 1


def test_json_keeps_denominators() -> None:
    value = compute_table1(ROWS, IMAGES).to_dict()
    male = next(line for line in value["lines"] if line["key"] == "male")
    assert male["cells"][0] == {"count": 2, "known": 2, "total": 2, "percent": 100.0}
