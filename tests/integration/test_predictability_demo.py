"""A study of the demo's kind, through the functions that number, split and release it: nothing tells the diagnosis.

The hospital lists its patients by diagnosis, which is how the published table got its telling ids. Patients, clinical
table, cohort, pseudonyms, splits and release are the real ones and the demo's; only the images are tiny, so that there
can be enough patients to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from quadphase.cohort import run_cohort
from quadphase.deidentify.predictability import PredictabilityReport, judge_release
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import save_record
from quadphase.io.ledger import Ledger
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.study import Study
from quadphase.io.tables import format_csv
from quadphase.model import (
    CaseRecord,
    ConsensusRecord,
    Grid,
    GridRecord,
    LiverPhaseRecord,
    LiverRecord,
    Mask,
    Phase,
    PhaseRecord,
    SliceDecision,
    StepRecord,
    Volume,
)
from quadphase.phantom.roster import roster
from quadphase.pipeline.demo import KEY
from quadphase.pipeline.publish import subject_of
from quadphase.release import build_release
from quadphase.release.case import ReleaseSubject

PATIENTS = 40
GRID = Grid((24, 20, 6), np.diag([-12.0, -12.0, 8.0, 1.0]))


def study_of_the_demo(root: Path) -> Study:
    """The demo's hospital and key; the clinical table sorted by diagnosis."""
    study = Study.create(root / "study")
    study.key_path.write_text(KEY + "\n")
    study.key_path.chmod(0o600)
    rows = sorted((a.row() for a in roster(PATIENTS, seed=0)), key=lambda row: row["morphology_code"])
    (root / "clinical.csv").write_text(format_csv(tuple(rows[0]), [tuple(row.values()) for row in rows]), "utf-8")
    run_cohort(study, root / "clinical.csv")
    return study


def release(study: Study, out: Path) -> Path:
    with Ledger(study.ledger_url) as ledger:
        eligible = {decision.case for decision in ledger.decisions() if decision.eligible}
        patients = {case: patient for case, patient in ledger.patients().items() if case in eligible}
    subjects = {case: subject_of(case, patient, None) for case, patient in patients.items()}
    for subject in subjects.values():
        write_images(study, subject)
    out.mkdir()
    build_release(study.root, out, subjects, study.protocol, figures=False)
    return out


def write_images(study: Study, subject: ReleaseSubject) -> None:
    """What convert, localize and annotate leave of a case."""
    liver = np.zeros(GRID.shape, bool)
    liver[4:14, 4:14, 1:5] = True
    lesion = np.zeros(GRID.shape, bool)
    lesion[7:9, 7:9, 2:4] = True
    hu = np.where(liver, 60, -50).astype(np.int16)
    phases, livers, masks = {}, {}, {}
    for phase in Phase:
        save_volume(study.ct(subject.case, phase), Volume(hu=hu, grid=GRID))
        save_mask(study.liver(subject.case, phase), Mask(voxels=liver, grid=GRID))
        phases[phase] = PhaseRecord(
            phase=phase, grid=GridRecord.of(GRID), series="0#0", n_slices=6, slice_spacing_mm=8.0,
            slice_thickness_mm=8.0, manufacturer="Philips", model="iCT 256", kvp=120.0, kernel="B",
            seconds_after_first=30.0 * phase.order,
        )  # fmt: skip
        livers[phase] = LiverPhaseRecord(first=1, stop=5, volume_ml=1.0, confidence=0.9, source="builtin")
        if subject.diagnosis.is_cancer:
            masks[phase] = study.consensus(subject.case) / f"{phase.value}.nii.gz"
            save_mask(masks[phase], Mask(voxels=lesion, grid=GRID))
    if masks:
        whole = (SliceDecision(first=0, stop=6, how="agreed", author="readers"),)
        step = StepRecord(stage="annotate", outputs={study.relative(path): sha256_of(path) for path in masks.values()})
        record = ConsensusRecord(case=subject.case, phases=dict.fromkeys(masks, whole), steps=(step,))
        save_record(study.consensus(subject.case) / "consensus.json", record)
    save_record(study.case_record(subject.case), CaseRecord(case=subject.case, phases=phases))
    step = StepRecord(stage="localize", settings={"backend": "builtin"})
    save_record(study.liver_record(subject.case), LiverRecord(case=subject.case, phases=livers, steps=(step,)))


def judged(root: Path) -> PredictabilityReport:
    return judge_release(release(study_of_the_demo(root), root / "release"))


def test_the_demos_ids_rows_files_times_and_splits_do_not_tell_the_diagnosis(tmp_path: Path) -> None:
    report = judged(tmp_path)
    assert report.subjects >= PATIENTS * 3 // 4
    assert set(report.p_values) == {"ids", "row order", "file names", "file times", "splits"}
    assert report.findings == ()
    assert min(report.p_values.values()) > 0.01


def test_numbers_in_the_hospitals_order_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_order(key: bytes, patient_ids: Iterable[str], *, taken: Mapping[str, str], **form: object) -> dict[str, str]:
        del key, taken, form
        return {patient: f"P{number:04d}" for number, patient in enumerate(patient_ids, start=1)}

    monkeypatch.setattr("quadphase.cohort.run.permute", in_order)
    report = judged(tmp_path)
    assert {finding.code for finding in report.findings} == {"label-predictable"}
    assert any("the ids of" in finding.message for finding in report.findings)
