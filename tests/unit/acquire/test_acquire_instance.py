"""Rows of the ledger: outcomes, and keys for files whose UIDs are blank."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.acquire.header import Header
from quadphase.acquire.instance import read_row, row_of

from .conftest import ct, save

BLANK = {"patient_id": "P", "modality": "CT", "has_matrix": True, "has_pixels": True, "series_number": "2"}


def keys(path: str, **values: object) -> tuple[str, str, str]:
    row = row_of(Header(**(BLANK | values)), path)  # type: ignore[arg-type]
    return row["study_instance_uid"], row["series_instance_uid"], row["sop_instance_uid"]


def test_blank_uids_get_stable_keys_that_are_uids() -> None:
    first, again = keys("/a/x/1"), keys("/a/x/1")
    assert first == again
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in first)
    other = keys("/a/x/2")
    assert other[:2] == first[:2]
    assert other[2] != first[2]


def test_two_exams_with_blank_uids_in_two_folders_stay_two() -> None:
    assert keys("/a/x/1")[0] != keys("/a/y/1")[0]
    assert (
        keys("/a/x/1", study_date="20240301", study_time="000000")[0]
        != keys("/a/y/1", study_date="20240301", study_time="000000")[0]
    )  # a wiped time tells nothing


def test_phases_of_one_exam_in_sibling_folders_stay_one_exam() -> None:
    when = {"study_date": "20240301", "study_time": "101500.00"}
    first, second = keys("/a/arterial/1", **when), keys("/a/venous/1", **when)
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert keys("/a/arterial/1", **(when | {"study_time": "113000"}))[0] != first[0]


def test_series_number_separates_series_of_one_folder() -> None:
    assert keys("/a/1", series_number="2")[1] != keys("/a/1", series_number="3")[1]


def test_media_uid_is_used_where_the_data_set_is_blank() -> None:
    row = row_of(Header(**BLANK, media_sop_instance_uid="1.2.3", media_sop_class_uid="1.2.4"), "/a/1")  # type: ignore[arg-type]
    assert (row["sop_instance_uid"], row["sop_class_uid"]) == ("1.2.3", "1.2.4")


def test_real_blank_uids_are_one_series(real_data: Path) -> None:
    paths = sorted((real_data / "compressed_ct" / "dicom").iterdir())
    rows = [read_row(str(p), p.stat().st_size, 0)[0] for p in paths]
    assert len(rows) == 20
    assert {row["outcome"] for row in rows} == {"image"}
    assert len({row["series_instance_uid"] for row in rows}) == 1
    assert len({row["sop_instance_uid"] for row in rows}) == 20
    assert {row["sop_class_uid"] for row in rows} == {"1.2.840.10008.5.1.4.1.1.2"}


@pytest.mark.parametrize("lost", [("PixelData",), ("PixelData", "Rows", "SOPClassUID")])
def test_image_without_pixels_is_unreadable(lost: tuple[str, ...], tmp_path: Path) -> None:
    data = ct(1)
    for keyword in lost:
        delattr(data, keyword)
    path = save(data, tmp_path / "a")
    row, reason = read_row(str(path), path.stat().st_size, 0)
    assert (row["outcome"], reason) == ("unreadable", "an image without pixel data")
