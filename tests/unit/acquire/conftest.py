"""Tiny CT files and a study with a two-patient cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model.source import SourcePatient

PATIENT = "MRN-40071"
OTHER = "MRN-50082"


def uid(*words: object) -> str:
    return generate_uid(entropy_srcs=[str(word) for word in words])


def ct(number: int = 1, *, patient: str = PATIENT, exam: str = "exam", series: str = "series", **tags: Any) -> Dataset:
    """A 16×16 CT slice; `tags` override attributes by keyword."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = uid(patient, exam, series, number)
    data.StudyDate = "20240301"
    data.StudyTime = "101500"
    data.AccessionNumber = "ACC" + exam
    data.Modality = "CT"
    data.PatientID = patient
    data.PatientName = "Planted^Person"
    data.StudyInstanceUID = uid(patient, exam)
    data.SeriesInstanceUID = uid(patient, exam, series)
    data.SeriesNumber = 2
    data.InstanceNumber = number
    data.Rows = data.Columns = 16
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelRepresentation = 1
    data.PixelData = bytes(16 * 16 * 2)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = uid(patient, exam, series, number)
    return data


def save(data: Dataset, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, **({"enforce_file_format": True} | options))
    return path


@pytest.fixture
def hospital(tmp_path: Path) -> Callable[..., Path]:
    """``hospital(patient=…, slices=3, folder="a/b", **tags)`` writes one series and returns the tree's root."""
    root = tmp_path / "export"
    root.mkdir()

    def write(slices: int = 3, folder: str = "x", **options: Any) -> Path:
        for number in range(1, slices + 1):
            save(ct(number, **options), root / folder / f"file{number}")
        return root

    return write


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study whose cohort is two patients: P0001 (with an accession number) and P0002."""
    made = Study(tmp_path / "study")
    made.make_restricted()
    patients = (
        SourcePatient(patient_id=PATIENT, accession_number="ACC-77"),
        SourcePatient(patient_id=OTHER),
    )
    with Ledger(made.ledger_url) as ledger:
        ledger.replace_patients(patients, {PATIENT: "P0001", OTHER: "P0002"})
    return made
