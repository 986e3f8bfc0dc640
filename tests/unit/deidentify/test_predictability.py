"""Ids, rows, file names, file times and splits of a release, each made to give the label away, and a clean twin."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from quadphase.deidentify.predictability import judge_release
from quadphase.io.tables import format_csv

DIAGNOSES = ["HCC"] * 20 + ["ICC"] * 12 + ["CN"] * 16


def write(root: Path, *, leak: str = "", subjects: int = 48) -> Path:
    draw = random.Random(7)
    diagnoses = draw.sample(DIAGNOSES, subjects)
    numbers = draw.sample(range(1, 1000), subjects)
    if leak == "ids":
        numbers = sorted(numbers)
        diagnoses.sort()
    people = [(f"P{number:04d}", diagnosis) for number, diagnosis in zip(numbers, diagnoses, strict=True)]
    people.sort(key=lambda p: p[1] if leak == "row order" else p[0])
    files = sorted(people, key=lambda p: p[1]) if leak == "file names" else people
    names = {subject: f"ct_files/{n:03d}.nii.gz" for n, (subject, _) in enumerate(files)}
    (root / "ct_files").mkdir(parents=True)
    columns = ("patient_id", "age", "gender", "phase", "cancer_type", "ct_path", "mask_path", "liver_mask_path")
    rows = [(s, 60, "male", phase, d, names[s], None, None) for s, d in people for phase in ("P", "C1")]
    (root / "patient_data.csv").write_text(format_csv(columns, rows), newline="")
    timed = sorted(people, key=lambda p: p[1]) if leak == "file times" else draw.sample(people, subjects)
    for number, (subject, _) in enumerate(timed):
        (root / names[subject]).write_bytes(b"")
        os.utime(root / names[subject], ns=(10**18 + number, 10**18 + number))
    folds = {s: sorted({d for _, d in people}).index(d) if leak == "splits" else draw.randrange(5) for s, d in people}
    (root / "splits.csv").write_text(format_csv(("patient_id", "fold"), folds.items()), newline="")
    return root


def test_a_clean_release_tells_nothing(tmp_path: Path) -> None:
    report = judge_release(write(tmp_path / "r"))
    assert report.findings == ()
    assert set(report.p_values) == {"ids", "row order", "file names", "file times", "splits"}


@pytest.mark.parametrize("leak", ["ids", "row order", "file names", "file times", "splits"])
def test_each_leak_is_found(tmp_path: Path, leak: str) -> None:
    report = judge_release(write(tmp_path / "r", leak=leak))
    assert {finding.code for finding in report.findings} == {"label-predictable"}
    assert any(f"the {leak} of" in finding.message for finding in report.findings)


def test_few_subjects_are_not_judged(tmp_path: Path) -> None:
    report = judge_release(write(tmp_path / "r", subjects=8))
    assert [finding.code for finding in report.findings] == ["label-not-testable"]


def test_the_published_table_gives_its_labels_away(real_data: Path) -> None:
    report = judge_release(real_data / "plc_cect" / "patient_data.csv")
    assert report.p_values["ids"] < 1e-4
    assert report.p_values["file times"] is None  # there are no files


def test_our_pseudonyms_hide_the_order_of_the_hospital() -> None:
    """Patients listed by diagnosis, as hospitals and the published table do, get pseudonyms that do not show it."""
    from quadphase.io.pseudonyms import permute
    from quadphase.statistics.permutation import order_p_value

    labels = ["HCC"] * 90 + ["ICC"] * 90 + ["CN"] * 80
    patients = [f"{number:06d}" for number in range(len(labels))]
    p = []
    for n in range(20):
        cases = permute(bytes([n]) * 32, patients, taken={}, prefix="P", digits=4)
        p.append(order_p_value([int(cases[patient][1:]) for patient in patients], labels, shuffles=500))
    assert order_p_value(range(len(labels)), labels, shuffles=500) < 0.01
    assert sum(value < 0.05 for value in p) <= 4
