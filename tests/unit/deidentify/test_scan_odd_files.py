"""An odd file is named as not scanned, searched as it is, and does not end the scan of the others."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hiding_places import dicom, png
from pydicom import dcmread, dcmwrite
from pydicom.uid import DeflatedExplicitVRLittleEndian

from quadphase.deidentify.scan import _content, scan
from quadphase.model.source import Identifier

ID = Identifier(kind="patient_id", value="73451988")
TEXT = b"patient 73451988"


def npy(header: str) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + TEXT


def zip_of_the_future() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", TEXT)
    data = bytearray(stream.getvalue())
    at = data.rindex(b"PK\x01\x02") + 6
    data[at : at + 2] = struct.pack("<H", 99)
    return bytes(data)


def array_that_fills_the_memory() -> bytes:
    return npy("{'descr': '<i2', 'fortran_order': False, 'shape': (10000000000000,)}")


def array_of_negative_length() -> bytes:
    return npy("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,)}")


def array_with_a_broken_header() -> bytes:
    return npy("{'descr': '<i2', 'shape': (1")


def array_of_an_unknown_type() -> bytes:
    return npy("{'descr': 'qq', 'fortran_order': False, 'shape': (1,)}")


def array_with_a_header_without_end() -> bytes:
    return npy("(" * 20_000)


def png_with_a_short_time() -> bytes:
    return png((b"tEXt", b"a\0" + TEXT))[:-12] + struct.pack(">I", 7) + b"tIME" + b"\0\0"


def dicom_without_a_transfer_syntax() -> bytes:
    dataset = dcmread(io.BytesIO(dicom(ImageComments=TEXT.decode())))
    del dataset.file_meta.TransferSyntaxUID
    stream = io.BytesIO()
    dcmwrite(stream, dataset, implicit_vr=True, little_endian=True)
    return stream.getvalue()


def dicom_with_a_wrong_group_length() -> bytes:
    dataset = dcmread(io.BytesIO(dicom()))
    dataset.preamble = TEXT.ljust(128, b"\0")
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    data = bytearray(stream.getvalue())
    (length,) = struct.unpack_from("<I", data, 140)
    struct.pack_into("<I", data, 140, length - 9)
    return bytes(data)


@pytest.mark.parametrize(
    "make",
    [
        zip_of_the_future, array_that_fills_the_memory, array_of_negative_length, array_with_a_broken_header,
        array_of_an_unknown_type, array_with_a_header_without_end, png_with_a_short_time,
        dicom_without_a_transfer_syntax, dicom_with_a_wrong_group_length,
    ],
)  # fmt: skip
def test_an_odd_file_is_named_and_the_scan_goes_on(tmp_path: Path, make: Callable[[], bytes]) -> None:
    (tmp_path / "odd").write_bytes(make())
    (tmp_path / "z.txt").write_bytes(TEXT)
    report = scan(tmp_path, [ID])
    assert report.files == 2
    assert {(f.code, f.location) for f in report.findings} == {
        ("not-scanned", "odd"), ("identifier-found", "odd"), ("identifier-found", "z.txt"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3)), np.float32(1), np.array(["a"]), np.array([""]), np.array([b"a"]), np.array(["NaT"], "M8[s]"),
     np.array([{"a": 1}], object), np.asfortranarray(np.ones((2, 3))), np.zeros(2, [("a", "U4"), ("b", "f4")])],
)  # fmt: skip
def test_every_lawful_array_can_be_opened(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    assert scan(tmp_path, [ID]).findings == ()


@pytest.mark.parametrize("seconds", [10**13, -(10**13)])
def test_a_file_time_beyond_the_calendar(tmp_path: Path, seconds: int) -> None:
    (tmp_path / "a.txt").write_text("harmless")
    info = os.stat_result((0o100644, 1, 1, 1, 0, 0, 8, seconds, seconds, seconds))
    assert _content(tmp_path / "a.txt", info)[0] == b"harmless"
