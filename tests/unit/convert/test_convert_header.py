"""What is read of a file, against pydicom, and what malformed values become."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from quadphase.convert.attributes import TAGS, Values, clock_of
from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import read_file
from quadphase.io.dicom_elements import read_elements
from quadphase.phantom.dicom import write_series
from quadphase.phantom.nasty import NASTY, texture

TEXT_VRS = {"CS", "UI", "LO", "SH", "DA", "TM", "DT", "DS", "IS", "LT", "ST", "PN", "AS"}


def agrees_with_pydicom(path: Path) -> int:
    """Number of attributes compared."""
    theirs = dcmread(path, force=True, stop_before_pixels=True)
    ours = Values(read_elements(path, frozenset(TAGS.values())))
    compared = 0
    for keyword, tag in TAGS.items():
        element = theirs.file_meta.get_item(tag) if tag >> 16 == 2 else theirs.get_item(tag)
        if element is None:
            assert not ours.has(keyword)
            continue
        raw = element.value
        if isinstance(raw, bytes):  # a raw element, not converted yet
            assert ours.elements.values[tag] == raw, keyword
        else:
            assert ours.text(keyword) == ("" if raw is None else str(raw)), keyword
        compared += 1
    return compared


def test_every_real_file_reads_as_pydicom_does(real_data: Path) -> None:
    compared = files = 0
    for folder in (
        "multiphase_hcc",
        "tilted_ct",
        "compressed_ct/dicom",
        "transfer_syntaxes",
        "burned_in",
        "seg_object",
    ):
        for path in sorted((real_data / folder).rglob("*")):
            if not path.is_file() or path.name == "DIRFILE" or path.suffix in (".txt", ".nrrd"):
                continue
            compared += agrees_with_pydicom(path)
            files += 1
    assert files > 230
    assert compared > 20 * files


@pytest.mark.parametrize("name", ["implicit", "big_endian", "deflated", "misdeclared_gbk", "missing_attributes"])
def test_phantom_files_read_as_pydicom_does(name: str, tmp_path: Path) -> None:
    for path in NASTY[name](tmp_path).paths[:2]:
        assert agrees_with_pydicom(path) > 20


def test_the_pixel_offset_is_where_the_pixels_are(tmp_path: Path) -> None:
    path = write_series(texture(), tmp_path)[0]
    (header,) = read_file(path)  # type: ignore[misc]
    assert isinstance(header, SliceHeader)
    data = dcmread(path)
    found = path.read_bytes()[header.pixels.offset :][: header.pixels.length]
    assert found == data.PixelData


def test_a_data_set_without_preamble_is_read(tmp_path: Path) -> None:
    path = write_series(texture(), tmp_path)[0]
    blob = path.read_bytes()
    start = 144 + int.from_bytes(blob[140:144], "little")
    path.write_bytes(blob[start:])
    (header,) = read_file(path)  # type: ignore[misc]
    assert isinstance(header, SliceHeader)


def test_nothing_of_a_person_is_in_a_repr(tmp_path: Path) -> None:
    path = write_series(texture(), tmp_path, overrides={"PatientID": "SECRET", "SeriesDescription": "SECRET"})[0]
    (header,) = read_file(path)  # type: ignore[misc]
    assert isinstance(header, SliceHeader)
    assert "SECRET" not in repr(header) + repr(header.origin) + repr(header.acquisition)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("20240102030405", 3 * 3600 + 4 * 60 + 5),
        ("20240102030405.250000+0800", 3 * 3600 + 4 * 60 + 5.25),
        ("2024010203", 3 * 3600),
        ("20240102", None),
        ("20241302030405", None),
        ("2024010203¹405", None),
    ],
)
def test_clock(stamp: str, seconds: float | None) -> None:
    found = clock_of(stamp)
    assert (found is None) if seconds is None else (found is not None and found % 86400 == pytest.approx(seconds))
