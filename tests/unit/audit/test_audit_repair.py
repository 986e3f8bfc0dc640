"""Round trip: a release damaged as the published one, repaired with a table of spacings, is the original again."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.audit.repair import repair
from quadphase.audit.repair import run as repair_run
from quadphase.audit.repair.axes import AxisSigns
from quadphase.audit.repair.geometry import turned_grid
from quadphase.errors import InputError, OutputError
from quadphase.io.nifti import load_mask, load_volume, save_volume
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Phase, Volume

from .conftest import Item, paths_of, with_hu, write_ours, write_plain

Items = tuple[Item, ...]


def damage(root: Path, items: Items, *, turned: Phase = Phase.C2) -> Path:
    """Nominal header, most volumes upside-down, 8 bit, one phase in the other order, a 4-D file."""
    write_plain(root, items)
    for item in items:
        ct, lesion, liver = paths_of(item)
        order = slice(None) if item.phase is turned else slice(None, None, -1)
        eight = np.rint((item.volume.hu.astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)[:, :, order]
        if item.phase is Phase.C3:
            eight = np.repeat(eight[..., None], 3, axis=3)
        nib.save(nib.Nifti1Image(eight, np.eye(4)), root / ct)
        for path, mask in ((lesion, item.lesion), (liver, item.liver)):
            if path is not None and mask is not None:
                nib.save(nib.Nifti1Image(mask.voxels[:, :, order].astype(np.uint8), np.eye(4)), root / path)
    return root


def spacing_table(path: Path, items: Items, *, origins: bool = True, phases: tuple[Phase, ...] = tuple(Phase)) -> Path:
    header = ["patient_id", "phase", "spacing_i_mm", "spacing_j_mm", "slice_spacing_mm"]
    rows = []
    for item in items:
        if item.phase in phases:
            grid = item.volume.grid
            row = [item.case, item.phase.value, *grid.spacing_mm]
            rows.append([*row, *grid.origin_mm] if origins else row)
    path.write_text(format_csv(header + (["origin_x_mm", "origin_y_mm", "origin_z_mm"] if origins else []), rows))
    return path


@pytest.fixture(scope="session")
def one(clean: Items) -> Items:
    return tuple(item for item in clean if item.case == "P0417")


@pytest.fixture(scope="session")
def flawed(one: Items, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damage(tmp_path_factory.mktemp("flawed") / "release", one)


def provenance(out: Path) -> list[dict[str, str]]:
    with (out / "provenance.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_round_trip_with_a_full_table(one: Items, flawed: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in flawed.rglob("*") if path.is_file()}
    out = tmp_path / "fixed"
    report = repair(flawed, out, spacing=spacing_table(tmp_path / "spacing.csv", one))
    for item in one:
        ct, lesion, liver = paths_of(item)
        fixed = load_volume(out / ct)
        assert fixed.grid.is_close(item.volume.grid), item.phase
        assert np.abs(fixed.hu.astype(int) - item.volume.hu).max() <= 1
        for path, mask in ((lesion, item.lesion), (liver, item.liver)):
            assert path is not None
            assert mask is not None
            assert np.array_equal(load_mask(out / path).voxels, mask.voxels)
    assert set(audit(out).counts) == set()
    assert {path: path.read_bytes() for path in flawed.rglob("*") if path.is_file()} == before
    assert report.counts()["repaired"] == {"components": 1, "orientation": 4, "origin": 4, "spacing": 4, "values": 4}
    assert {line["location"] for line in provenance(out) if line["what"] == "values"} == {i.location for i in one}
    assert all("8-bit steps" in line["uncertainty"] for line in provenance(out) if line["what"] == "values")
    assert not list(tmp_path.glob(".tmp-*"))


def test_without_origins_phases_are_laid_over_each_other(one: Items, flawed: Path, tmp_path: Path) -> None:
    out = tmp_path / "fixed"
    repair(flawed, out, spacing=spacing_table(tmp_path / "spacing.csv", one, origins=False))
    heights = []
    for item in one:
        fixed = load_volume(out / paths_of(item)[0])
        assert np.allclose(fixed.grid.spacing_mm, item.volume.grid.spacing_mm)
        assert fixed.grid.axis_codes == item.volume.grid.axis_codes
        middle = (np.array(fixed.grid.shape) - 1) / 2
        heights.append(fixed.grid.world_from_index(middle)[2] - item.volume.grid.world_from_index(middle)[2])
    # Breathing in the phantom is up to 9 mm between phases: matching follows the organ, not the scanner.
    assert np.ptp(heights) < 12
    assert set(audit(out).counts) == set()
    assert {line["status"] for line in provenance(out) if line["what"] == "origin"} == {"assumed"}


def lose_origin(root: Path, item: Item) -> None:
    """The header of one phase, image and masks, says nothing any more."""
    for path in paths_of(item):
        voxels = np.asarray(nib.load(root / str(path)).dataobj)
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), root / str(path))


def middle_mm(volume: Volume) -> np.ndarray:
    return np.asarray(volume.grid.world_from_index((np.array(volume.grid.shape) - 1) / 2))


@pytest.mark.parametrize("lost", [Phase.P, Phase.C1, Phase.C3])
def test_a_lost_phase_is_laid_over_a_sibling_that_kept_its_place(lost: Phase, one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "release", one)
    (item,) = (item for item in one if item.phase is lost)
    lose_origin(root, item)
    out = tmp_path / "out"
    repair(root, out, spacing=spacing_table(tmp_path / "spacing.csv", one, origins=False, phases=(lost,)))
    apart = middle_mm(load_volume(out / paths_of(item)[0])) - middle_mm(item.volume)
    assert np.abs(apart[:2]).max() < 0.01
    assert abs(apart[2]) < 12  # breathing, and a slice
    (line,) = [line for line in provenance(out) if line["what"] == "origin"]
    assert line["status"] == "assumed"
    sibling = line["basis"].split("as in ")[1].split(",")[0]
    assert sibling != lost.value
    assert f"relative to {sibling} ±4.5 mm along z" in line["uncertainty"]
    assert set(audit(out).counts) == set()


def test_an_origin_the_table_gives_anchors_the_siblings(one: Items, flawed: Path, tmp_path: Path) -> None:
    """Nominal phases of which the table knows one: the others follow it into the scanner."""
    table = spacing_table(tmp_path / "spacing.csv", one)
    rows = [line.split(",") for line in table.read_text().splitlines()]
    rows[1:] = [row if "C2" in row[1] else [*row[:5], "NA", "NA", "NA"] for row in rows[1:]]
    table.write_text("\n".join(",".join(row) for row in rows) + "\n")
    out = tmp_path / "out"
    repair(flawed, out, spacing=table)
    for item in one:
        apart = middle_mm(load_volume(out / paths_of(item)[0])) - middle_mm(item.volume)
        assert np.abs(apart[:2]).max() < 0.01, item.phase
        assert abs(apart[2]) < 15, item.phase
    basis = {line["location"][-2:]: line["basis"] for line in provenance(out) if line["what"] == "origin"}
    assert basis.pop("C2") == "given by the table"
    assert all("as in C2" in words for words in basis.values())


def test_a_match_is_claimed_only_where_there_is_one(one: Items, tmp_path: Path) -> None:
    """Noise instead of a picture: its slices match nothing, and the line says so."""
    noise = np.random.default_rng(0).integers(-200, 200, one[1].volume.grid.shape).astype(np.int16)
    items = (one[0], with_hu(one[1], noise), *one[2:])
    root = write_plain(tmp_path / "release", items)
    lose_origin(root, items[1])
    out = tmp_path / "out"
    repair(root, out, spacing=spacing_table(tmp_path / "spacing.csv", one, origins=False, phases=(Phase.C1,)))
    (line,) = [line for line in provenance(out) if line["what"] == "origin"]
    assert "match no sibling" in line["basis"]
    assert line["uncertainty"] == "unknown, also relative to P, C2, C3"
    assert np.abs(middle_mm(load_volume(out / paths_of(one[1])[0]))).max() < 0.01


def test_spacing_of_siblings_is_matched(one: Items, flawed: Path, tmp_path: Path) -> None:
    table = spacing_table(tmp_path / "spacing.csv", one, origins=False, phases=(Phase.C2,))
    out = tmp_path / "fixed"
    repair(flawed, out, spacing=table, estimate=True)
    for item in one:
        k = load_volume(out / paths_of(item)[0]).grid.spacing_mm[2]
        assert k == pytest.approx(item.volume.grid.spacing_mm[2], rel=0.06), item.phase
    assumed = [line for line in provenance(out) if line["what"] == "spacing" and line["status"] == "assumed"]
    assert len(assumed) == 3
    assert all("matched to C2" in line["basis"] and "%" in line["uncertainty"] for line in assumed)


def test_exchanged_axes_are_exchanged_back(one: Items, tmp_path: Path) -> None:
    """One phase transposed, under a header that is right and under a nominal one; its siblings tell nothing of it."""
    item = one[1]
    for name, affine in (("true", item.volume.grid.affine), ("nominal", np.eye(4))):
        root = write_plain(tmp_path / name, one)
        for path, array in zip(
            paths_of(item),
            (item.volume.hu, item.lesion.voxels, item.liver.voxels),  # type: ignore[union-attr]
            strict=True,
        ):
            turned = array.swapaxes(0, 1)
            nib.save(
                nib.Nifti1Image(turned if turned.dtype == np.int16 else turned.astype(np.uint8), affine),
                root / str(path),
            )
        out = tmp_path / f"{name}-fixed"
        repair(root, out, spacing=spacing_table(tmp_path / "spacing.csv", one))
        (line,) = [line for line in provenance(out) if line["what"] == "orientation"]
        assert "rows and columns exchanged" in line["after"]
        fixed = load_volume(out / paths_of(item)[0])
        assert fixed.grid.is_close(item.volume.grid), name
        assert np.array_equal(fixed.hu, item.volume.hu)
        assert set(audit(out).counts) == set()


def test_exchanged_axes_take_their_spacing_along() -> None:
    grid = Grid((4, 4, 2), np.diag([-2.0, -3.0, 5.0, 1.0]))
    signs = AxisSigns(right=1, front=1, head=1, exchanged=True, unknown=(), basis="")
    turned = turned_grid(grid, signs, (3.0, 2.0, 5.0))
    assert np.allclose(turned.affine[:3, :3], [[0, -2, 0], [-3, 0, 0], [0, 0, 5]])


def test_estimates_state_their_uncertainty(one: Items, flawed: Path, tmp_path: Path) -> None:
    out = tmp_path / "fixed"
    repair(flawed, out, estimate=True)
    lines = [line for line in provenance(out) if line["what"] == "spacing"]
    assert {line["status"] for line in lines} == {"assumed"}
    assert all("field of view of 400 mm" in line["basis"] for line in lines)
    for item in one:
        spacing = load_volume(out / paths_of(item)[0]).grid.spacing_mm
        assert spacing[0] == pytest.approx(400 / 128)
        assert spacing[2] == pytest.approx(item.volume.grid.spacing_mm[2], rel=0.3)


def test_silent_table_leaves_spacing_and_says_so(flawed: Path, tmp_path: Path) -> None:
    out = tmp_path / "fixed"
    report = repair(flawed, out)
    assert report.counts()["left"]["spacing"] == 4
    codes = set(audit(out).counts)
    assert "geometry-nominal" in codes
    assert codes.isdisjoint({"upside-down", "slice-order-differs", "not-hu", "components-replicated"})


def test_offsets_of_hu(one: Items, full_range: Items, tmp_path: Path) -> None:
    full = [i for i in full_range if i.case == "P0417"]
    for name, items, exact in (("window", one, True), ("full", full, False)):
        root = write_plain(tmp_path / name, [with_hu(i, i.volume.hu - np.int16(40)) for i in items])
        out = tmp_path / f"{name}-fixed"
        repair(root, out)
        assert "hu-offset" not in audit(out).counts
        for item in items:
            difference = load_volume(out / paths_of(item)[0]).hu.astype(int) - item.volume.hu
            assert np.ptp(difference) == 0
            assert abs(difference.flat[0]) <= (0 if exact else 6)


def test_clean_release_is_copied_byte_for_byte(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "clean", one)
    out = tmp_path / "same"
    report = repair(root, out)
    assert report.counts()["repaired"] == {}
    for item in one:
        for path in paths_of(item):
            assert path is not None
            assert (out / path).read_bytes() == (root / path).read_bytes()


def test_what_cannot_be_repaired_is_left(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "release", one)
    item = one[1]
    both = np.stack([item.volume.hu, item.volume.hu[::-1]], axis=3)
    ct = root / paths_of(item)[0]
    nib.save(nib.Nifti1Image(both, item.volume.grid.affine), ct)
    out = tmp_path / "out"
    repair(root, out)
    assert (out / paths_of(item)[0]).read_bytes() == ct.read_bytes()
    left = [line for line in provenance(out) if line["location"] == "P0417/C1"]
    assert [line["status"] for line in left] == ["left"]
    assert "different components" in left[0]["basis"]


def test_interrupted_repair_goes_on(clean: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = [replace(i, volume=i.volume) for i in clean if i.case in ("P0417", "P0052")]
    root = damage(tmp_path / "release", tuple(two))
    out = tmp_path / "out"
    real, calls = repair_run.repair_case, []

    def breaks(job: object) -> object:
        calls.append(job)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(job)  # type: ignore[arg-type]

    monkeypatch.setattr(repair_run, "repair_case", breaks)
    with pytest.raises(KeyboardInterrupt):
        repair(root, out)
    assert not out.exists()
    monkeypatch.setattr(repair_run, "repair_case", real)
    report = repair(root, out)
    assert report.resumed == 1
    whole = repair(root, tmp_path / "again")
    assert (out / "checksums.sha256").read_bytes() == (tmp_path / "again" / "checksums.sha256").read_bytes()
    assert whole.resumed == 0


def test_refusals(flawed: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    for text, code in (
        ("a,b\n1,2\n", "missing-column"),
        ("patient_id,phase,slice_spacing_mm\nP0417,C1,-3\n", "bad-cell"),
        ("patient_id,phase,slice_spacing_mm\nP0417,X,3\n", "bad-cell"),
        ("patient_id,phase,slice_spacing_mm\nP0417,C1,3\nP0417,C1,3\n", "row-duplicated"),
        ("patient_id,phase,slice_spacing_mm\nQ1,C1,3\n", "unknown-subject"),
    ):
        table.write_text(text)
        with pytest.raises(InputError) as caught:
            repair(flawed, tmp_path / "out", spacing=table)
        assert caught.value.code == code
    with pytest.raises(InputError, match="inside"):
        repair(flawed, flawed / "out")
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError):
        repair(flawed, tmp_path / "there")
    assert not (tmp_path / "out").exists()


def test_json_is_plain(flawed: Path, tmp_path: Path) -> None:
    report = repair(flawed, tmp_path / "out")
    value = json.loads(json.dumps(report.to_dict()))
    assert set(value) == {"format", "out", "images", "resumed_subjects", "counts", "lines"}


def test_text_in_a_mask_header_is_wiped(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "release", one)
    leaky = root / str(paths_of(one[1])[2])
    raw = bytearray(gzip.decompress(leaky.read_bytes()))
    raw[148:160] = b"ZHANG^WEI 19"  # descrip
    leaky.write_bytes(gzip.compress(bytes(raw), mtime=0))
    out = tmp_path / "out"
    report = repair(root, out)
    assert report.counts()["repaired"] == {"header": 1}
    assert [line["location"] for line in provenance(out) if line["what"] == "header"] == ["P0417/C1/liver"]
    assert b"ZHANG" not in gzip.decompress((out / leaky.relative_to(root)).read_bytes())
    assert b"ZHANG" not in (out / "provenance.csv").read_bytes()
    assert set(audit(out).counts) == set()
    for item in (one[0], *one[2:]):
        for path in paths_of(item):
            assert (out / str(path)).read_bytes() == (root / str(path)).read_bytes()


def test_a_table_that_repeats_the_header_repairs_nothing(one: Items, tmp_path: Path) -> None:
    items = []
    for item in one:
        affine = item.volume.grid.affine @ np.diag([1.0123456, 1.0123456, 1.0012345, 1.0])
        grid = Grid(item.volume.grid.shape, affine)
        masks = {
            name: Mask(voxels=getattr(item, name).voxels, grid=grid)
            for name in ("liver", "lesion")
            if getattr(item, name) is not None
        }
        items.append(replace(item, volume=Volume(hu=item.volume.hu, grid=grid), **masks))
    root = write_ours(tmp_path / "release", items)
    assert "3.1636" in (root / "geometry.csv").read_text()  # 3.16358: the table has fewer digits than the header
    out = tmp_path / "out"
    report = repair(root, out, spacing=root / "geometry.csv")
    assert report.counts()["repaired"] == {}
    for item in items:
        for path in paths_of(item):
            assert (out / str(path)).read_bytes() == (root / str(path)).read_bytes()


def test_a_table_that_moves_a_volume_is_followed(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "release", one)
    x, y, z = one[1].volume.grid.origin_mm
    table = tmp_path / "spacing.csv"
    si, sj, sk = one[1].volume.grid.spacing_mm
    table.write_text(
        "patient_id,phase,spacing_i_mm,spacing_j_mm,slice_spacing_mm,origin_x_mm,origin_y_mm,origin_z_mm\n"
        f"P0417,C1,{si},{sj},{sk},{x},{y},{z + 7}\n"
    )
    out = tmp_path / "out"
    assert repair(root, out, spacing=table).counts()["repaired"] == {"origin": 1}
    (line,) = [line for line in provenance(out) if line["what"] == "origin"]
    assert line["before"] != line["after"]
    assert load_volume(out / paths_of(one[1])[0]).grid.origin_mm[2] == pytest.approx(z + 7)


def interrupted(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repair that wrote everything but its last step."""
    real = repair_run._finish

    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repair_run, "_finish", breaks)
    with pytest.raises(KeyboardInterrupt):
        repair(root, out)
    monkeypatch.setattr(repair_run, "_finish", real)


def test_an_unfinished_copy_of_the_same_inputs_goes_on(
    flawed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(flawed, tmp_path / "out", monkeypatch)
    settings = (tmp_path / ".tmp-out" / ".repair" / "settings.json").read_text()
    assert str(flawed) not in settings
    assert repair(flawed, tmp_path / "out").resumed == 1


@pytest.mark.parametrize("other", ["folder", "image", "software"])
def test_an_unfinished_copy_of_something_else_starts_anew(
    other: str, one: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release with the same table must not be taken for the one that was begun."""
    root = write_plain(tmp_path / "release", one)
    interrupted(root, tmp_path / "out", monkeypatch)
    if other == "folder":
        root = Path(shutil.copytree(root, tmp_path / "another"))
    if other == "software":
        monkeypatch.setattr(repair_run, "__version__", "0.0.1")
    else:
        changed = with_hu(one[1], one[1].volume.hu // 2 * 2)
        save_volume(root / paths_of(one[1])[0], changed.volume)
    assert repair(root, tmp_path / "out").resumed == 0
    path = paths_of(one[1])[0]
    assert (tmp_path / "out" / path).read_bytes() == (root / path).read_bytes()


def test_names_that_look_alike_are_not_mixed_up(one: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [replace(i, case=case) for case in ("P 1", "P_1") for i in one[:1]]
    root = write_plain(tmp_path / "release", items)
    interrupted(root, tmp_path / "out", monkeypatch)
    assert len(list((tmp_path / ".tmp-out" / ".repair").glob("[0-9]*.json"))) == 2
    assert repair(root, tmp_path / "out").resumed == 2


def test_lost_air_is_left_and_said(one: Items, tmp_path: Path) -> None:
    zeroed = [with_hu(i, np.where(i.volume.hu <= -190, 0, i.volume.hu).astype(np.int16)) for i in one]
    root = write_plain(tmp_path / "release", zeroed)
    out = tmp_path / "out"
    assert repair(root, out).counts()["repaired"] == {}
    reasons = [line["basis"] for line in provenance(out) if line["what"] == "values"]
    assert len(reasons) == 4
    assert all("border of the plane" in reason for reason in reasons)
    assert np.array_equal(load_volume(out / paths_of(one[0])[0]).hu, zeroed[0].volume.hu)


def test_voxels_that_are_no_hu_are_left(one: Items, tmp_path: Path) -> None:
    root = write_plain(tmp_path / "release", one)
    arrays = {
        "C1": np.where(one[1].volume.hu > 150, np.nan, one[1].volume.hu).astype(np.float32),
        "C2": np.where(one[2].volume.hu > 100, np.int32(2**30), one[2].volume.hu.astype(np.int32)),
    }
    for item in one[1:3]:
        nib.save(nib.Nifti1Image(arrays[item.phase.value], item.volume.grid.affine), root / paths_of(item)[0])
    out = tmp_path / "out"
    assert repair(root, out).counts()["left"]["file"] == 3
    reasons = {line["location"]: line["basis"] for line in provenance(out) if line["what"] == "file"}
    assert "not finite" in reasons["P0417/C1"]
    assert "int16" in reasons["P0417/C2"]
    for item in one[1:3]:
        assert (out / paths_of(item)[0]).read_bytes() == (root / paths_of(item)[0]).read_bytes()
