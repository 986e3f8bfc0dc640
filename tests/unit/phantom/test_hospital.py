import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from quadphase.errors import InputError
from quadphase.io.nifti import load_label_map, load_mask
from quadphase.model import Phase
from quadphase.phantom.hospital import COLUMNS, Hospital, build_hospital
from quadphase.phantom.roster import EXCLUSIONS

SIZE = {"patients": 4, "matrix": 64, "slice_spacing_mm": 15.0}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return build_hospital(tmp_path_factory.mktemp("hospital") / "h", **SIZE)


@pytest.fixture(scope="module")
def truth(hospital: Hospital) -> dict[str, dict]:
    patients = json.loads((hospital.truth / "hospital.json").read_text("utf-8"))["patients"]
    return {p["patient_id"]: p for p in patients}


@pytest.fixture(scope="module")
def headers(hospital: Hospital) -> list[pydicom.Dataset]:
    found = []
    for path in sorted(p for p in hospital.pacs.rglob("*") if p.is_file()):
        try:
            found.append(pydicom.dcmread(path, stop_before_pixels=True))
        except InvalidDicomError:
            continue
    return [d for d in found if "PatientID" in d]


def digest(root: Path) -> dict[str, str]:
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def test_the_table_has_every_patient_and_the_canonical_columns(hospital: Hospital, truth: dict[str, dict]) -> None:
    with hospital.clinical_table.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle)
        rows = list(reader)
    assert tuple(reader.fieldnames or ()) == COLUMNS
    assert {r["patient_id"] for r in rows} == set(truth) == set(hospital.eligible) | set(hospital.ineligible)
    assert len(hospital.eligible) == 4
    assert len(hospital.ineligible) == len(EXCLUSIONS)
    assert [r["patient_id"] for r in rows][:4] != list(hospital.eligible)  # order says nothing


def test_every_phase_of_the_truth_is_in_the_pacs(headers: list[pydicom.Dataset], truth: dict[str, dict]) -> None:
    counts = Counter(
        (str(d.SeriesInstanceUID), int(d.AcquisitionNumber))
        for d in headers
        if "MPR" not in d.ImageType and "AcquisitionNumber" in d
    )
    for patient in truth.values():
        for phase in patient["phases"].values():
            assert counts[phase["series_instance_uid"], phase["acquisition_number"]] == phase["shape"][2]


def test_no_two_instances_share_a_uid(headers: list[pydicom.Dataset]) -> None:
    assert max(Counter(str(d.SOPInstanceUID) for d in headers).values()) == 1


def test_eligible_exams_hold_clutter_too(hospital: Hospital, headers: list[pydicom.Dataset]) -> None:
    for patient_id in hospital.eligible:
        mine = [d for d in headers if d.PatientID == patient_id]
        types = {"\\".join(d.ImageType) for d in mine}
        assert any("LOCALIZER" in t for t in types)
        assert any("SCREEN SAVE" in t for t in types)
        assert any("MPR" in t for t in types)
        assert len({d.StudyInstanceUID for d in mine}) == 1
    names = {p.name for p in hospital.pacs.iterdir()}
    assert {"DICOMDIR", "readme.txt", "Thumbs.db"} <= names
    assert any(not p.suffix for p in hospital.pacs.rglob("*") if p.is_file())


def test_phases_are_complete_but_for_the_one_who_lacks_delayed(truth: dict[str, dict]) -> None:
    lacking = [p for p in truth.values() if set(p["phases"]) != set(Phase)]
    assert [p["reasons"] for p in lacking] == [["missing-delayed-phase"]]


def test_readings_lie_on_the_grid_of_the_volume_and_differ(hospital: Hospital, truth: dict[str, dict]) -> None:
    seen = []
    for patient_id in hospital.eligible:
        for phase, facts in truth[patient_id]["phases"].items():
            masks = {
                r: load_mask(folder / patient_id / f"{phase}.nii.gz")
                for r, folder in (
                    ("A", hospital.readings / "A"),
                    ("B", hospital.readings / "B"),
                    ("C", hospital.adjudicated),
                )
            }
            lesions = load_label_map(hospital.truth / patient_id / f"{phase}_lesions.nii.gz")
            for image in (*masks.values(), lesions):
                np.testing.assert_allclose(image.grid.affine, facts["affine"], atol=1e-3)
                assert list(image.grid.shape) == facts["shape"]
            a, b, c = (masks[r].voxels for r in "ABC")
            assert ((a & b) <= c).all()
            assert (c <= (a | b)).all()
            if truth[patient_id]["diagnosis"] == "CN":
                assert not a.any()
                assert not b.any()
            else:
                seen.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert 0.6 < np.mean(seen) < 0.95


def test_liver_slices_of_the_truth_match_the_mask(hospital: Hospital, truth: dict[str, dict]) -> None:
    patient_id = hospital.eligible[0]
    liver = load_mask(hospital.truth / patient_id / "C2_liver.nii.gz")
    first, stop = truth[patient_id]["phases"]["C2"]["liver_slices"]
    inside = liver.voxels.any(axis=(0, 1))
    assert inside[first]
    assert inside[stop - 1]
    assert not inside[:first].any()
    assert not inside[stop:].any()


def test_a_volume_written_as_dicom_is_where_the_truth_says(hospital: Hospital, truth: dict[str, dict]) -> None:
    facts = truth[hospital.eligible[1]]["phases"]["C1"]
    slices = []
    for path in hospital.pacs.rglob("*"):
        if path.is_file() and path.stat().st_size > 4000:
            data = pydicom.dcmread(path, force=True)
            if data.get("SeriesInstanceUID") == facts["series_instance_uid"]:
                slices.append(data)
    slices.sort(key=lambda d: float(d.ImagePositionPatient[2]))
    affine = np.array(facts["affine"])
    for k, data in enumerate(slices):
        ras = affine @ [0, 0, k, 1]
        np.testing.assert_allclose(data.ImagePositionPatient, ras[:3] * [-1, -1, 1], atol=1e-3)


def test_the_same_seed_writes_the_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    size = {"patients": 2, "matrix": 32, "slice_spacing_mm": 30.0, "ineligible": False}
    alone = build_hospital(tmp_path / "alone", **size)
    together = build_hospital(tmp_path / "together", **size, workers=2)
    assert len(digest(alone.root)) > 50
    assert digest(alone.root) == digest(together.root)


def test_progress_is_told_and_another_seed_is_another_hospital(hospital: Hospital, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    other = build_hospital(
        tmp_path / "other",
        patients=1,
        seed=7,
        matrix=32,
        slice_spacing_mm=40.0,
        ineligible=False,
        progress=lambda done, total, what: told.append((done, total, what)),
    )
    assert told == [(1, 1, "patient 1")]
    assert set(other.eligible).isdisjoint(hospital.eligible)
    assert other.ineligible == ()


def test_refuses_a_full_folder_and_impossible_sizes(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("here", "ascii")
    with pytest.raises(InputError) as caught:
        build_hospital(tmp_path)
    assert caught.value.code == "folder-not-empty"
    with pytest.raises(InputError) as caught:
        build_hospital(tmp_path / "new", patients=0)
    assert caught.value.code == "bad-phantom-size"
