"""Text in pixels is found at all sizes, drawn hard or smooth; slices without text raise no alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from planted_dicom import volume
from pydicom import dcmread
from pydicom.dataset import FileDataset

from quadphase.deidentify.burned_in import burned_in_reason, has_text
from quadphase.deidentify.dataset import lenient
from quadphase.phantom.dicom import write_series


def slice_with(
    text: str, *, size: int, smooth: bool, value: int, at: tuple[int, int], ground: NDArray[np.int16]
) -> NDArray[np.int16]:
    mask = Image.new("L" if smooth else "1", ground.shape[::-1])
    draw = ImageDraw.Draw(mask)
    draw.fontmode = "L" if smooth else "1"
    font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
    draw.text(at, text, fill=255 if smooth else 1, font=font)
    weight = np.asarray(mask, dtype=np.float64) / (255 if smooth else 1)
    return np.rint(ground * (1 - weight) + value * weight).astype(np.int16)


@pytest.fixture(scope="module")
def ground() -> NDArray[np.int16]:
    """Body with ribs, a table and a wire in noisy air."""
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.arange(256), np.arange(256))
    body = ((x - 128) / 90) ** 2 + ((y - 120) / 70) ** 2
    hu = np.where(body < 1, 50.0, -1000.0)
    for angle in np.linspace(0, 2 * np.pi, 18, endpoint=False):
        hu[np.hypot(x - 128 - 80 * np.cos(angle), y - 120 - 62 * np.sin(angle)) < 4] = 700
    hu[210:214, 40:216] = -200
    hu[:, 230][20:60] = 900
    return np.rint(hu + rng.normal(0, 15, hu.shape)).astype(np.int16)


@pytest.mark.parametrize("size", [9, 12, 16, 24])
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("value", [3071, 1000])
@pytest.mark.parametrize("at", [(4, 4), (20, 225)])
def test_letters_are_seen(ground: NDArray[np.int16], size: int, smooth: bool, value: int, at: tuple[int, int]) -> None:
    assert has_text(slice_with("Zhang Xiaoming", size=size, smooth=smooth, value=value, at=at, ground=ground))


def test_chinese_letters_are_seen(ground: NDArray[np.int16]) -> None:
    image = slice_with("45Y M 20210305", size=12, smooth=False, value=255, at=(150, 4), ground=ground)
    assert has_text(np.clip(image, -160, 240))


def test_a_slice_without_text_raises_no_alarm(ground: NDArray[np.int16]) -> None:
    assert not has_text(ground)
    assert not has_text(np.clip(ground, -160, 240))
    assert not has_text(np.where(np.hypot(*(np.indices(ground.shape) - 128)) > 127, -2000, ground))
    assert not has_text(np.zeros((64, 64), np.int16))
    assert not has_text(np.zeros((4, 4), np.int16))


def phantom(tmp_path: Path, **attributes: object) -> FileDataset:
    dataset = dcmread(write_series(volume(1), tmp_path)[0])
    with lenient():
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
    return dataset


def test_the_clean_phantom_passes(tmp_path: Path) -> None:
    assert burned_in_reason(phantom(tmp_path)) == ""


@pytest.mark.parametrize(
    "attributes",
    [
        {"BurnedInAnnotation": "YES"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67"},
        {"SamplesPerPixel": 3},
        {"PixelData": b"\0" * 7},
    ],
)
def test_the_header_is_enough_to_refuse(tmp_path: Path, attributes: dict[str, object]) -> None:
    assert burned_in_reason(phantom(tmp_path, **attributes))


@pytest.mark.parametrize("folder", ["multiphase_hcc", "compressed_ct/dicom", "incomplete_exam", "tilted_ct"])
def test_real_ct_without_text_passes(real_data: Path, folder: str) -> None:
    files = [p for p in sorted((real_data / folder).rglob("*")) if p.is_file() and p.read_bytes()[128:132] == b"DICM"]
    assert len(files) >= 20
    assert [str(p.name) for p in files[:: max(1, len(files) // 25)] if burned_in_reason(dcmread(p))] == []


def test_real_pages_are_refused_by_header_and_by_their_pixels(real_data: Path) -> None:
    pages = [p for p in sorted((real_data / "burned_in").rglob("I*")) if p.is_file()]
    datasets = [dcmread(p) for p in pages if p.read_bytes()[128:132] == b"DICM"]
    captures = [d for d in datasets if d.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"]
    assert len(captures) == 11
    assert all(burned_in_reason(d) for d in captures)
    colour = [d for d in captures if d.SamplesPerPixel == 3]
    assert len(colour) == 6
    assert all(has_text(d.pixel_array) for d in colour)


def test_a_header_that_promises_more_than_the_memory_is_refused(tmp_path: Path) -> None:
    dataset = dcmread(write_series(volume(1), tmp_path)[0])
    assert burned_in_reason(dataset) == ""
    dataset.Rows = dataset.Columns = 65535
    assert "more than 2 GiB" in burned_in_reason(dataset)
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 512, 512, 5000
    assert "more than 2 GiB" in burned_in_reason(dataset)
