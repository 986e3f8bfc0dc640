"""A folder of DICOM with everything that goes wrong in one: the good files come out, each bad one is one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from planted_dicom import volume
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from quadphase.deidentify.dataset import lenient
from quadphase.deidentify.folder import FILE_TIME, deidentify_folder
from quadphase.errors import InputError, OutputError, PrivacyError
from quadphase.model.source import Identifier
from quadphase.phantom.dicom import write_series

KEY = b"s" * 32


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_series(volume(1), tmp_path / "in" / "T000001")
    return tmp_path / "in"


def changed(path: Path, **attributes: object) -> FileDataset:
    with lenient():
        dataset = dcmread(path)
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path, enforce_file_format=True)
    return dataset


def test_bad_files_are_refused_with_one_line_and_others_finish(source: Path, tmp_path: Path) -> None:
    good = sorted((source / "T000001").iterdir())
    whole = good[0].read_bytes()
    bad = source / "bad"
    bad.mkdir()
    (bad / "1_truncated.dcm").write_bytes(whole[: len(whole) // 2])
    (bad / "2_text.dcm").write_text("this is no DICOM file")
    (bad / "3_empty.dcm").write_bytes(b"")
    (bad / "4_garbage.dcm").write_bytes(whole[:140] + b"\xff" * 300)
    (bad / "notes.txt").write_text("ignored")
    shutil.copy(good[0], bad / "5_copy.dcm")
    report = deidentify_folder(source, tmp_path / "out", KEY)
    assert report.written == len(good)
    assert report.ignored == 1
    codes = sorted(finding.code for finding in report.findings)
    assert codes.count("dicom-duplicate") == 1
    assert codes.count("dicom-unreadable") == 4
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == len(good)
    assert not any("T000001" in f"{f.location} {f.message}" for f in report.findings)


def test_names_times_and_order_tell_nothing(source: Path, tmp_path: Path) -> None:
    deidentify_folder(source, tmp_path / "out", KEY)
    paths = list((tmp_path / "out").rglob("*"))
    assert {int(path.stat().st_mtime) for path in paths} == {FILE_TIME}
    assert not any("T000001" in str(path.relative_to(tmp_path / "out")) for path in paths)
    by_name = [dcmread(p).InstanceNumber for p in sorted((tmp_path / "out").rglob("*.dcm"))]
    assert sorted(by_name) == [1, 2, 3, 4]


def test_same_key_same_result_twice_and_other_key_another(source: Path, tmp_path: Path) -> None:
    for name, key in (("a", KEY), ("b", KEY), ("c", b"t" * 32)):
        deidentify_folder(source, tmp_path / name, key)
    a, b, c = ({p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.dcm")} for n in "abc")
    assert a == b
    assert not set(a) & set(c)


def test_a_second_pass_changes_nothing(source: Path, tmp_path: Path) -> None:
    deidentify_folder(source, tmp_path / "once", KEY)
    deidentify_folder(tmp_path / "once", tmp_path / "twice", KEY)
    once, twice = (sorted(p.read_bytes() for p in (tmp_path / n).rglob("*.dcm")) for n in ("once", "twice"))
    assert once == twice


def test_pseudonyms_of_the_ledger_are_used(source: Path, tmp_path: Path) -> None:
    deidentify_folder(source, tmp_path / "out", KEY, pseudonyms={"T000001": "P0042"})
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["P0042"]


def test_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    report = deidentify_folder(source, tmp_path / "out", KEY, dry_run=True)
    assert (report.written, report.proof) == (4, None)
    assert not (tmp_path / "out").exists()


def test_the_proof_stops_what_a_rule_has_missed(source: Path, tmp_path: Path) -> None:
    """Words of medicine stay; a ledger that calls them an identifier makes the scan fail, and nothing is left."""
    changed(sorted((source / "T000001").iterdir())[0], SeriesDescription="upper abdomen late 12")
    planted = Identifier(kind="ward", value="upper abdomen late 12")
    with pytest.raises(PrivacyError):
        deidentify_folder(source, tmp_path / "out", KEY, identifiers=[planted])
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("case", ["exists", "inside", "missing", "nothing"])
def test_unusable_places(source: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "empty").mkdir()
    places = {
        "exists": (source, tmp_path / "old", OutputError), "inside": (source, source / "out", InputError),
        "missing": (tmp_path / "no", tmp_path / "out", InputError),
        "nothing": (tmp_path / "empty", tmp_path / "out", InputError),
    }  # fmt: skip
    given, out, error = places[case]
    with pytest.raises(error):
        deidentify_folder(given, out, KEY)
    assert not (tmp_path / "out").exists()


def test_missing_pixel_data_are_refused(source: Path, tmp_path: Path) -> None:
    path = sorted((source / "T000001").iterdir())[0]
    with lenient():
        dataset = dcmread(path)
        del dataset.PixelData
        dataset.save_as(path, enforce_file_format=True)
    report = deidentify_folder(source, tmp_path / "out", KEY)
    assert (report.written, report.refused) == (3, 1)
    assert report.findings[0].code == "dicom-refused"
    assert "no pixel data" in report.findings[0].message


@pytest.mark.parametrize("case", ["large", "deflated"])
def test_files_that_would_fill_the_memory_are_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    from quadphase.deidentify import dicom_file

    path = sorted((source / "T000001").iterdir())[0]
    dataset = changed(path)
    limit = path.stat().st_size + 1000
    if case == "large":
        dataset.ImageComments = "liver " * 1000
    else:
        with lenient():
            dataset.add_new(0x00189999, "OB", b"\0" * 10 * limit)
            dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    with lenient():
        dataset.save_as(path, enforce_file_format=True)
    monkeypatch.setattr(dicom_file, "LARGEST", limit)
    assert (path.stat().st_size > limit) == (case == "large")
    read: list[Path] = []
    monkeypatch.setattr(dicom_file, "dcmread", lambda p: read.append(p) or dcmread(p))
    report = deidentify_folder(source, tmp_path / "out", KEY)
    assert (report.written, report.refused) == (3, 1)
    assert report.findings[0].code == "dicom-refused"
    assert "more than" in report.findings[0].message
    assert path not in read
    assert len(read) == 3


def test_a_deflated_file_of_ordinary_size_is_read(source: Path, tmp_path: Path) -> None:
    path = sorted((source / "T000001").iterdir())[0]
    dataset = changed(path)
    with lenient():
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
    assert deidentify_folder(source, tmp_path / "out", KEY).written == 4


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_folder_that_may_not_be_listed_is_said(
    source: Path, tmp_path: Path, close: Callable[[Path], None], dry_run: bool
) -> None:
    write_series(volume(2), source / "T000002")
    close(source / "T000002")
    report = deidentify_folder(source, tmp_path / "out", KEY, dry_run=dry_run)
    assert report.written == 4
    assert report.to_dict()["closed_folders"] == 1
    assert [(f.code, f.location) for f in report.findings] == [("closed-folders", "source")]


def test_one_file_can_be_shared(source: Path, tmp_path: Path) -> None:
    one = sorted((source / "T000001").iterdir())[0]
    assert deidentify_folder(one, tmp_path / "out", KEY).written == 1
