"""NIfTI: what is saved is what is loaded, other tools read the same, and damage gets one clear line."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from property_strategies import volumes

from quadphase.errors import InputError, OutputError, UnsupportedDataError
from quadphase.io.nifti import load_mask, load_nifti, load_volume, save_label_map, save_mask, save_volume
from quadphase.model import Grid, LabelMap, Mask, Volume

GRID = Grid((5, 4, 3), [[-0.7, 0, 0, 20], [0, -0.7, 0, 19], [0, 0, 2.5, -30], [0, 0, 0, 1]])


def ct() -> Volume:
    return Volume(hu=np.arange(60, dtype=np.int16).reshape(5, 4, 3) * 30 - 1000, grid=GRID)


@settings(max_examples=40)
@given(volume=volumes())
def test_load_of_save_is_the_same(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("n") / "ct.nii.gz"
    save_volume(path, volume)
    back = load_volume(path)
    assert np.array_equal(back.hu, volume.hu)
    # The header stores float32: 0.001 mm is its rounding at 1 m.
    assert back.grid.is_close(volume.grid, tolerance_mm=0.001)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_nibabel_reads_the_same(tmp_path: Path, name: str) -> None:
    save_volume(tmp_path / name, ct())
    image = nib.load(tmp_path / name)
    assert image.get_data_dtype() == np.int16
    assert np.array_equal(np.asarray(image.dataobj), ct().hu)
    assert np.allclose(image.affine, GRID.affine, atol=1e-5)
    assert np.allclose(image.get_qform(), GRID.affine, atol=1e-5)
    assert image.header.get_xyzt_units() == ("mm", "sec")


def test_the_header_says_nothing_but_geometry(tmp_path: Path) -> None:
    header = load_nifti(save_volume(tmp_path / "ct.nii.gz", ct())).header
    for field in ("data_type", "db_name", "descrip", "aux_file", "intent_name"):
        assert bytes(header[field].tobytes()).strip(b"\0") == b""
    assert (float(header["scl_slope"]), float(header["scl_inter"])) == (1.0, 0.0)


def test_the_bytes_depend_on_content_alone(tmp_path: Path) -> None:
    big = Volume(hu=np.random.default_rng(1).integers(-200, 200, (128, 128, 130)).astype(np.int16),
                 grid=Grid((128, 128, 130), GRID.affine))  # fmt: skip
    one = save_volume(tmp_path / "a.nii.gz", big, threads=1).read_bytes()
    four = save_volume(tmp_path / "another-name.nii.gz", big, threads=4).read_bytes()
    assert one == four
    assert one[3:10] == b"\0\0\0\0\0\0\xff"  # no flags, no time, unknown system
    assert gzip.decompress(one)[352:] == big.hu.tobytes(order="F")


def test_masks_and_labels_come_back(tmp_path: Path) -> None:
    mask = Mask(voxels=ct().hu > 0, grid=GRID)
    assert np.array_equal(load_mask(save_mask(tmp_path / "m.nii.gz", mask)).voxels, mask.voxels)
    labels = LabelMap(labels=(ct().hu // 300).astype(np.int32), grid=GRID)
    stored = load_nifti(save_label_map(tmp_path / "l.nii.gz", labels)).stored
    assert stored.dtype == np.int16
    assert np.array_equal(stored, labels.labels)


def test_fractional_hu_stay_fractional(tmp_path: Path) -> None:
    fractional = Volume(hu=(ct().hu / 7).astype(np.float32), grid=GRID)
    assert load_volume(save_volume(tmp_path / "f.nii.gz", fractional)).hu.dtype == np.float32


def test_whole_floats_from_other_tools_become_int16(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(ct().hu.astype(np.float32), GRID.affine), tmp_path / "f.nii.gz")
    assert load_volume(tmp_path / "f.nii.gz").hu.dtype == np.int16


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda _: b"", "not-nifti"),
        (lambda _: b"hello", "not-nifti"),
        (lambda raw: raw[: len(raw) // 2], "corrupt-gzip"),
        (lambda raw: gzip.compress(gzip.decompress(raw)[:-10]), "truncated-nifti"),
        (lambda raw: gzip.compress(gzip.decompress(raw)[:40] + b"\xff" * 400), "not-nifti"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage, code: str) -> None:  # type: ignore[no-untyped-def]
    path = save_volume(tmp_path / "ct.nii.gz", ct())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as caught:
        load_volume(path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("kind", "says"), [([("R", "u1"), ("G", "u1"), ("B", "u1")], "RGB"), (np.complex64, "complex")]
)
@pytest.mark.parametrize("load", [load_volume, load_mask])
def test_colours_and_complex_numbers_are_refused_by_name(tmp_path: Path, load, kind, says: str) -> None:  # type: ignore[no-untyped-def]
    nib.save(nib.Nifti1Image(np.zeros((5, 4, 3), kind), GRID.affine), tmp_path / "x.nii.gz")
    with pytest.raises(UnsupportedDataError, match=says) as caught:
        load(tmp_path / "x.nii.gz")
    assert caught.value.code == "not-numbers"


@pytest.mark.parametrize(("label", "kind"), [(255, np.uint8), (256, np.int16), (-1, np.int16), (32767, np.int16)])
def test_labels_come_back_as_they_were(tmp_path: Path, label: int, kind: type) -> None:
    labels = LabelMap(labels=np.full(GRID.shape, label, np.int32), grid=GRID)
    stored = load_nifti(save_label_map(tmp_path / "l.nii.gz", labels)).stored
    assert stored.dtype == kind
    assert (stored == label).all()


@pytest.mark.parametrize("label", [40000, -40000])
def test_labels_that_would_wrap_are_refused(tmp_path: Path, label: int) -> None:
    with pytest.raises(UnsupportedDataError) as caught:
        save_label_map(tmp_path / "l.nii.gz", LabelMap(labels=np.full(GRID.shape, label, np.int32), grid=GRID))
    assert caught.value.code == "label-too-large"
    assert not list(tmp_path.iterdir())


def test_a_label_map_with_nan_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.full((5, 4, 3), np.nan, np.float32), GRID.affine), tmp_path / "x.nii.gz")
    with pytest.raises(UnsupportedDataError) as caught:
        load_mask(tmp_path / "x.nii.gz")
    assert caught.value.code == "not-integer"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_volume_with_a_voxel_that_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    hu = ct().hu.astype(np.float32)
    hu[1, 2, 1] = value
    nib.save(nib.Nifti1Image(hu, GRID.affine), tmp_path / "x.nii.gz")
    with pytest.raises(UnsupportedDataError, match=r"x\.nii\.gz: 1 voxels hold NaN or infinity") as caught:
        load_volume(tmp_path / "x.nii.gz")
    assert caught.value.code == "not-finite"


@pytest.mark.parametrize("name", ["m.png", "m", "m.nii.gz.txt", "m.gz"])
def test_nifti_is_written_under_no_other_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        save_mask(tmp_path / name, Mask(voxels=np.ones(GRID.shape, bool), grid=GRID))
    assert caught.value.code == "not-nifti-name"
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        load_volume(tmp_path / "absent.nii.gz")


def test_four_axes_are_refused_by_the_strict_loader(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 3), np.int16), np.eye(4)), tmp_path / "4d.nii.gz")
    with pytest.raises(UnsupportedDataError) as caught:
        load_volume(tmp_path / "4d.nii.gz")
    assert caught.value.code == "not-3d"
    assert load_nifti(tmp_path / "4d.nii.gz").stored.shape == (4, 4, 4, 3)


def test_an_existing_file_is_kept_when_asked(tmp_path: Path) -> None:
    path = save_volume(tmp_path / "ct.nii.gz", ct())
    before = path.read_bytes()
    with pytest.raises(OutputError) as caught:
        save_volume(path, ct(), overwrite=False)
    assert caught.value.code == "exists"
    assert path.read_bytes() == before


@settings(max_examples=20)
@given(volume=volumes(axial=True))
def test_nibabel_agrees_on_any_axial_orientation(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = save_volume(tmp_path_factory.mktemp("n") / "ct.nii", volume)
    assert nib.aff2axcodes(nib.load(path).affine) == volume.grid.axis_codes
