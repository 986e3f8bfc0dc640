"""Copies of slices are told by their pixels, which are read once and only where slices lie at one place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from quadphase.convert import duplicates
from quadphase.convert.exam import read_stacks
from quadphase.convert.folder import convert_folder
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import write_series
from quadphase.phantom.nasty import NASTY, texture

SETTINGS = ConvertSection(minimum_slices=2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Lengths of the reads for digests, None for the rest of a file."""
    lengths: list[int | None] = []
    true_digest = duplicates._digest

    def digest(path: Path, start: int, length: int | None) -> bytes:
        lengths.append(length)
        return true_digest(path, start, length)

    monkeypatch.setattr(duplicates, "_digest", digest)
    return lengths


def copied(folder: Path, *, compressed: bool = False) -> None:
    """A multi-frame file and its copy."""
    (path,) = NASTY["enhanced_multiframe"](folder).paths
    if compressed:
        data = dcmread(path)
        data.compress(RLELossless, generate_instance_uid=False)
        data.save_as(path)
    shutil.copy(path, folder / "copy")


def test_nothing_is_read_where_no_position_repeats(tmp_path: Path, read: list[int | None]) -> None:
    write_series(texture(), tmp_path / "in")
    assert read_stacks([tmp_path / "in"], settings=SETTINGS).usable
    assert read == []


def test_each_frame_of_a_copied_file_is_read_once(tmp_path: Path, read: list[int | None]) -> None:
    copied(tmp_path / "in")
    found = read_stacks([tmp_path / "in"], settings=SETTINGS)
    (stack,) = found.usable
    i, j, k = stack.proved_grid.shape
    assert read == [2 * i * j] * (2 * k)
    assert [(f.code, f.message.split()[0]) for f in found.findings] == [("duplicate-file", str(k))]


def test_a_compressed_file_is_read_once_for_all_its_frames(tmp_path: Path, read: list[int | None]) -> None:
    copied(tmp_path / "in", compressed=True)
    found = read_stacks([tmp_path / "in"], settings=SETTINGS)
    assert len(found.usable) == 1
    assert len(read) == 2
    assert {f.code for f in found.findings} == {"duplicate-file"}


def test_one_changed_frame_of_a_copy_is_a_conflict(tmp_path: Path) -> None:
    copied(tmp_path / "in")
    data = dcmread(tmp_path / "in/copy")
    data.PixelData = b"\x01\x00" + data.PixelData[2:]
    data.save_as(tmp_path / "in/copy")
    found = read_stacks([tmp_path / "in"], settings=SETTINGS)
    assert not found.usable
    assert ("conflicting-instance", "1") in {(f.code, f.message.split()[0]) for f in found.findings}


def test_a_copy_that_cannot_be_read_refuses_its_series_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_series(texture(), tmp_path / "in/a")
    write_series(texture(1), tmp_path / "in/b", overrides={"SeriesInstanceUID": "2.25.7", "SeriesNumber": 9})
    shutil.copy(paths[0], tmp_path / "in/a/copy")
    true_digest = duplicates._digest

    def digest(path: Path, start: int, length: int | None) -> bytes:
        if path.name == "copy":
            raise OSError(5, "Input/output error")
        return true_digest(path, start, length)

    monkeypatch.setattr(duplicates, "_digest", digest)
    report = convert_folder(tmp_path / "in", tmp_path / "out", settings=SETTINGS)
    assert {stack.series_number: stack.volume is not None for stack in report.stacks}[9]
    assert report.n_volumes == 1
    assert ("unreadable-file", "error") in {(f.code, f.severity.value) for f in report.findings}
    assert "copy" not in str(report.to_dict())
