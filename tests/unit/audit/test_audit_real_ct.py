"""The same faults planted into real CT: 20 slices of a portal venous scan with organs, and a plain scan at 3 mm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from quadphase.audit import audit
from quadphase.audit.repair import repair
from quadphase.imaging.reorient import reorient_array
from quadphase.imaging.window import window
from quadphase.io.nifti import load_label_map, load_volume
from quadphase.model import Diagnosis, Grid, Mask, Phase, Sex, Volume

from .conftest import Item, paths_of, with_hu, write_plain

Items = tuple[Item, ...]
ALWAYS = {"checksums-absent", "phases-incomplete"}
LIVER = 5


def _stack(slices: list[pydicom.Dataset]) -> Volume:
    slices = sorted(slices, key=lambda s: s.ImagePositionPatient[2])
    hu = np.stack(
        [s.pixel_array.T.astype(np.int32) * int(s.RescaleSlope) + int(s.RescaleIntercept) for s in slices], axis=2
    )
    x, y, z = (float(v) for v in slices[0].ImagePositionPatient)
    dj, di = (float(v) for v in slices[0].PixelSpacing)
    dk = float(slices[1].ImagePositionPatient[2]) - z
    affine = np.array([[-di, 0, 0, -x], [0, -dj, 0, -y], [0, 0, dk, z], [0, 0, 0, 1]])
    return Volume(hu=hu.astype(np.int16), grid=Grid(hu.shape, affine))  # type: ignore[arg-type]


def _portal(folder: Path) -> Item:
    volume = _stack([pydicom.dcmread(p) for p in (folder / "dicom").iterdir()])
    organs = load_label_map(folder / "organs.nii.gz")
    codes = volume.grid.axis_codes
    liver = np.ascontiguousarray(reorient_array(organs.labels == LIVER, organs.grid, codes))
    return _item("R1", Phase.C2, volume, Mask(voxels=liver, grid=volume.grid))


def _plain(folder: Path) -> Item:
    volume = load_volume(folder / "plain_3mm" / "ct.nii.gz")
    liver = load_label_map(folder / "plain_3mm" / "liver.nii.gz").mask()
    return _item("R2", Phase.P, volume, Mask(voxels=liver.voxels, grid=volume.grid))


def _item(case: str, phase: Phase, volume: Volume, liver: Mask | None) -> Item:
    return Item(
        case=case, phase=phase, diagnosis=Diagnosis.CN, sex=Sex.MALE, age=50, volume=volume, liver=liver, lesion=None
    )


@pytest.fixture(scope="session")
def real(real_data: Path) -> Items:
    return _portal(real_data / "compressed_ct"), _plain(real_data / "compressed_ct")


def _codes(root: Path) -> set[str]:
    return set(audit(root).counts) - ALWAYS


def _changed(item: Item, change: Callable[[np.ndarray], np.ndarray]) -> Item:
    """Another array under an unchanged header, the mask with it."""
    assert item.liver is not None
    liver = Mask(voxels=np.ascontiguousarray(change(item.liver.voxels)), grid=item.liver.grid)
    return replace(with_hu(item, change(item.volume.hu)), liver=liver)


def _turned(item: Item, axis: int) -> Item:
    return _changed(item, lambda array: np.flip(array, axis))


def _windowed(item: Item) -> Item:
    return replace(item, volume=window(item.volume, lower_hu=-200, upper_hu=200))


def _noisy(item: Item) -> Item:
    """A quarter of the dose: noise of 25 HU more."""
    noise = np.random.default_rng(0).normal(0, 25, item.volume.grid.shape)
    return with_hu(item, np.clip(item.volume.hu + noise, -1024, 3071).astype(np.int16))


@pytest.mark.parametrize("dose", ["full", "low"])
def test_clean_twins(dose: str, real: Items, tmp_path: Path) -> None:
    items = real if dose == "full" else tuple(_noisy(i) for i in real)
    assert _codes(write_plain(tmp_path / "full", items)) == set()
    for low, high in ((-200, 200), (-160, 240), (-125, 275), (-100, 100)):
        windowed = [replace(i, volume=window(i.volume, lower_hu=low, upper_hu=high)) for i in items]
        assert _codes(write_plain(tmp_path / f"{low} to {high}", windowed)) == set(), (low, high)


FAULTS: dict[str, tuple[Callable[[Item], Item], set[str]]] = {
    "mirrored": (lambda i: _turned(i, 0), {"left-right-swapped"}),
    "turned": (lambda i: _turned(i, 1), {"back-to-front"}),
    "transposed": (lambda i: _changed(i, lambda a: a.swapaxes(0, 1)), {"axes-swapped"}),
    "transposed, windowed": (lambda i: _windowed(_changed(i, lambda a: a.swapaxes(0, 1))), {"axes-swapped"}),
    "turned by 90°": (lambda i: _changed(i, np.rot90), {"axes-swapped"}),
    "offset of a window": (lambda i: with_hu(_windowed(i), _windowed(i).volume.hu - np.int16(40)), {"hu-offset"}),
    **{
        f"{name}{range_}": (lambda i, change=change, cut=cut: with_hu(cut(i), change(cut(i).volume.hu)), {"not-hu"})
        for range_, cut in ((", windowed", _windowed), ("", lambda i: i))
        for name, change in {
            "air is 0": lambda hu: np.where(hu <= max(-600, hu.min()), 0, hu).astype(np.int16),
            "fat is 100": lambda hu: np.where((hu > -140) & (hu < -60), 100, hu).astype(np.int16),
            "inverted": lambda hu: -hu,
        }.items()
    },
    "liver empty": (
        lambda i: replace(i, liver=Mask(voxels=np.zeros(i.volume.grid.shape, bool), grid=i.volume.grid)),
        {"mask-empty"},
    ),
    "liver flipped": (
        lambda i: replace(i, liver=Mask(voxels=i.liver.voxels[::-1].copy(), grid=i.volume.grid)),  # type: ignore[union-attr]
        {"liver-mask-not-liver", "left-right-swapped"},
    ),
    "nominal": (
        lambda i: replace(
            i,
            volume=Volume(hu=i.volume.hu, grid=Grid(i.volume.grid.shape, np.eye(4))),
            liver=Mask(voxels=i.liver.voxels, grid=Grid(i.volume.grid.shape, np.eye(4))),  # type: ignore[union-attr]
        ),
        {"geometry-nominal", "field-of-view", "back-to-front", "left-right-swapped"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_in_real_ct(fault: str, real: Items, tmp_path: Path) -> None:
    change, expected = FAULTS[fault]
    assert _codes(write_plain(tmp_path, [change(real[0])])) == expected


def test_transposed_scan_is_repaired(real: Items, tmp_path: Path) -> None:
    item = real[0]
    for name, change in (("mirror image", lambda a: a.swapaxes(0, 1)), ("quarter turn", np.rot90)):
        root = write_plain(tmp_path / name, [_changed(item, change)])
        assert name in audit(root).of("axes-swapped")[0].message
        out = tmp_path / f"{name} repaired"
        repair(root, out)
        assert _codes(out) == set()
        for path, array in zip(paths_of(item)[::2], (item.volume.hu, item.liver.voxels), strict=True):  # type: ignore[union-attr]
            fixed = load_label_map(out / str(path))
            assert fixed.grid.is_close(item.volume.grid)
            assert np.array_equal(fixed.labels, array)


def test_full_range_offset(real: Items, tmp_path: Path) -> None:
    report = audit(write_plain(tmp_path, [with_hu(i, i.volume.hu - np.int16(45)) for i in real]))
    assert "hu-offset" in report.counts


def test_eight_bit_copy_is_found_named_and_repaired(real: Items, tmp_path: Path) -> None:
    item = _windowed(real[0])
    root = write_plain(tmp_path / "release", [item, replace(item, case="R9")])
    eight = np.rint((item.volume.hu.astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)
    nib.save(nib.Nifti1Image(eight, item.volume.grid.affine), root / paths_of(replace(item, case="R9"))[0])
    assert _codes(root) >= {"not-hu", "near-duplicate"}
    out = tmp_path / "out"
    repair(root, out)
    assert "not-hu" not in _codes(out)
    fixed = load_volume(out / paths_of(replace(item, case="R9"))[0])
    assert np.abs(fixed.hu.astype(int) - item.volume.hu).max() <= 1


@pytest.fixture(scope="session")
def exam(real_data: Path) -> Items:
    """Plain (18 × 10 mm), arterial and venous (75 × 2.5 mm) of one real patient with a 10 cm tumour; no masks."""
    slices = [pydicom.dcmread(p) for p in (real_data / "multiphase_hcc" / "study").rglob("*.dcm")]
    acquired = {Phase.P: [], Phase.C1: [], Phase.C2: []}  # type: ignore[var-annotated]
    for one in slices:
        plain = "PRE" in str(one.SeriesDescription)
        acquired[Phase.P if plain else Phase.C1 if int(one.AcquisitionNumber) == 2 else Phase.C2].append(one)
    return tuple(replace(_item("M1", p, _stack(parts), None), diagnosis=None) for p, parts in acquired.items())


def test_real_exam(exam: Items, tmp_path: Path) -> None:
    assert _codes(write_plain(tmp_path / "clean", exam)) == set()
    p, c1, c2 = exam
    swapped = (p, replace(c1, phase=Phase.C2), replace(c2, phase=Phase.C1))
    assert _codes(write_plain(tmp_path / "swapped", swapped)) == {"enhancement-contradicts"}
    wrong = (replace(p, phase=Phase.C1), replace(c1, phase=Phase.P), c2)
    assert "enhancement-contradicts" in _codes(write_plain(tmp_path / "wrong", wrong))


def test_real_exam_with_one_phase_turned(exam: Items, tmp_path: Path) -> None:
    p, c1, c2 = exam
    root = write_plain(tmp_path / "turned", (p, with_hu(c1, c1.volume.hu[:, :, ::-1]), c2))
    assert _codes(root) == {"slice-order-differs", "upside-down"}
    out = tmp_path / "fixed"
    repair(root, out)
    assert _codes(out) == set()
    fixed = load_volume(out / paths_of(c1)[0])
    assert fixed.grid.is_close(c1.volume.grid)
    assert np.array_equal(fixed.hu, c1.volume.hu)
