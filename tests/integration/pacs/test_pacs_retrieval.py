"""Fetching from a real Orthanc by C-GET, C-MOVE and DICOMweb: what comes, what does not, how it is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import RLELossless

from quadphase.acquire import AcquireReport, acquire
from quadphase.acquire.dimse.intake import Intake
from quadphase.io.study import Study
from quadphase.model.source import SourcePatient

from .conftest import (
    IMAGES,
    OTHER,
    PATIENT,
    Orthanc,
    as_written,
    exam_images,
    image,
    leftovers,
    make_study,
    stored,
    uid,
)

WAYS = ("get", "move", "web")


def source(archive: Orthanc, way: str) -> str:
    if way == "web":
        return archive.web
    return f"{archive.dimse}?retrieve={way}&listen_port={archive.move_port}"


@pytest.mark.parametrize("way", WAYS)
def test_wanted_series_come_whole_and_unchanged(archive: Orthanc, study_of: Callable[..., Study], way: str) -> None:
    study = study_of()
    report = acquire(study, source(archive, way))
    assert report.complete
    assert report.transfer is not None
    assert (report.transfer.series_wanted, report.transfer.series_done, report.transfer.series_skipped) == (2, 2, 3)
    assert report.transfer.instances == 2 * IMAGES
    assert (report.cases["P0001"].exams, report.cases["P0001"].series, report.cases["P0001"].images) == (1, 2, 24)
    got = stored(study)
    sent = {str(d.SOPInstanceUID): as_written(d) for d in exam_images() if d.SeriesDescription in ("C1", "C2")}
    assert got.keys() == sent.keys()
    for key, data in sent.items():
        assert got[key] == data  # every element of the data set
    assert leftovers(study) == []


@pytest.mark.parametrize("way", WAYS)
def test_names_and_modes_tell_nothing(archive: Orthanc, study_of: Callable[..., Study], way: str) -> None:
    study = study_of()
    acquire(study, source(archive, way))
    identifiers = (PATIENT, "Planted", "ACC", "20240301", uid(PATIENT, "E1"), uid(PATIENT, "E1", "C1"))
    for path in study.downloads.rglob("*"):
        name = str(path.relative_to(study.root))
        assert not any(word in name for word in identifiers)
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert study.downloads.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("way", WAYS)
def test_second_run_fetches_nothing(archive: Orthanc, study_of: Callable[..., Study], way: str) -> None:
    study = study_of()
    acquire(study, source(archive, way))
    again = acquire(study, source(archive, way))
    assert again.transfer is not None
    assert (again.transfer.series_before, again.transfer.instances, again.opened) == (2, 0, 0)


def test_lost_file_is_fetched_again_alone(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    study = study_of()
    acquire(study, archive.web)
    for way in WAYS:
        next(study.downloads.rglob("*.dcm")).unlink()
        report = acquire(study, source(archive, way))
        assert report.transfer is not None
        assert report.transfer.instances == 1, way
        assert len(stored(study)) == 2 * IMAGES


def test_dry_run_lists_and_fetches_nothing(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    study = study_of()
    for address in (archive.dimse, archive.web):
        report = acquire(study, address, dry_run=True)
        assert report.wanted == {"P0001": 2}
        assert report.transfer is not None
        assert report.transfer.instances == 2 * IMAGES
        assert not study.downloads.exists()


def test_dates_follow_the_cohort_rule_unless_told_otherwise(archive: Orthanc, tmp_path: Path) -> None:
    patient = SourcePatient(patient_id=PATIENT, surgery_date=date(2023, 1, 10))
    for number, address in enumerate((archive.dimse, archive.web)):
        study = make_study(tmp_path / f"rule{number}", patient)
        assert acquire(study, address).cases["P0001"].images == 3  # the exam of January 2023
        study = make_study(tmp_path / f"all{number}", patient, all_dates=True)
        assert acquire(study, address).cases["P0001"].exams == 2


def test_accession_number_finds_the_exam_whatever_the_id(archive: Orthanc, tmp_path: Path) -> None:
    patient = SourcePatient(patient_id="other numbering", accession_number="ACC-E0", surgery_date=date(2024, 3, 5))
    for number, address in enumerate((archive.dimse, archive.web)):
        study = make_study(tmp_path / f"study{number}", patient)
        assert acquire(study, address).cases["P0001"].images == 3


def test_patient_the_archive_does_not_know(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    study = study_of(SourcePatient(patient_id=OTHER))
    for address in (archive.dimse, archive.web):
        report = acquire(study, address)
        assert report.without_exam == ("P0001",)
        assert "no-exam-in-archive" in {f.code for f in report.findings}


def test_wildcard_in_an_id_asks_for_nobody_else(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    study = study_of(SourcePatient(patient_id="MRN-*"))
    for address in (archive.dimse, archive.web):
        report = acquire(study, address)
        assert report.transfer is not None
        assert report.transfer.exams_found == 0
        assert "id-not-askable" in {f.code for f in report.findings}
        assert not report.complete
        assert not acquire(study, address, dry_run=True).complete


@pytest.mark.parametrize("way", WAYS)
def test_compressed_images_stay_as_stored(
    orthanc_factory: Callable[..., Orthanc], compressed_archive: Orthanc, study_of: Callable[..., Study], way: str
) -> None:
    study = study_of()
    assert acquire(study, source(compressed_archive, way)).complete
    got = stored(study)
    assert len(got) == 4
    assert {str(d.file_meta.TransferSyntaxUID) for d in got.values()} == {RLELossless}
    assert got[uid(PATIENT, "E1", "rle", 2)].pixel_array.tolist() == image(2, series="rle").pixel_array.tolist()


@pytest.fixture(scope="module")
def compressed_archive(orthanc_factory: Callable[..., Orthanc]) -> Orthanc:
    server = orthanc_factory()
    server.start()
    for number in range(1, 5):
        data = image(number, series="rle")
        data.compress(RLELossless, generate_instance_uid=False)
        server.upload(data)
    return server


@pytest.mark.parametrize("way", ["get", "move"])
def test_ordinary_handler_gives_the_same(
    archive: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    fast = make_study(tmp_path / "fast")
    acquire(fast, source(archive, way))
    monkeypatch.setattr(Intake, "attach", lambda *_: False)
    slow = make_study(tmp_path / "slow")
    assert acquire(slow, source(archive, way)).complete
    assert stored(slow) == stored(fast)


def test_intake_is_in_use(archive: Orthanc, study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a pynetdicom that silently no longer fits the fast way."""
    answers: list[bool] = []
    attach = Intake.attach

    def remember(self: Intake, association: Any) -> bool:
        answers.append(attach(self, association))
        return answers[-1]

    monkeypatch.setattr(Intake, "attach", remember)
    study = study_of()
    acquire(study, source(archive, "get"))
    next(study.downloads.rglob("*.dcm")).unlink()
    acquire(study, source(archive, "move"))
    assert len(answers) >= 3
    assert all(answers)


def test_agrees_with_getscu(
    archive: Orthanc, study_of: Callable[..., Study], program: Callable[[str], str], tmp_path: Path
) -> None:
    folder = tmp_path / "getscu"
    folder.mkdir()
    command = [program("getscu"), "-S", "-aet", "QUADPHASE", "-aec", "ARCHIVE", "-od", str(folder)]
    for key in ("QueryRetrieveLevel=SERIES", f"StudyInstanceUID={uid(PATIENT, 'E1')}"):
        command += ["-k", key]
    command += ["-k", f"SeriesInstanceUID={uid(PATIENT, 'E1', 'C1')}", "127.0.0.1", str(archive.dicom_port)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    theirs = {str(d.SOPInstanceUID): d for d in map(pydicom.dcmread, folder.iterdir())}
    study = study_of()
    acquire(study, archive.dimse)
    ours = {k: d for k, d in stored(study).items() if d.SeriesDescription == "C1"}
    assert ours == theirs


def test_agrees_with_dicomweb_client(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    from dicomweb_client import DICOMwebClient

    client = DICOMwebClient(archive.web)
    theirs = client.retrieve_series(uid(PATIENT, "E1"), uid(PATIENT, "E1", "C2"))
    study = study_of()
    acquire(study, archive.web)
    ours = {k: d for k, d in stored(study).items() if d.SeriesDescription == "C2"}
    assert ours == {str(d.SOPInstanceUID): d for d in theirs}


def test_report_names_nobody(archive: Orthanc, study_of: Callable[..., Study]) -> None:
    study = study_of()
    said: list[str] = []

    def listen(done: int, total: int, label: str) -> None:
        said.append(label)

    for way in WAYS:
        report: AcquireReport = acquire(study, source(archive, way), progress=listen)
        said += [repr(report), str(report.to_dict())]
    text = "\n".join(said)
    for secret in (PATIENT, "Planted", "ACC-E1", "20240301", uid(PATIENT, "E1"), uid(PATIENT, "E1", "C1")):
        assert secret not in text
