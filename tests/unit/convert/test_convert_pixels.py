"""Stored values and their bits, frames of compressed files, and files that are gone when their pixels are wanted."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from quadphase.convert import case as case_module
from quadphase.convert import codec
from quadphase.convert import folder as folder_module
from quadphase.convert.case import ConvertJob, convert_case
from quadphase.convert.exam import StackSet, read_stacks
from quadphase.convert.folder import convert_folder
from quadphase.convert.header import PixelLayout
from quadphase.convert.pixels import _clean
from quadphase.errors import UnsupportedDataError
from quadphase.model import Protocol, Status
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import write_series
from quadphase.phantom.nasty import NASTY, texture

SETTINGS = ConvertSection(minimum_slices=2)
TWELVE = PixelLayout(
    transfer_syntax=ExplicitVRLittleEndian,
    bits_allocated=16,
    bits_stored=12,
    high_bit=11,
    signed=False,
    slope=1.0,
    intercept=-1024.0,
    padding=None,
    padding_written=None,
    offset=0,
    length=None,
)


def cleaned(values: list[int], **layout: object) -> tuple[list[int], bool]:
    form = replace(TWELVE, **layout)
    stored = np.array(values, dtype=np.int16 if form.signed else np.uint16)
    clean, stray = _clean(stored, form)
    return clean.tolist(), stray


class TestUnusedBits:
    def test_values_in_the_high_bits_are_moved_and_that_is_no_stray_bit(self) -> None:
        assert cleaned([0x1230, 0xFFF0, 0], high_bit=15) == ([0x123, 0xFFF, 0], False)

    def test_a_low_bit_below_them_is_one(self) -> None:
        assert cleaned([0x1231], high_bit=15) == ([0x123], True)

    def test_signed_values_in_the_high_bits(self) -> None:
        assert cleaned([-16, 0x1230], high_bit=15, signed=True) == ([-1, 0x123], False)

    def test_a_bit_above_them_is_one(self) -> None:
        assert cleaned([0x8123, 5]) == ([0x123, 5], True)

    def test_a_declared_padding_value_is_none(self) -> None:
        assert cleaned([63536, 5], padding=-2000, padding_written=63536) == ([-2000, 5], False)
        assert cleaned([63536, 0x8005], padding=-2000, padding_written=63536) == ([-2000, 5], True)

    @pytest.mark.parametrize("minus_one", [-1, 0x0FFF])
    def test_a_negative_value_may_carry_its_sign_above_or_zeros(self, minus_one: int) -> None:
        assert cleaned([minus_one, 7], signed=True) == ([-1, 7], False)

    def test_half_a_sign_is_a_stray_bit(self) -> None:
        assert cleaned([0x4FFF, 7], signed=True) == ([-1, 7], True)


def test_frames_of_a_compressed_file_are_walked_once(tmp_path: Path) -> None:
    case = NASTY["enhanced_multiframe"](tmp_path)
    data = dcmread(case.paths[0])
    for number, item in enumerate(data.PerFrameFunctionalGroupsSequence):
        shared = data.SharedFunctionalGroupsSequence[0]
        item.PixelValueTransformationSequence = deepcopy(shared.PixelValueTransformationSequence)
        item.PixelValueTransformationSequence[0].RescaleIntercept = str(-1024 - number)  # a layout for each frame
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(case.paths[0])
    (stack,) = read_stacks([tmp_path], settings=SETTINGS).usable
    assert len({h.pixels for h in stack.headers}) == stack.n_slices
    codec._frames.cache_clear()
    assert stack.load(threads=1).volume.hu.shape == case.stacks[0].hu.shape
    assert codec._frames.cache_info().misses == 1


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    case = NASTY["enhanced_multiframe"](tmp_path)
    data = dcmread(case.paths[0])
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(case.paths[0])
    before = read_stacks([tmp_path], settings=SETTINGS).usable[0].load().volume.hu
    data = dcmread(case.paths[0])
    data.decompress(generate_instance_uid=False)
    data.PixelData = bytes(len(data.PixelData))
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(case.paths[0])
    after = read_stacks([tmp_path], settings=SETTINGS).usable[0].load().volume.hu
    assert len(np.unique(before)) > 1
    assert len(np.unique(after)) == 1


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless],
)
def test_a_file_that_is_gone_is_an_unreadable_file(syntax: str, tmp_path: Path) -> None:
    paths = write_series(texture(), tmp_path / "SECRET", transfer_syntax=syntax)
    (stack,) = read_stacks([tmp_path], settings=SETTINGS).usable
    paths[4].unlink()
    with pytest.raises(UnsupportedDataError) as caught:
        stack.load()
    assert caught.value.code == "unreadable-file"
    assert "SECRET" not in str(caught.value)


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, Path], None]:
    """``losing(module, path)``: the file vanishes after the module has read the headers."""

    def lose(module: object, path: Path) -> None:
        def read(*arguments: object, **options: object) -> StackSet:
            found = read_stacks(*arguments, **options)  # type: ignore[arg-type]
            path.unlink()
            return found

        monkeypatch.setattr(module, "read_stacks", read)

    return lose


def test_a_file_lost_during_a_conversion_costs_its_stack(
    tmp_path: Path, losing: Callable[[object, Path], None]
) -> None:
    paths = write_series(texture(), tmp_path / "in/a")
    write_series(texture(1), tmp_path / "in/b", overrides={"SeriesInstanceUID": "2.25.7", "SeriesNumber": 9})
    losing(folder_module, paths[4])
    report = convert_folder(tmp_path / "in", tmp_path / "out", settings=SETTINGS)
    said = {stack.series_number: {f.code for f in stack.findings} for stack in report.stacks if stack.volume is None}
    assert list(said.values()) == [{"unreadable-file"}]
    assert report.n_volumes == 1


def test_a_file_lost_during_a_case_holds_it(tmp_path: Path, losing: Callable[[object, Path], None]) -> None:
    paths = write_series(texture(), tmp_path / "in")
    losing(case_module, paths[4])
    protocol = Protocol.of({"phases": {"required": ["P"]}})
    job = ConvertJob(study_root=tmp_path / "s", case="P0001", paths=tuple(paths), key=b"k" * 32, protocol=protocol)
    outcome = convert_case(job)
    assert outcome.status is Status.HELD
    assert "unreadable-file" in {f.code for f in outcome.findings}
