"""The same CT slice in every encoding: voxels as pydicom's reference handlers and SimpleITK read them, or a refusal
by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import read_stacks
from quadphase.convert.intake import read_file
from quadphase.convert.pixels import load_hu, stored_pixels
from quadphase.errors import UnsupportedDataError
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import write_series
from quadphase.phantom.nasty import texture

CODES = {
    "1.2": "LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2",
    "1.2.1": "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1",
    "1.2.2": "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
    "1.2.1.99": "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
    "1.2.5": "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
    "4.50": "JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50",
    "4.51": "JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51",
    "4.57": "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
    "4.70": "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
    "4.80": "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80",
    "4.81": "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81",
    "4.90": "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
    "4.91": "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91",
}


def file_of(real_data: Path, code: str) -> Path:
    return real_data / "transfer_syntaxes" / f"CTImage.dcm_{CODES[code]}.dcm"


def hu_of(path: Path) -> np.ndarray:
    found = read_file(path)
    assert isinstance(found, tuple)
    return load_hu(found, threads=1).hu[0]


@pytest.mark.parametrize("code", CODES)
def test_simpleitk_reads_the_same_hu(code: str, real_data: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = file_of(real_data, code)
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
    ours = hu_of(path)
    if ours.dtype == np.float32:  # fractional rescale: theirs is float64
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)
    else:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("code", [c for c in CODES if c != "4.51"])
def test_pydicom_reads_the_same_stored_values(code: str, real_data: Path) -> None:
    from pydicom import dcmread

    found = read_file(file_of(real_data, code))
    assert isinstance(found, tuple)
    np.testing.assert_array_equal(stored_pixels(found[0]), dcmread(file_of(real_data, code)).pixel_array)


@pytest.mark.parametrize("code", ["1.2", "1.2.2", "1.2.1.99", "1.2.5", "4.57", "4.70", "4.80", "4.90"])
def test_lossless_encodings_hold_one_image(code: str, real_data: Path) -> None:
    np.testing.assert_array_equal(hu_of(file_of(real_data, code)), hu_of(file_of(real_data, "1.2.1")))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53", "process 6 and 8"),
        ("JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55", "process 10 and 12"),
    ],
)
def test_retired_encodings_are_refused_by_name(name: str, words: str, real_data: Path) -> None:
    path = real_data / "transfer_syntaxes" / f"CTImage.dcm_{name}.dcm"
    (stack,) = read_stacks([path], settings=ConvertSection(minimum_slices=1)).stacks
    assert not stack.usable
    assert any(f.code == "unsupported-encoding" and words in f.message for f in stack.findings)
    with pytest.raises(UnsupportedDataError, match=words):
        stored_pixels(stack.headers[0])


def test_enhanced_frames_of_12_bit_jpeg(real_data: Path) -> None:
    """Fragmented, without a basic offset table: both frames decode and differ."""
    found = read_file(real_data / "transfer_syntaxes" / "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm")
    assert isinstance(found, tuple)
    first, second = (stored_pixels(header) for header in found)
    assert first.shape == (512, 512)
    assert not np.array_equal(first, second)


def test_high_throughput_jpeg_2000_is_read(tmp_path: Path) -> None:
    """No real file at hand: slices encoded losslessly by imagecodecs (OpenJPH), decoded by OpenJPEG."""
    imagecodecs = pytest.importorskip("imagecodecs")
    from pydicom import dcmread
    from pydicom.encaps import encapsulate

    for path in write_series(texture(), tmp_path):
        data = dcmread(path)
        data.PixelData = encapsulate([imagecodecs.htj2k_encode(data.pixel_array, reversible=True)])
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
        data.save_as(path)
    (stack,) = read_stacks([tmp_path]).usable
    np.testing.assert_array_equal(stack.load().volume.hu, texture().hu)
