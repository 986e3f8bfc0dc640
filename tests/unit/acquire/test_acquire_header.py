"""The header walker: encodings, files without preamble, truncation, garbage."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from quadphase.acquire.header import WANTED, Header, header_of, sop_instance_uid_of
from quadphase.io.dicom_elements import DamagedDicomError, read_elements

from .conftest import PATIENT, ct, save


def read(path: Path) -> Header:
    return header_of(read_elements(path, WANTED))


def nested(levels: int) -> Dataset:
    item = Dataset()
    item.CodeValue = "1"
    if levels:
        item.ConceptCodeSequence = Sequence([nested(levels - 1)])
        item["ConceptCodeSequence"].is_undefined_length = True
    item.is_undefined_length_sequence_item = True
    return item


def rich(**tags: object) -> Dataset:
    """With sequences of undefined length and a private block before the attributes we want."""
    data = ct(3, **tags)
    data.ProcedureCodeSequence = Sequence([nested(3), nested(0)])
    data["ProcedureCodeSequence"].is_undefined_length = True
    data.private_block(0x0009, "MAKER", create=True).add_new(1, "UN", b"x" * 40_000)
    return data


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_encoding(tmp_path: Path, syntax: str) -> None:
    data = rich()
    data.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        data["PixelData"].VR = "OW"
    header = read(save(data, tmp_path / "a"))
    assert header.patient_id == PATIENT
    assert header.series_instance_uid == data.SeriesInstanceUID
    assert header.sop_instance_uid == data.SOPInstanceUID == header.media_sop_instance_uid
    assert (header.modality, header.study_date, header.series_number) == ("CT", "20240301", "2")
    assert header.has_matrix
    assert header.has_pixels


def test_fragments_of_compressed_pixels(tmp_path: Path) -> None:
    data = ct(1)
    data.compress(RLELossless, generate_instance_uid=False)
    path = save(data, tmp_path / "a")
    assert read(path).has_pixels
    path.write_bytes(path.read_bytes()[:-8])  # without the delimiter
    with pytest.raises(DamagedDicomError, match="ends inside its pixels"):
        read(path)


@pytest.mark.parametrize("implicit", [True, False])
def test_without_preamble_or_meta(tmp_path: Path, implicit: bool) -> None:
    data = rich()
    del data.file_meta
    data.save_as(tmp_path / "a", implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert read(tmp_path / "a").patient_id == PATIENT


def test_meta_without_preamble(tmp_path: Path) -> None:
    path = save(rich(), tmp_path / "a")
    whole = path.read_bytes()
    path.write_bytes(whole[132:])
    assert read(path).patient_id == PATIENT
    path.write_bytes(whole[128:])
    assert read(path).patient_id == PATIENT


def test_meta_that_lies_about_the_encoding(tmp_path: Path) -> None:
    path = save(rich(), tmp_path / "a")
    told = path.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2\x00\x00\x00")
    path.write_bytes(told)
    assert read(path).patient_id == PATIENT


@pytest.mark.parametrize(
    "text", [b"", b"plain text that is long enough to be looked at", b"\x00" * 400, b"PK\x03\x04" * 90]
)
def test_other_files_are_not_dicom(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a").write_bytes(text)
    with pytest.raises(DamagedDicomError) as caught:
        read(tmp_path / "a")
    assert caught.value.code == ("not-dicom" if text.strip(b"\0") else "empty-file")


def test_cut_anywhere_is_never_taken_for_whole(tmp_path: Path) -> None:
    whole = save(ct(1), tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for length in range(133, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        try:
            has_pixels = read(path).has_pixels
        except DamagedDicomError:
            continue
        assert not has_pixels  # cut between two elements: whole as far as it goes, but without an image


def test_what_was_read_before_the_cut_is_kept(tmp_path: Path) -> None:
    path = save(ct(1), tmp_path / "a")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedDicomError) as caught:
        read(path)
    assert caught.value.elements is not None
    header = header_of(caught.value.elements)
    assert header.patient_id == PATIENT
    assert PATIENT not in str(caught.value) + repr(caught.value.elements) + repr(header)


def test_endless_nesting_is_refused(tmp_path: Path) -> None:
    path = save(ct(1), tmp_path / "a")
    whole = path.read_bytes()
    at = whole.index(b"\x08\x00\x60\x00CS")
    bomb = b"\x08\x00\x51\x00SQ\x00\x00\xff\xff\xff\xff" + (
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\x00\x51\x00SQ\x00\x00\xff\xff\xff\xff" * 400
    )
    path.write_bytes(whole[:at] + bomb + whole[at:])
    with pytest.raises(DamagedDicomError, match="nested too deeply"):
        read(path)


def test_elements_out_of_order_are_damage(tmp_path: Path) -> None:
    path = save(ct(1), tmp_path / "a")
    whole = path.read_bytes()
    at = whole.index(b"\x08\x00\x60\x00CS")
    path.write_bytes(whole[:at] + b"\x08\x00\x05\x00CS\x02\x00  " + whole[at:])
    with pytest.raises(DamagedDicomError, match="out of order"):
        read(path)


def test_an_element_without_a_vr_among_explicit_ones(tmp_path: Path) -> None:
    path = save(ct(1), tmp_path / "a")
    whole = path.read_bytes()
    at = whole.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(whole[:at] + b"\x09\x00\x10\x00\x04\x00\x00\x00MAKE" + whole[at:])
    assert read(path).patient_id == PATIENT


@pytest.mark.parametrize(("written", "expected"), [("utf-8", "患者7"), ("gb18030", "患者7")])
def test_ids_in_undeclared_chinese(tmp_path: Path, written: str, expected: str) -> None:
    path = save(ct(1, PatientID="AAAAAAAA"), tmp_path / "a")
    path.write_bytes(path.read_bytes().replace(b"AAAAAAAA", "患者7".encode(written).ljust(8)))
    assert read(path).patient_id == expected


def test_uid_from_the_first_bytes(tmp_path: Path) -> None:
    data = ct(1)
    whole = save(data, tmp_path / "a").read_bytes()
    assert sop_instance_uid_of(whole[:700]) == data.SOPInstanceUID
    assert sop_instance_uid_of(b"<html>" + bytes(300)) == ""
