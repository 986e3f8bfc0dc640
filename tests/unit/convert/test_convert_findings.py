"""Each finding code of conversion is provoked by a folder that deserves it; the table covers the catalogue."""

from __future__ import annotations

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
    """A clean series of ten slices, with some attributes of all slices changed."""
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


SR, DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.67"
KIND = ["DERIVED", "SECONDARY", "AXIAL"]

PROVOKE: dict[str, Builder] = {
    "not-dicom": raw("a.dcm", b"this is a text file named .dcm\n" * 20),
    "empty-file": raw("a.dcm", b""),
    "unreadable-file": lambda folder: (folder.mkdir(), (folder / "a.dcm").symlink_to("/proc/self/mem")),
    "unreadable-dicom": damaged(_endless_sequence),
    "truncated-file": damaged(lambda b: b[:-300]),
    "dicom-directory": edited(_set(SOPClassUID="1.2.840.10008.1.3.10")),
    "no-pixel-data": edited(lambda data, _n: delattr(data, "PixelData")),
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
    asked = ConvertSection(minimum_slices=2, fill_gaps=True) if code == "resampled" else SETTINGS
    assert code in codes_of(tmp_path / "in", asked)


def test_a_clean_series_says_nothing(tmp_path: Path) -> None:
    series(tmp_path / "in")
    assert codes_of(tmp_path / "in") == set()


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
