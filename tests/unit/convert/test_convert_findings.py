"""Each finding code of conversion is provoked by a folder that deserves it; the table covers the catalogue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from quadphase.convert.exam import read_stacks
from quadphase.errors import QuadphaseError
from quadphase.model.catalogue import geometry
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import PixelFormat, write_series
from quadphase.phantom.nasty import NASTY, texture

SETTINGS = ConvertSection(minimum_slices=2)
Builder = Callable[[Path], object]


def series(folder: Path, **overrides: Any) -> list[Path]:
    """A clean series of twelve slices, with some attributes of all slices changed."""
    return write_series(texture(), folder, overrides=overrides)


def edited(change: Callable[[Dataset, int], None], **overrides: Any) -> Builder:
    """A clean series of which each file is changed after writing; `change` gets the dataset and its number."""

    def build(folder: Path) -> None:
        for number, path in enumerate(series(folder, **overrides)):
            data = dcmread(path)
            change(data, number)
            data.save_as(path)

    return build


def tagged(**overrides: Any) -> Builder:
    return lambda folder: series(folder, **overrides)


def raw(name: str, content: bytes) -> Builder:
    def build(folder: Path) -> None:
        folder.mkdir()
        (folder / name).write_bytes(content)

    return build


def damaged(change: Callable[[bytes], bytes], **options: Any) -> Builder:
    """A series whose second file's bytes are changed."""

    def build(folder: Path) -> None:
        path = write_series(texture(), folder, **options)[1]
        path.write_bytes(change(path.read_bytes()))

    return build


def copied_under_new_uid(folder: Path) -> None:
    paths = series(folder)
    data = dcmread(paths[3])
    data.SOPInstanceUID = "2.25.123456"
    data.InstanceNumber = 900
    data.save_as(folder / "again.dcm")


def same_uid_other_image(folder: Path) -> None:
    paths = series(folder)
    data = dcmread(paths[3])
    data.PixelData = bytes(len(data.PixelData))
    data.save_as(folder / "other.dcm")


def _set(**values: Any) -> Callable[[Dataset, int], None]:
    def change(data: Dataset, _number: int) -> None:
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return change


def _shift(data: Dataset, number: int) -> None:
    if number == 4:
        data.ImagePositionPatient[0] = float(data.ImagePositionPatient[0]) + 1.5


def _turn(data: Dataset, number: int) -> None:
    """One slice turned by 0.05 degrees in its plane: its first pixel is in place, its corners are not."""
    if number == 4:
        data.ImageOrientationPatient = ["0.9999996", "0.0008726", "0", "-0.0008726", "0.9999996", "0"]


def _flip(data: Dataset, _number: int) -> None:
    data.ImageOrientationPatient = ["1", "0", "0", "0", "-1", "0"]


def _halve(data: Dataset, number: int) -> None:
    if number in (0, 1, 2):
        data.Rows, data.PixelData = data.Rows // 2, data.PixelData[: len(data.PixelData) // 2]


def _stray(data: Dataset, _number: int) -> None:
    pixels = np.frombuffer(data.PixelData, "<u2").copy()
    pixels[:5] |= 0x8000  # an overlay bit, as scanners of the nineties wrote them
    data.PixelData = pixels.tobytes()


def _spacing(data: Dataset, _number: int) -> None:
    del data.PixelSpacing


def _palette(data: Dataset, _number: int) -> None:
    data.PhotometricInterpretation = "PALETTE COLOR"


def _several_frames(data: Dataset, _number: int) -> None:
    data.NumberOfFrames = 4


def _claim_retired(folder: Path) -> None:
    for path in write_series(texture(), folder, transfer_syntax=JPEG2000Lossless):
        blob = path.read_bytes()
        path.write_bytes(blob.replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.55"))


def _stray_series(folder: Path) -> None:
    form = PixelFormat(bits_stored=12, signed=False, intercept=-1024.0)
    for path in write_series(texture(), folder, pixels=form):
        data = dcmread(path)
        _stray(data, 0)
        data.save_as(path)


def _endless_sequence(blob: bytes) -> bytes:
    """An element that claims to be a sequence and holds no items."""
    start = 144 + int.from_bytes(blob[140:144], "little")
    return blob[:start] + bytes.fromhex("08004011") + b"SQ\0\0\xff\xff\xff\xff" + b"nonsense" + blob[start:]


def _cut_stream(blob: bytes) -> bytes:
    """A whole file whose JPEG 2000 stream ends before its end-of-codestream marker."""
    end = blob.rindex(b"\xff\xd9")
    return blob[: end - 200] + bytes(202) + blob[end + 2 :]


def _one_slice(**overrides: Any) -> Builder:
    """The first slice of a series, with some attributes changed or (None) removed."""

    def build(folder: Path) -> None:
        first, *others = series(folder)
        for path in others:
            path.unlink()
        data = dcmread(first)
        for keyword, value in overrides.items():
            delattr(data, keyword) if value is None else setattr(data, keyword, value)
        data.save_as(first)

    return build


SR, DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.67"
KIND = ["DERIVED", "SECONDARY", "AXIAL"]

PROVOKE: dict[str, Builder] = {
    "not-dicom": raw("a.dcm", b"this is a text file named .dcm\n" * 20),
    "empty-file": raw("a.dcm", b""),
    "unreadable-file": lambda folder: (folder.mkdir(), (folder / "a.dcm").symlink_to("/proc/self/mem")),
    "unreadable-dicom": damaged(_endless_sequence),
    "truncated-file": damaged(lambda b: b[:-300]),
    "dicom-directory": edited(_set(SOPClassUID="1.2.840.10008.1.3.10")),
    "no-pixel-data": edited(_set(SOPClassUID="1.2.840.10008.5.1.4.1.1.66")),
    "not-ct": tagged(Modality="MR"),
    "localizer": tagged(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
    "reformatted": tagged(ImageType=[*KIND, "MPR"]),
    "secondary-capture": edited(_set(SOPClassUID="1.2.840.10008.5.1.4.1.1.7")),
    "dose-report": edited(_set(SOPClassUID=DOSE_SR)),
    "report": edited(_set(SOPClassUID=SR)),
    "segmentation": tagged(Modality="SEG"),
    "colour-image": edited(_palette),
    "multi-frame": edited(_several_frames),
    "no-position": edited(_spacing),
    "unsupported-pixels": edited(_set(BitsAllocated=12)),
    "unsupported-encoding": _claim_retired,
    "undecodable-pixels": damaged(_cut_stream, transfer_syntax=JPEG2000Lossless),
    "duplicate-file": NASTY["duplicate_slices"],
    "duplicate-slice": copied_under_new_uid,
    "conflicting-instance": same_uid_other_image,
    "too-few-slices": NASTY["one_slice"],
    "split-series": NASTY["phases_by_acquisition_number"],
    "weakly-split": NASTY["phases_by_instance_number"],
    "duplicate-positions": NASTY["conflicting_duplicates"],
    "missing-slices": NASTY["missing_slice"],
    "uneven-spacing": NASTY["uneven_spacing"],
    "gantry-tilt": NASTY["gantry_tilt"],
    "shifted-slices": edited(_shift),
    "geometry-proof": edited(_turn),
    "no-thickness": _one_slice(SliceThickness=None),
    "tilt-contradiction": tagged(GantryDetectorTilt="12"),
    "thickness-differs": NASTY["thickness_lies"],
    "normal-to-feet": edited(_flip),
    "mixed-matrix": edited(_halve),
    "incomplete-series": NASTY["truncated_file"],
    "fractional-rescale": NASTY["fractional_slope"],
    "wide-range": edited(_set(RescaleIntercept="40000")),
    "pixel-padding": NASTY["padding"],
    "stray-bits": _stray_series,
    "not-hounsfield": edited(lambda data, _n: delattr(data, "RescaleIntercept")),
    "varying-rescale": NASTY["per_slice_rescale"],
    "resampled": NASTY["missing_slice"],
}


def codes_of(folder: Path, settings: ConvertSection = SETTINGS) -> set[str]:
    """Codes of everything said in reading and decoding a folder."""
    found = read_stacks([folder], settings=settings)
    codes = {f.code for f in found.findings} | {f.code for stack in found.stacks for f in stack.findings}
    for stack in found.usable:
        try:
            codes |= {f.code for f in stack.load().findings}
        except QuadphaseError as error:
            codes.add(stack.failure(error).code)
    return codes


def test_every_code_has_a_provocation() -> None:
    assert set(PROVOKE) == {entry.code for entry in geometry.CODES}


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom, of the damage done here
@pytest.mark.parametrize("code", sorted(PROVOKE))
def test_provoked(code: str, tmp_path: Path) -> None:
    PROVOKE[code](tmp_path / "in")
    asked = {"resampled": {"fill_gaps": True}, "no-thickness": {"minimum_slices": 1}}.get(code, {})
    assert code in codes_of(tmp_path / "in", SETTINGS.model_copy(update=asked))


def test_a_clean_series_says_nothing(tmp_path: Path) -> None:
    series(tmp_path / "in")
    assert codes_of(tmp_path / "in") == set()


def findings_of(folder: Path, settings: ConvertSection = SETTINGS) -> dict[str, str]:
    """Severity of each finding about files and stacks, by code."""
    found = read_stacks([folder], settings=settings)
    every = (*found.findings, *(f for stack in found.stacks for f in stack.findings))
    return {f.code: f.severity.value for f in every}


class TestWhatIsNotThere:
    """A stack is whole only if nothing that may have been one of its slices is missing, unreadable or out of reach."""

    def test_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        last = series(tmp_path / "in")[-1]
        last.rename(tmp_path / "away")
        last.symlink_to(tmp_path / "nowhere")
        assert findings_of(tmp_path / "in") == {"unreadable-file": "error", "incomplete-series": "warning"}

    def test_a_folder_that_may_not_be_listed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        series(tmp_path / "in")
        (tmp_path / "in" / "closed").mkdir()
        true_scandir = os.scandir

        def scandir(folder: str) -> object:
            if str(folder).endswith("closed"):
                raise PermissionError
            return true_scandir(folder)

        monkeypatch.setattr(os, "scandir", scandir)
        assert findings_of(tmp_path / "in") == {"closed-folders": "warning"}

    def test_a_linked_series_is_read(self, tmp_path: Path) -> None:
        series(tmp_path / "elsewhere")
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "series").symlink_to(tmp_path / "elsewhere")
        (stack,) = read_stacks([tmp_path / "in"], settings=SETTINGS).usable
        assert stack.n_slices == 12

    def test_a_file_cut_exactly_before_its_pixels(self, tmp_path: Path) -> None:
        last = series(tmp_path / "in")[-1]
        blob = last.read_bytes()
        last.write_bytes(blob[: blob.rindex(b"\xe0\x7f\x10\x00")])
        assert findings_of(tmp_path / "in") == {"truncated-file": "error", "incomplete-series": "error"}

    def test_a_file_cut_between_the_uids_of_study_and_series(self, tmp_path: Path) -> None:
        last = series(tmp_path / "in")[-1]
        blob = last.read_bytes()
        last.write_bytes(blob[: blob.rindex(b"\x20\x00\x0e\x00") + 4])
        assert findings_of(tmp_path / "in") == {"truncated-file": "error", "incomplete-series": "warning"}

    def test_a_file_cut_between_series_uid_and_series_number(self, tmp_path: Path) -> None:
        last = series(tmp_path / "in")[-1]
        blob = last.read_bytes()
        last.write_bytes(blob[: blob.rindex(b"\x20\x00\x11\x00") + 4])
        assert findings_of(tmp_path / "in") == {"truncated-file": "error", "incomplete-series": "error"}

    def test_wherever_the_last_slice_is_cut_it_is_missed(self, tmp_path: Path) -> None:
        """Also between two elements, and within the 128 blank bytes a file begins with."""
        last = series(tmp_path / "in")[-1]
        blob = last.read_bytes()
        header = blob.rindex(b"\xe0\x7f\x10\x00")
        for end in [*range(0, 129, 16), *range(132, header + 24, 2), len(blob) - 1]:
            last.write_bytes(blob[:end])
            found = read_stacks([tmp_path / "in"], settings=SETTINGS)
            assert "incomplete-series" in {f.code for f in found.stacks[0].findings}, end

    def test_a_file_of_zeros_is_empty(self, tmp_path: Path) -> None:
        last = series(tmp_path / "in")[-1]
        last.write_bytes(bytes(last.stat().st_size))
        assert findings_of(tmp_path / "in") == {"empty-file": "warning", "incomplete-series": "warning"}


class TestOneUidForSeveralImages:
    def test_at_different_places(self, tmp_path: Path) -> None:
        edited(_set(SOPInstanceUID="2.25.99"))(tmp_path / "in")
        found = read_stacks([tmp_path / "in"], settings=SETTINGS)
        (finding,) = found.findings
        assert (finding.code, finding.message.split()[0]) == ("conflicting-instance", "11")

    def test_frames_of_one_file_share_theirs_by_right(self, tmp_path: Path) -> None:
        NASTY["enhanced_multiframe"](tmp_path / "in")
        assert "conflicting-instance" not in findings_of(tmp_path / "in")


@pytest.mark.parametrize("thickness", [None, "0", "-5", "1e-9", "1e9"])
def test_a_single_slice_needs_a_believable_thickness(thickness: str | None, tmp_path: Path) -> None:
    _one_slice(SliceThickness=thickness)(tmp_path / "in")
    asked = ConvertSection(minimum_slices=1)
    (stack,) = read_stacks([tmp_path / "in"], settings=asked).stacks
    assert (stack.usable, stack.geometry.spacing_mm) == (False, 0.0)
    assert {f.code for f in stack.findings} == {"no-thickness"}


def test_a_single_slice_is_as_thick_as_it_says(tmp_path: Path) -> None:
    _one_slice(SliceThickness="4")(tmp_path / "in")
    (stack,) = read_stacks([tmp_path / "in"], settings=ConvertSection(minimum_slices=1, resample_mm=2.0)).usable
    assert stack.proved_grid.spacing_mm[2] == 4.0
    assert stack.changes == ()


@pytest.mark.parametrize("name", ["plain", "enhanced_multiframe"])
def test_a_rescale_slope_of_zero_is_a_missing_one(name: str, tmp_path: Path) -> None:
    if name == "plain":
        edited(_set(RescaleSlope="0"))(tmp_path / "in")
    else:
        for path in NASTY[name](tmp_path / "in").paths:
            data = dcmread(path)
            data.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleSlope = "0"
            data.save_as(path)
    assert findings_of(tmp_path / "in")["not-hounsfield"] == "error"


def test_messages_hold_no_identifier(tmp_path: Path) -> None:
    """Names, ids, UIDs and paths of a person never reach a message, a location or a repr."""
    secrets = {"PatientID": "SECRET-4711", "PatientName": "Secret^Person", "AccessionNumber": "ACC-SECRET"}
    for number, build in enumerate((PROVOKE["truncated-file"], PROVOKE["uneven-spacing"], PROVOKE["shifted-slices"])):
        folder = tmp_path / f"SECRET-folder{number}"
        build(folder)
        for path in folder.iterdir():
            try:
                data = dcmread(path)
                for keyword, value in secrets.items():
                    setattr(data, keyword, value)
                data.save_as(path)
            except Exception:  # noqa: S112 - the truncated one stays as it is
                continue
        found = read_stacks([folder], settings=SETTINGS)
        said = repr(found) + repr(found.rejected) + repr([s.headers for s in found.stacks])
        said += " ".join(f.message + f.location for s in found.stacks for f in s.findings)
        said += " ".join(f.message + f.location for f in found.findings)
        assert "SECRET" not in said.upper()
    shutil.rmtree(tmp_path)
