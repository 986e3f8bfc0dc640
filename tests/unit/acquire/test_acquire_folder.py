"""Indexing a folder of DICOM in place."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quadphase.acquire import acquire
from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model.source import SourcePatient

from .conftest import OTHER, PATIENT, ct, save

Hospital = Callable[..., Path]


def instances(study: Study, patient_id: str) -> list[str]:
    with Ledger(study.ledger_url) as ledger:
        return [instance.path.name for instance in ledger.instances(patient_id)]


def codes(report: object) -> set[str]:
    return {finding.code for finding in report.findings}  # type: ignore[attr-defined]


def test_counts_by_outcome_and_by_case(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=3, folder="a/b/c d")
    hospital(slices=2, folder="a/other", patient=OTHER)
    save(ct(9, patient="someone else"), root / "stranger.dcm")
    (root / "notes.dcm").write_text("no DICOM at all, only a name that says so")
    (root / "empty").touch()
    whole = save(ct(5), root / "cut.dcm").read_bytes()
    (root / "cut.dcm").write_bytes(whole[:-200])
    report = acquire(study, root)
    assert report.files == {"image": 6, "not-dicom": 1, "unreadable": 2}
    assert report.cases["P0001"].images == 3
    assert report.cases["P0002"].series == 1
    assert report.unmatched_files == 1
    assert report.unreadable_of_cases == 1  # the cut one says whose it is
    assert not report.complete
    [finding] = [f for f in report.findings if f.code == "unreadable-files"]
    assert finding.message.startswith("1 cut short, 1 empty")
    assert (study.restricted / "unreadable_files.csv").read_text().count("\n") == 3
    assert oct((study.restricted / "unreadable_files.csv").stat().st_mode)[-3:] == "600"


def test_second_run_opens_only_what_changed(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=4)
    assert acquire(study, root).opened == 4
    assert acquire(study, root).opened == 0
    save(ct(1, SeriesDescription="changed"), root / "x" / "file1")
    (root / "x" / "file2").unlink()
    report = acquire(study, root)
    assert (report.opened, report.forgotten) == (1, 1)
    assert instances(study, PATIENT) == ["file1", "file3", "file4"]


def test_a_moved_folder_is_forgotten_where_it_was(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=3)
    acquire(study, root)
    moved = root.rename(root.with_name("moved"))
    report = acquire(study, moved)
    assert (report.opened, report.forgotten) == (3, 3)
    assert report.cases["P0001"].duplicates == 0
    [finding] = [f for f in report.findings if f.code == "source-gone"]
    assert finding.message.startswith("3 files")
    with Ledger(study.ledger_url) as ledger:
        assert {i.path.parent for i in ledger.instances(PATIENT)} == {moved / "x"}
    assert codes(acquire(study, moved)) == set()


def test_another_source_that_is_still_there_is_kept(study: Study, hospital: Hospital, tmp_path: Path) -> None:
    acquire(study, hospital(slices=3))
    second = tmp_path / "second"
    save(ct(1, patient=OTHER), second / "a")
    report = acquire(study, second)
    assert (report.opened, report.forgotten) == (1, 0)
    assert report.cases["P0001"].images == 3
    assert "source-gone" not in codes(report)


def test_a_share_that_only_fails_is_not_forgotten(
    study: Study, hospital: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = hospital(slices=3)
    acquire(study, root)
    stat = os.stat

    def stale(path: object, **options: bool) -> os.stat_result:
        if str(path).startswith(str(root)):
            raise OSError(errno.ESTALE, "stale file handle")
        return stat(path, **options)  # type: ignore[call-overload, no-any-return]

    (tmp_path / "second").mkdir()
    monkeypatch.setattr(os, "stat", stale)
    assert acquire(study, tmp_path / "second").forgotten == 0


def test_downloads_of_a_study_inside_the_source_are_kept(tmp_path: Path) -> None:
    made = Study(tmp_path / "export" / "study")
    made.make_restricted()
    with Ledger(made.ledger_url) as ledger:
        ledger.replace_patients([SourcePatient(patient_id=PATIENT)], {PATIENT: "P0001"})
    save(ct(1), made.downloads / "a.dcm")
    acquire(made, made.downloads)
    report = acquire(made, tmp_path / "export")
    assert report.forgotten == 0
    assert report.cases["P0001"].images == 1


def test_source_is_left_as_it_was(study: Study, hospital: Hospital) -> None:
    root = hospital()
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in root.rglob("*") if p.is_file()}
    acquire(study, root)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in root.rglob("*") if p.is_file()} == before
    assert not study.downloads.exists()


def test_dicomdir_is_counted_and_ignored(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=1)
    data = ct(1)
    for keyword in ("PixelData", "Rows"):
        delattr(data, keyword)
    data.SOPClassUID = "1.2.840.10008.1.3.10"
    save(data, root / "directory of another name")
    (root / "dicomdir").write_bytes(b"broken")
    report = acquire(study, root)
    assert report.files == {"dicomdir": 2, "image": 1}
    assert report.complete
    assert instances(study, PATIENT) == ["file1"]


def test_patient_without_exam_is_named_by_pseudonym(study: Study, hospital: Hospital) -> None:
    report = acquire(study, hospital())
    assert report.without_exam == ("P0002",)


def test_accession_number_matches_another_archives_ids(study: Study, hospital: Hospital) -> None:
    root = hospital(patient="PACS-1", AccessionNumber="ACC-77 ")
    report = acquire(study, root)
    assert report.cases["P0001"].images == 3
    [finding] = [f for f in report.findings if f.code == "matched-by-accession"]
    assert finding.message.startswith("1 exams carry another PatientID")
    assert len(instances(study, PATIENT)) == 3


def test_conflicting_accession_number_is_said_and_patient_id_believed(study: Study, hospital: Hospital) -> None:
    report = acquire(study, hospital(patient=OTHER, AccessionNumber="ACC-77"))
    assert report.cases["P0002"].images == 3
    assert "accession-conflict" in codes(report)


def test_near_miss_is_counted_not_matched(study: Study, hospital: Hospital) -> None:
    report = acquire(study, hospital(patient="mrn 040071"))
    assert report.cases["P0001"].images == 0
    assert "patient-id-near-miss" not in codes(report)  # a zero inside is another number
    report = acquire(study, hospital(patient="mrn40071"))
    assert report.cases["P0001"].images == 0
    assert "patient-id-near-miss" in codes(report)


def test_blank_patient_id_needs_a_person_to_say_whose(study: Study, hospital: Hospital) -> None:
    root = hospital(patient="", AccessionNumber="")
    report = acquire(study, root)
    assert "blank-patient-id" in codes(report)
    assert report.cases["P0001"].images == 0
    assert acquire(study, root, blank_id="P0001").cases["P0001"].images == 3


def test_duplicates_are_counted(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=3, folder="one")
    hospital(slices=2, folder="two")
    report = acquire(study, root)
    assert (report.cases["P0001"].images, report.cases["P0001"].duplicates) == (3, 2)
    assert "duplicate-instances" in codes(report)


def test_file_names_that_are_not_utf8(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=1)
    name = "平扫".encode("gb18030").decode("utf-8", "surrogateescape")
    save(ct(2), root / name)
    acquire(study, root)
    assert name in instances(study, PATIENT)
    assert acquire(study, root).opened == 0


def test_unlistable_folder_is_said(study: Study, hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    root = hospital()
    (root / "closed").mkdir()
    true_scandir = os.scandir

    def scandir(folder: str | Path) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError
        return true_scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    report = acquire(study, root)
    assert "closed-folders" in codes(report)
    assert report.files == {"image": 3}


def test_links_in_a_circle_end(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=2)
    (root / "x" / "loop").symlink_to(root)
    assert acquire(study, root).files == {"image": 2}


def test_a_link_that_leads_nowhere_is_a_file_that_cannot_be_read(study: Study, hospital: Hospital) -> None:
    root = hospital(slices=2)
    target = root.parent / "slice3"
    (root / "x" / "file3").symlink_to(target)
    report = acquire(study, root)
    assert report.files == {"image": 2, "unreadable": 1}
    [finding] = report.findings
    assert finding.message.startswith("1 a link that leads nowhere")
    assert acquire(study, root).opened == 0
    save(ct(3), target)
    assert acquire(study, root).files == {"image": 3}


def test_study_inside_the_source_is_not_scanned(study: Study, hospital: Hospital) -> None:
    hospital(slices=2)
    study.downloads.mkdir()
    save(ct(7), study.downloads / "mine")
    assert acquire(study, study.root.parent).files == {"image": 2}


def test_missing_folder_is_one_line(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        acquire(study, tmp_path / "nowhere")


def test_unknown_case_is_refused(study: Study, hospital: Hospital) -> None:
    with pytest.raises(InputError, match="1 of 1 wanted cases"):
        acquire(study, hospital(), wanted=["P0099"])


def test_nothing_an_acquire_says_names_a_person(study: Study, hospital: Hospital) -> None:
    root = hospital(folder="Planted Person")
    (root / "Planted Person" / "empty").touch()
    report = acquire(study, root)
    said = repr(report) + str(report.to_dict())
    for secret in (PATIENT, OTHER, "Planted", "ACC", "20240301"):
        assert secret not in said
