"""Laws of DICOM de-identification: idempotent, UIDs one-to-one, intervals and times of day unchanged, keyed."""

from __future__ import annotations

import io
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from quadphase.deidentify.dataset import deidentify_dataset, is_sealed, lenient
from quadphase.deidentify.date_shift import days_of, shift_date, shift_datetime
from quadphase.deidentify.uids import replaced_uid

KEY = b"k" * 32
DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 12, 31))
UIDS = st.lists(st.integers(0, 10**8), min_size=3, max_size=7).map(lambda parts: "1.3." + ".".join(map(str, parts)))


def ct(syntax: str = ExplicitVRLittleEndian, **attributes: object) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "1.2.3.9"
    meta.TransferSyntaxUID = syntax
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, "1.2.3.9"
    data.PatientID, data.PatientName, data.StudyInstanceUID, data.SeriesInstanceUID = "P7", "A^B", "1.2.3", "1.2.3.4"
    data.SpecificCharacterSet = "ISO_IR 192"
    data.Rows = data.Columns = 4
    data.BitsAllocated = data.BitsStored = 16
    data.PixelRepresentation = 0
    data.add_new("PixelData", "OW", np.arange(16, dtype="<u2").tobytes())
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def written(dataset: FileDataset) -> bytes:
    stream = io.BytesIO()
    with lenient():
        dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_it_is_idempotent_through_files(syntax: str) -> None:
    source = ct(syntax, StudyDate="20210305", SeriesDescription="动脉期", ImageComments="Mr. B", WindowCenter=[40, 60])
    once = written(deidentify_dataset(dcmread(io.BytesIO(written(source))), KEY))
    again = dcmread(io.BytesIO(once))
    assert is_sealed(again, KEY)
    assert written(deidentify_dataset(again, KEY)) == once


def test_what_was_touched_afterwards_is_cleaned_again() -> None:
    clean = dcmread(io.BytesIO(written(deidentify_dataset(ct(), KEY))))
    clean.PatientComments = "back again"
    assert not is_sealed(clean, KEY)
    assert "PatientComments" not in deidentify_dataset(clean, KEY)
    assert not is_sealed(dcmread(io.BytesIO(written(deidentify_dataset(ct(), KEY)))), b"another key" * 3)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_what_no_seal_covers_is_written_anew(syntax: str) -> None:
    once = written(deidentify_dataset(ct(syntax, StudyDate="20210305"), KEY))
    touched = dcmread(io.BytesIO(once))
    touched.DeidentificationMethod = ["Zhang Wei, born 1961-03-05", *touched.DeidentificationMethod]
    touched.preamble = b"Zhang Wei".ljust(128, b"\0")
    touched.file_meta.SourceApplicationEntityTitle = "ZHANGWEI"
    touched.file_meta.MediaStorageSOPInstanceUID = "1.2.19610305"
    again = dcmread(io.BytesIO(written(touched)))
    assert is_sealed(again, KEY)
    assert written(deidentify_dataset(again, KEY)) == once


def test_a_transfer_syntax_nobody_knows_is_refused() -> None:
    source = ct()
    source.file_meta.TransferSyntaxUID = "1.2.3.13800138000"
    with pytest.raises(ValueError, match="unknown transfer syntax"):
        deidentify_dataset(source, KEY)


def test_the_source_is_not_changed() -> None:
    source = ct(StudyDate="20210305")
    before = written(source)
    deidentify_dataset(source, KEY)
    assert written(source) == before
    sealed = dcmread(io.BytesIO(written(deidentify_dataset(source, KEY))))
    sealed.DeidentificationMethod = [*sealed.DeidentificationMethod[::-1]]
    before = written(sealed)
    deidentify_dataset(sealed, KEY)
    assert written(sealed) == before


@given(st.sets(UIDS, min_size=2, max_size=20))
@settings(max_examples=50, deadline=None)
def test_uids_are_one_to_one_and_valid(uids: set[str]) -> None:
    released = {uid: replaced_uid(KEY, uid) for uid in uids}
    assert len(set(released.values())) == len(uids)
    assert all(len(uid) <= 64 and uid.startswith("2.25.") for uid in released.values())
    assert released == {uid: replaced_uid(KEY, uid) for uid in uids}
    assert all(replaced_uid(b"other", uid) != new for uid, new in released.items())


def test_uids_of_the_standard_stay() -> None:
    assert replaced_uid(KEY, CTImageStorage) == CTImageStorage
    assert replaced_uid(KEY, "1.2.840.10008.99.1") != "1.2.840.10008.99.1"  # not in PS3.6


@given(DAYS, DAYS, st.text(min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_intervals_stay_and_dates_go(first: date, second: date, patient: str) -> None:
    days = days_of(KEY, patient)
    moved = [shift_date(f"{day:%Y%m%d}", days) for day in (first, second)]
    a, b = (date(int(text[:4]), int(text[4:6]), int(text[6:])) for text in moved)
    assert b - a == second - first
    assert timedelta(366) <= first - a <= timedelta(3652)


@given(DAYS, st.times())
@settings(max_examples=50, deadline=None)
def test_the_time_of_day_stays(day: date, at: object) -> None:
    text = f"{day:%Y%m%d}{at:%H%M%S.%f}+0800"
    assert shift_datetime(text, -400)[8:] == text[8:]
    clean = deidentify_dataset(ct(AcquisitionTime=f"{at:%H%M%S.%f}", AcquisitionDateTime=text), KEY)
    assert clean.AcquisitionTime == f"{at:%H%M%S.%f}"
    assert clean.AcquisitionDateTime[8:] == text[8:]


@pytest.mark.parametrize("value", ["", "2021", "202103", "tomorrow", "20211341", "20210305-20210306"])
def test_what_is_no_day_is_emptied(value: str) -> None:
    assert shift_date(value, -400) == ""


def test_patients_move_differently_and_every_exam_of_one_alike() -> None:
    assert len({days_of(KEY, f"patient {n}") for n in range(50)}) > 40
    a = deidentify_dataset(ct(StudyDate="20210305"), KEY)
    b = deidentify_dataset(ct(StudyDate="20210405", StudyInstanceUID="1.2.99"), KEY)
    assert a.PatientID == b.PatientID
    assert shift_date(a.StudyDate, 31) == b.StudyDate


def test_the_header_says_what_was_done() -> None:
    clean = deidentify_dataset(ct(), KEY)
    codes = [item.CodeValue for item in clean.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113105", "113107", "113111"]
    assert {item.CodingSchemeDesignator for item in clean.DeidentificationMethodCodeSequence} == {"DCM"}
    assert clean.PatientIdentityRemoved == "YES"
    assert clean.LongitudinalTemporalInformationModified == "MODIFIED"
    assert clean.file_meta.MediaStorageSOPInstanceUID == clean.SOPInstanceUID
    assert "SourceApplicationEntityTitle" not in clean.file_meta


def test_blank_uids_get_new_ones() -> None:
    clean = deidentify_dataset(ct(SOPClassUID="", SOPInstanceUID="", StudyInstanceUID="", SeriesInstanceUID=""), KEY)
    uids = [clean.SOPInstanceUID, clean.StudyInstanceUID, clean.SeriesInstanceUID]
    assert clean.SOPClassUID == CTImageStorage
    assert len(set(uids)) == 3
    assert all(uid.startswith("2.25.") for uid in uids)


def test_an_overlay_in_unused_bits_is_cleared() -> None:
    hidden = (np.arange(16, dtype="<u2") | np.uint16(0x8000)).tobytes()
    source = ct(BitsStored=12, HighBit=11, PixelData=hidden)
    source.add_new(0x60000102, "US", 15)
    clean = deidentify_dataset(source, KEY)
    assert np.array_equal(np.frombuffer(clean.PixelData, "<u2"), np.arange(16))
    assert 0x60000102 not in clean
