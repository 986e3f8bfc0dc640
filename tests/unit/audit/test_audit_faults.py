"""Every fault the audit knows, planted alone into a clean copy: it is found, and nothing else is reported."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.imaging.window import window
from quadphase.model import Diagnosis, Grid, Mask, Phase, Sex, Volume

from .conftest import Item, damaged, paths_of, reseal, with_hu, write_ours, write_plain, write_table

ALWAYS = {"checksums-absent"}
Items = tuple[Item, ...]


@pytest.fixture(scope="session")
def one(clean: Items) -> Items:
    return tuple(item for item in clean if item.case == "P0417")


def codes(path: Path, **more: object) -> set[str]:
    return set(audit(path, **more).counts) - ALWAYS  # type: ignore[arg-type]


def _mask(item: Item, change: Callable[[np.ndarray], np.ndarray], *, which: str = "liver") -> Item:
    mask = getattr(item, which)
    return replace(item, **{which: Mask(voxels=np.ascontiguousarray(change(mask.voxels)), grid=mask.grid)})


def _changed(item: Item, change: Callable[[np.ndarray], np.ndarray]) -> Item:
    """Another array under an unchanged header, masks with it."""
    new = _mask(with_hu(item, change(item.volume.hu)), change)
    return _mask(new, change, which="lesion") if item.lesion is not None else new


def _flip(item: Item, axis: int) -> Item:
    return _changed(item, lambda array: np.flip(array, axis))


def _moved(item: Item, affine: np.ndarray) -> Item:
    grid = Grid(item.volume.grid.shape, affine)
    return replace(
        item,
        volume=Volume(hu=item.volume.hu, grid=grid),
        liver=Mask(voxels=item.liver.voxels, grid=grid) if item.liver else None,
        lesion=Mask(voxels=item.lesion.voxels, grid=grid) if item.lesion else None,
    )


def _half_liver(voxels: np.ndarray) -> np.ndarray:
    """Only the right part of the liver, which reaches over all slices."""
    kept = voxels.copy()
    columns = np.flatnonzero(kept.any(axis=(1, 2)))
    kept[columns[0] + int(columns.size * 0.3) :] = False
    return kept


def _gap(voxels: np.ndarray) -> np.ndarray:
    kept = voxels.copy()
    first = int(np.flatnonzero(kept.any(axis=(0, 1)))[0])
    kept[:, :, first + 2 : first + 4] = False  # the lowest tip: no lesion there
    return kept


def _shift(voxels: np.ndarray) -> np.ndarray:
    return np.roll(voxels, (24, 30), axis=(0, 1))


LOST: dict[str, tuple[Callable[[np.ndarray], np.ndarray], set[str]]] = {
    "air is 0": (lambda hu: np.where(hu <= -190, 0, hu).astype(np.int16), {"not-hu"}),
    "air is 40": (lambda hu: np.where(hu <= -150, 40, hu).astype(np.int16), {"not-hu"}),
    "fat is 100": (lambda hu: np.where((hu > -140) & (hu < -60), 100, hu).astype(np.int16), {"not-hu"}),
    "inverted": (lambda hu: -hu, {"not-hu"}),
}
"""Values that are negative somewhere, and still no HU."""


SINGLE: dict[str, tuple[Callable[[Item], Item], set[str]]] = {
    "upside-down": (lambda i: _flip(i, 2), {"upside-down", "slice-order-differs"}),
    "mirrored": (lambda i: _flip(i, 0), {"left-right-swapped"}),
    "turned": (lambda i: _flip(i, 1), {"back-to-front"}),
    "transposed": (lambda i: _changed(i, lambda a: a.swapaxes(0, 1)), {"axes-swapped"}),
    "turned by 90°": (lambda i: _changed(i, np.rot90), {"axes-swapped"}),
    "turned by 270°": (lambda i: _changed(i, lambda a: np.rot90(a, 3)), {"axes-swapped"}),
    "offset": (lambda i: with_hu(i, i.volume.hu - np.int16(40)), {"hu-offset", "window-differs"}),
    "constant": (
        lambda i: with_hu(i, np.zeros_like(i.volume.hu)),
        {"volume-constant", "enhancement-contradicts"},
    ),
    **{name: (lambda i, lost=lost: with_hu(i, lost(i.volume.hu)), codes) for name, (lost, codes) in LOST.items()},
    "liver empty": (lambda i: _mask(i, np.zeros_like), {"mask-empty"}),
    "liver half": (lambda i: _mask(i, _half_liver), {"liver-mask-small", "lesion-outside-liver"}),
    "liver gap": (lambda i: _mask(i, _gap), {"liver-mask-gap"}),
    "liver flipped": (
        lambda i: _mask(i, lambda v: v[::-1]),
        {"liver-mask-not-liver", "left-right-swapped", "lesion-outside-liver"},
    ),
    "lesion moved": (lambda i: _mask(i, _shift, which="lesion"), {"lesion-outside-liver"}),
    "lesion empty": (lambda i: _mask(i, np.zeros_like, which="lesion"), {"mask-empty"}),
    "far away": (
        lambda i: _moved(i, i.volume.grid.affine + np.array([[0, 0, 0, 0]] * 2 + [[0, 0, 0, 400.0]] + [[0] * 4])),
        {"phases-apart"},
    ),
}


@pytest.mark.parametrize("fault", SINGLE)
def test_one_damaged_volume(fault: str, one: Items, tmp_path: Path) -> None:
    change, expected = SINGLE[fault]
    path = write_plain(tmp_path, damaged(one, "P0417/C2", change))
    report = audit(path)
    found = set(report.counts) - ALWAYS
    if fault == "constant":
        assert "volume-constant" in found
    else:
        assert found == expected
    assert all(f.location.startswith("P0417") for f in report.findings if f.code not in ALWAYS)


def test_full_range_offset_is_proved_by_air_and_fat(full_range: Items, tmp_path: Path) -> None:
    items = [with_hu(i, i.volume.hu - np.int16(60)) for i in full_range if i.case == "P0417"]
    report = audit(write_plain(tmp_path, items))
    assert set(report.counts) - ALWAYS == {"hu-offset"}
    assert "-60 against HU" in report.of("hu-offset")[0].message or "-61" in report.of("hu-offset")[0].message


@pytest.mark.parametrize("fault", LOST)
def test_full_range_without_air_or_fat_in_place(fault: str, full_range: Items, tmp_path: Path) -> None:
    def change(hu: np.ndarray) -> np.ndarray:
        if fault.startswith("air"):
            return np.where(hu <= -600, int(fault.removeprefix("air is ")), hu).astype(np.int16)
        return LOST[fault][0](hu)

    items = [with_hu(i, change(i.volume.hu)) for i in full_range if i.case == "P0417"]
    report = audit(write_plain(tmp_path, items))
    assert report.counts["not-hu"] == 4
    assert report.has_errors


def test_wrong_slope_misplaces_fat(full_range: Items, tmp_path: Path) -> None:
    items = [with_hu(i, (i.volume.hu * 0.6).astype(np.int16)) for i in full_range if i.case == "P0417"]
    assert "air-fat-misplaced" in codes(write_plain(tmp_path, items))


def test_another_window(full_range: Items, one: Items, tmp_path: Path) -> None:
    wide = {i.location: replace(i, volume=window(i.volume, lower_hu=-150, upper_hu=250)) for i in full_range}
    items = damaged(one, "P0417/C3", lambda i: wide[i.location])
    assert codes(write_plain(tmp_path, items)) == {"window-differs"}


def _rewrite(path: Path, array: np.ndarray, affine: np.ndarray, **fields: bytes) -> None:
    image = nib.Nifti1Image(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    with path.open("r+b") as stream:  # nibabel leaves the file's own name and a time in the gzip header
        stream.seek(4)
        stream.write(b"\0\0\0\0")


def _ct(root: Path, item: Item) -> Path:
    return root / paths_of(item)[0]


def test_eight_bit_voxels(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    for item in one:
        eight = np.rint((item.volume.hu.astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)
        _rewrite(_ct(root, item), eight, item.volume.grid.affine)
    report = audit(root)
    assert set(report.counts) - ALWAYS == {"not-hu"}
    assert report.counts["not-hu"] == 4


def test_replicated_components(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    item = one[1]
    _rewrite(_ct(root, item), np.repeat(item.volume.hu[..., None], 3, axis=3), item.volume.grid.affine)
    assert codes(root) == {"components-replicated"}


def test_two_phases_in_one_file(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    item = one[1]
    both = np.stack([item.volume.hu, item.volume.hu[::-1]], axis=3)
    _rewrite(_ct(root, item), both, item.volume.grid.affine)
    assert codes(root) == {"four-dimensional"}


def test_forms_that_disagree(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    item = one[0]
    image = nib.Nifti1Image(item.volume.hu, item.volume.grid.affine)
    moved = item.volume.grid.affine.copy()
    moved[2, 3] += 30
    image.header.set_qform(moved, code=1)
    _save_raw(_ct(root, item), image)
    report = audit(root)
    assert set(report.counts) - ALWAYS == {"forms-disagree"}
    assert "30.0 mm" in report.of("forms-disagree")[0].message


def test_mask_values_and_size_and_grid(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    p, c1, c2, c3 = (root / (paths_of(item)[2] or "") for item in one)
    affine = one[0].volume.grid.affine
    _rewrite(p, one[0].liver.voxels.astype(np.uint8) * 255, affine)  # type: ignore[union-attr]
    assert codes(root) == {"mask-not-binary"}
    write_plain(root, one)
    _rewrite(c1, one[1].liver.voxels[:, :, :-2].astype(np.uint8), one[1].volume.grid.affine)  # type: ignore[union-attr]
    assert codes(root) == {"mask-size"}
    write_plain(root, one)
    moved = one[2].volume.grid.affine.copy()
    moved[2, 3] += 4.5
    _rewrite(c2, one[2].liver.voxels.astype(np.uint8), moved)  # type: ignore[union-attr]
    report = audit(root)
    assert set(report.counts) - ALWAYS == {"grid-differs"}
    assert "4.50 mm" in report.findings[0].message
    assert c3.is_file()


def test_swapped_labels(one: Items, tmp_path: Path) -> None:
    for first, second in (("P", "C1"), ("C1", "C2"), ("P", "C2"), ("C2", "C3"), ("C1", "C3")):
        other = {first: second, second: first}
        items = [replace(i, phase=Phase(other.get(i.phase.value, i.phase.value))) for i in one]
        root = write_plain(tmp_path / f"{first}{second}", items)
        assert codes(root) == {"enhancement-contradicts"}, (first, second)


def test_incomplete_subject_is_not_contradicted(one: Items, tmp_path: Path) -> None:
    for kept in ((1, 2, 3), (1, 2), (2, 3), (0, 3)):
        root = write_plain(tmp_path / str(kept), [one[n] for n in kept])
        assert codes(root) == {"phases-incomplete"}, kept


def test_same_phase_twice_is_a_duplicate(one: Items, tmp_path: Path) -> None:
    c2 = one[2]
    items = (*one[:3], replace(c2, phase=Phase.C3))
    report = audit(write_plain(tmp_path, items))
    assert set(report.counts) - ALWAYS == {"duplicate-volume"}
    assert report.of("duplicate-volume")[0].location == "P0417/C2 = P0417/C3"


def test_copies_under_another_name(clean: Items, tmp_path: Path) -> None:
    one = [i for i in clean if i.case == "P0417"]
    disguised = [
        replace(_flip(_moved(i, np.diag([-3.0, -3.0, 4.5, 1.0])), 2), case="P0999", age=44, sex=Sex.FEMALE) for i in one
    ]
    report = audit(write_plain(tmp_path, [*one, *disguised]))
    assert set(report.counts) - ALWAYS == {"duplicate-volume", "upside-down"}
    assert report.counts["duplicate-volume"] == 4


def test_near_duplicate_in_eight_bit(clean: Items, tmp_path: Path) -> None:
    one = [i for i in clean if i.case == "P0417"]
    root = write_plain(tmp_path, [*one, *(replace(i, case="P0999") for i in one)])
    for item in one:
        eight = np.rint((item.volume.hu.astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)
        _rewrite(_ct(root, replace(item, case="P0999")), eight, item.volume.grid.affine)
    report = audit(root)
    assert report.counts["near-duplicate"] == 4
    assert {f.location for f in report.of("near-duplicate")} == {f"P0417/{p} ~ P0999/{p}" for p in Phase}


def test_duplicates_in_another_release(clean: Items, full_range: Items, tmp_path: Path) -> None:
    mine = write_plain(tmp_path / "mine", [i for i in clean if i.case == "P0339"])
    theirs = write_plain(tmp_path / "theirs", [replace(i, case="S1") for i in full_range if i.case == "P0339"])
    others = write_plain(tmp_path / "others", [i for i in clean if i.case == "P0052"])
    report = audit(mine, against=theirs)
    assert report.counts["duplicate-elsewhere"] == 4
    assert "S1/" in report.of("duplicate-elsewhere")[0].message
    assert codes(mine, against=others) == set()


def test_phases_of_one_subject_in_both_releases_are_no_copies(clean: Items, tmp_path: Path) -> None:
    """A release against itself, under other names, and in 8 bit: one finding a volume, with its copy."""
    items = [i for i in clean if i.case == "P0339"]
    noise = np.random.default_rng(0).normal(0, 8, items[1].volume.hu.shape)
    alike = np.clip(items[1].volume.hu + noise, -200, 200).astype(np.int16)  # correlates by 0.92 with C1
    items[3] = replace(items[1], phase=Phase.C3, volume=Volume(hu=alike, grid=items[1].volume.grid))
    mine = write_plain(tmp_path / "mine", items)
    assert "near-duplicate" not in codes(mine)
    renamed = [replace(i, case="S1") for i in items]
    for name, others in (("same", items), ("renamed", renamed), ("eight", renamed)):
        theirs = write_plain(tmp_path / name, others)
        if name == "eight":
            for item in others:
                eight = np.rint((item.volume.hu.astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)
                _rewrite(_ct(theirs, item), eight, item.volume.grid.affine)
        found = audit(mine, against=theirs).of("duplicate-elsewhere")
        assert sorted(f.location for f in found) == sorted(i.location for i in items)
        assert all(f"/{f.location.split('/')[1]} of the other" in f.message for f in found)
    # Another phase of a subject of that name is a likeness, not a copy.
    late = write_plain(tmp_path / "late", items[3:])
    assert "duplicate-elsewhere" not in codes(write_plain(tmp_path / "early", items[:3]), against=late)


def test_lost_origins(clean: Items, tmp_path: Path) -> None:
    items = []
    for item in clean:
        affine = item.volume.grid.affine.copy()
        affine[:3, 3] = 0
        items.append(_moved(item, affine))
    assert codes(write_plain(tmp_path, items)) == {"frame-origin-lost"}


def test_wrong_spacings(one: Items, tmp_path: Path) -> None:
    def scaled(item: Item, *factors: float) -> Item:
        return _moved(item, item.volume.grid.affine @ np.diag([*factors, 1.0]))

    wide = [scaled(i, 1.6, 1.6, 1.0) for i in one]
    assert codes(write_plain(tmp_path / "wide", wide)) >= {"field-of-view", "liver-volume"}
    thick = [scaled(i, 1.0, 1.0, 3.0) for i in one]
    assert codes(write_plain(tmp_path / "thick", thick)) >= {"slice-spacing"}
    flat = [scaled(i, 1.0, 1.0, 0.3) for i in one]
    assert codes(write_plain(tmp_path / "flat", flat)) >= {"slice-spacing", "liver-volume"}
    mixed = damaged(one, "P0417/C3", lambda i: scaled(i, 1.0, 1.0, 1.5))
    assert "liver-volume-varies" in codes(write_plain(tmp_path / "mixed", mixed))


def test_unusable_affine(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    image = nib.Nifti1Image(one[0].volume.hu, None)
    image.header.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), code=1)
    _save_raw(_ct(root, one[0]), image)
    assert "geometry-unusable" in codes(root)


def _save_raw(path: Path, image: nib.Nifti1Image) -> None:
    header = image.header.copy()
    header["vox_offset"] = 352
    raw = header.binaryblock + b"\0\0\0\0" + np.asarray(image.dataobj).tobytes(order="F")
    path.write_bytes(gzip.compress(raw, mtime=0))


def test_files(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    ct = _ct(root, one[0])
    raw = ct.read_bytes()
    ct.write_bytes(raw[: len(raw) // 2])
    report = audit(root)
    assert "file-corrupt" in report.counts
    assert str(tmp_path) not in report.of("file-corrupt")[0].message
    ct.write_bytes(b"")
    assert "file-corrupt" in codes(root)
    ct.write_bytes(b"not an image at all")
    assert "file-corrupt" in codes(root)
    ct.unlink()
    assert codes(root) >= {"file-missing"}
    ct.write_bytes(raw)
    (root / "ct_files" / "left_over.nii.gz").write_bytes(raw)
    assert codes(root) == {"file-unlisted"}


def test_header_leaks(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path, one)
    item = one[0]
    ct = _ct(root, item)
    _rewrite(ct, item.volume.hu, item.volume.grid.affine, descrip=b"converted")
    assert codes(root) == {"header-text"}
    _rewrite(ct, item.volume.hu, item.volume.grid.affine, aux_file=b"Zhang^San 1961-02-03", intent_name=b"x")
    report = audit(root)
    assert set(report.counts) - ALWAYS == {"header-text", "header-identifier"}
    assert all("Zhang" not in f.message and "1961" not in f.message for f in report.findings)
    image = nib.Nifti1Image(item.volume.hu, item.volume.grid.affine)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"anything"))
    nib.save(image, ct)
    assert codes(root) == {"header-extension"}
    write_plain(root, one)
    raw = gzip.decompress(ct.read_bytes())
    with ct.open("wb") as stream, gzip.GzipFile("somebody.nii", "wb", fileobj=stream, mtime=1_600_000_000) as packed:
        packed.write(raw)
    report = audit(root)
    assert set(report.counts) - ALWAYS == {"gzip-name-time"}
    assert report.of("gzip-name-time")[0].message == "gzip file holds name, time"


def test_table_cells(one: Items, tmp_path: Path) -> None:
    root = tmp_path
    write_table(root, one)
    table = root / "patient_data.csv"
    text = table.read_text()
    table.write_text(text.replace('61,"male","C1"', '62,"female","C1"'))
    report = audit(root)
    assert "differ in age, sex" in report.of("subject-contradicts")[0].message
    table.write_text(text.replace("61,", "161,"))
    assert "age-implausible" in codes(root)
    table.write_text(text.replace("61,", "old,"))
    assert codes(root) == {"table-cell", "age-missing", "images-absent"}
    table.write_text(text.replace('"male"', "NA"))
    assert codes(root) == {"sex-missing", "images-absent"}
    lines = text.splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    assert codes(root) == {"phases-incomplete", "images-absent"}
    table.write_text("".join([*lines, lines[-1]]))
    assert codes(root) >= {"row-duplicated", "path-shared"}
    table.write_text(text.replace('"HCC"', '"CN"'))
    assert codes(root) == {"control-with-lesion", "images-absent"}


def test_control_with_drawn_lesion(one: Items, tmp_path: Path) -> None:
    items = [replace(i, diagnosis=Diagnosis.CN) for i in one]
    assert codes(write_plain(tmp_path, items)) == {"control-with-lesion"}


def test_cancer_without_lesion_mask(one: Items, tmp_path: Path) -> None:
    assert codes(write_plain(tmp_path, [replace(i, lesion=None) for i in one])) == {"cancer-without-lesion"}


def test_path_names_the_diagnosis(one: Items, tmp_path: Path) -> None:
    other = [replace(i, case="P0100", diagnosis=Diagnosis.CN, lesion=None) for i in one]
    root = tmp_path
    write_table(root, [*one, *other])
    table = root / "patient_data.csv"
    text = table.read_text()
    table.write_text(text.replace("ct_files/P0417", "HCC/P0417"))
    report = audit(root)
    assert set(report.counts) == {"path-reveals-diagnosis", "images-absent"}
    assert {f.location.split("_")[0] for f in report.of("path-reveals-diagnosis")} == {"HCC/P0417"}
    # A word that every path has tells nobody which image is which.
    table.write_text(text.replace("ct_files/", "Liver Cancer CT/"))
    assert set(audit(root).counts) == {"images-absent"}


@pytest.mark.parametrize("sort", ["ids", "rows", "random", "drift"])
def test_order_of_subjects(sort: str, one: Items, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    kinds = [Diagnosis.HCC] * 10 + [Diagnosis.ICC] * 10 + [Diagnosis.CN] * 10
    names = [f"P{n:04d}" for n in (range(30) if sort == "ids" else rng.permutation(30))]
    pairs = list(zip(names, kinds, strict=True))
    if sort == "random":
        pairs.sort()
    if sort == "drift":  # as many runs as chance makes, but cancers first and controls last
        early, late = [Diagnosis.HCC, Diagnosis.ICC, Diagnosis.HCC], [Diagnosis.CN, Diagnosis.ICC, Diagnosis.CN]
        pairs = list(zip(sorted(names), [*early * 5, *late * 5], strict=True))
    ages = [int(age) for age in rng.normal(55, 9, 30)]
    items = [
        replace(i, case=name, diagnosis=kind, age=age, lesion=i.lesion if kind.is_cancer else None)
        for (name, kind), age in zip(pairs, ages, strict=True)
        for i in one
    ]
    write_table(tmp_path, items)
    by_id = {"id-reveals-diagnosis"}
    expected = {"ids": by_id, "rows": {"order-reveals-diagnosis"}, "random": set(), "drift": by_id}[sort]
    assert codes(tmp_path) - {"age-sex-confounded"} == expected | {"images-absent"}


class TestOurs:
    """Claims of our own layout, each broken alone."""

    @pytest.fixture
    def root(self, one: Items, tmp_path: Path) -> Path:
        return write_ours(tmp_path / "release", one)

    @staticmethod
    def found(root: Path, *, sealed: bool = True) -> set[str]:
        if sealed:
            reseal(root)
        return set(audit(root).counts)

    def test_clean(self, root: Path) -> None:
        assert self.found(root, sealed=False) == set()

    def test_changed_byte(self, root: Path) -> None:
        (root / "README.md").write_text("# changed\n")
        assert self.found(root, sealed=False) == {"checksum-differs"}

    def test_file_not_in_manifest(self, root: Path) -> None:
        (root / "notes.txt").write_text("x")
        assert self.found(root, sealed=False) == {"checksum-missing", "file-unlisted"}

    def test_file_of_manifest_gone(self, root: Path) -> None:
        (root / "README.md").unlink()
        assert self.found(root, sealed=False) == {"file-missing", "contract-broken"}

    def test_geometry_table(self, root: Path) -> None:
        table = root / "geometry.csv"
        table.write_text(table.read_text().replace(",4.5,", ",5.0,", 1))
        report_codes = self.found(root)
        assert report_codes == {"geometry-table-differs"}

    def test_lesion_table(self, root: Path) -> None:
        table = root / "lesions.csv"
        lines = table.read_text().splitlines(keepends=True)
        table.write_text("".join(lines[:-1]))
        assert self.found(root) == {"lesion-table-differs"}

    def test_table1(self, root: Path) -> None:
        table = root / "table1.csv"
        table.write_text(table.read_text().replace("61.00", "60.00", 1))
        assert self.found(root) == {"table1-differs"}

    def test_splits(self, root: Path) -> None:
        table = root / "splits.csv"
        table.write_text(table.read_text().replace("P0417", "P0418"))
        assert self.found(root) == {"split-leaks"}

    def test_window_claim(self, root: Path) -> None:
        table = root / "geometry.csv"
        table.write_text(table.read_text().replace(",-200,200,-200,200,", ",-100,100,-200,200,", 1))
        assert self.found(root) == {"window-claim"}

    def test_unbalanced_folds(self, tmp_path: Path, one: Items) -> None:
        from quadphase.audit.checks.release import splits
        from quadphase.audit.contexts import ReleaseContext
        from quadphase.io.release import Release

        names = [f"P{n:04d}" for n in range(24)]
        kinds = [Diagnosis.HCC] * 12 + [Diagnosis.ICC] * 12
        items = [replace(one[0], case=name, diagnosis=kind) for name, kind in zip(names, kinds, strict=True)]
        write_table(tmp_path, items)

        def found(fold_of: Callable[[int], int]) -> set[str]:
            rows = "".join(f'"{name}",{fold_of(n)}\r\n' for n, name in enumerate(names))
            (tmp_path / "splits.csv").write_text(f'"patient_id","fold"\r\n{rows}')
            context = ReleaseContext(release=Release(tmp_path), volumes=(), files=frozenset({"splits.csv"}))
            return {finding.code for finding in splits.check(context)}

        assert found(lambda n: n % 3) == set()
        assert found(lambda n: n // 8) == {"split-unbalanced"}

    def test_required_file(self, root: Path) -> None:
        (root / "LICENSE").unlink()
        assert self.found(root) == {"contract-broken"}

    def test_stated_number_of_images(self, root: Path) -> None:
        path = root / "dataset_description.json"
        path.write_text(path.read_text().replace('"images": 4', '"images": 5'))
        assert self.found(root) == {"contract-broken"}

    def test_foreign_header(self, root: Path, one: Items) -> None:
        _rewrite(_ct(root, one[0]), one[0].volume.hu, one[0].volume.grid.affine)  # sform code 2, as nibabel writes
        assert self.found(root) == {"contract-broken"}

    def test_truncated_volume_is_not_a_traceback(self, root: Path) -> None:
        ct = root / "ct_files" / "P0417_ct_P.nii.gz"
        ct.write_bytes(ct.read_bytes()[:1000])
        assert self.found(root, sealed=False) >= {"file-corrupt", "checksum-differs"}
