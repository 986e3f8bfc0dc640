"""Claims of our own layout that are wrong while every checksum is right: each is found, and nothing else is said."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.io.hashing import parse_checksums
from quadphase.io.nifti import load_mask, load_volume, save_mask, save_volume
from quadphase.model import Mask, Volume

from .conftest import Item, paths_of, reseal, write_ours

Items = tuple[Item, ...]


def edit(root: Path, name: str, change: Callable[[str], str]) -> None:
    path = root / name
    text = path.read_bytes().decode("utf-8")
    changed = change(text)
    assert changed != text
    path.write_bytes(changed.encode("utf-8"))


def describe(root: Path, file: str = "dataset_description.json", /, **entries: Any) -> None:
    path = root / file
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **entries}), "utf-8")


def found(root: Path, *, sealed: bool = True) -> dict[str, int]:
    if sealed:
        reseal(root)
    return audit(root).counts


def test_clean(root: Path) -> None:
    assert found(root) == {}


TABLE1: dict[str, Callable[[str], str]] = {
    "values deleted": lambda t: re.sub(r"(?m)^(  Lesion volume[^,]*),.*$", r"\1", t),
    "N wrong": lambda t: t.replace("N = 1", "N = 11", 1),
    "percentage": lambda t: t.replace("(100.0)", "(10.0)", 1),
    "range": lambda t: re.sub(r"\((\d[\d.]*), [\d.]+\)\"", r'(\1, 8888888)"', t),
    "value where none applies": lambda t: t.replace("—", "77 (99.0)", 1),
    "value made none": lambda t: re.sub(r"(?m)^(Total number of CT slices \(N\)),\d+", r"\1,—", t),
    "denominator": lambda t: t.replace("(100.0)", "(100.0) of 1 known", 1),
    "row doubled": lambda t: t + t.splitlines(keepends=True)[-1],
    "row removed": lambda t: "".join(t.splitlines(keepends=True)[:-1]),
    "label": lambda t: t.replace("Arterial Phase", "Venous Phase", 1),
    "last digit": lambda t: t.replace("61.00 [61.00", "61.01 [61.00", 1),
    "emptied": lambda t: t[:0],
    "no table": lambda t: '"' + t,
}


@pytest.mark.parametrize("fault", TABLE1)
def test_table1(fault: str, root: Path) -> None:
    edit(root, "table1.csv", TABLE1[fault])
    assert set(found(root)) == {"table1-differs"}


def test_table1_in_the_words_of_the_paper(root: Path) -> None:
    from quadphase.io.release_rows import load_rows
    from quadphase.release.table1_text import render_table1
    from quadphase.statistics.measures import stored_measures
    from quadphase.statistics.table1 import compute_table1

    rows, _ = load_rows(root / "patient_data.csv")
    table = compute_table1(rows, stored_measures(root), convention="paper")
    (root / "table1.csv").write_text(render_table1(table, "csv"), newline="")
    assert found(root) == {}
    edit(root, "table1.csv", lambda t: t.replace("Slices per patient", "Slices per image"))
    assert set(found(root)) == {"table1-differs"}


def test_table1_beside_an_unreadable_volume(root: Path) -> None:
    (root / "ct_files" / "P0417_ct_C1.nii.gz").write_bytes(b"nothing")
    assert "table1-differs" not in found(root)
    for name in ("geometry.csv", "lesions.csv"):
        (root / name).unlink()
    assert "table1-differs" not in found(root)


GEOMETRY: dict[str, tuple[Callable[[str], str], str]] = {
    "header only": (lambda t: t.splitlines(keepends=True)[0], "geometry-table-differs"),
    "row twice": (lambda t: t + t.splitlines(keepends=True)[-1], "geometry-table-differs"),
    "data type": (lambda t: t.replace('"int16"', '"float32"', 1), "geometry-table-differs"),
    "source slices": (lambda t: t.replace(",52,0,", ",5,0,", 1), "geometry-table-differs"),
    "wide window": (lambda t: t.replace(",-200,200,-200,200,", ",-1000,1000,-200,200,"), "window-claim"),
    "narrow window": (lambda t: t.replace(",-200,200,-200,200,", ",-100,100,-200,200,", 1), "window-claim"),
    "one wide window": (lambda t: t.replace(",-200,200,-200,200,", ",-1000,1000,-200,200,", 1), "window-claim"),
    "no window": (lambda t: t.replace(",-200,200,-200,200,", ",NA,NA,-200,200,"), "window-claim"),
    "half a window": (lambda t: t.replace(",-200,200,-200,200,", ",NA,200,-200,200,"), "window-claim"),
}


@pytest.mark.parametrize("fault", GEOMETRY)
def test_geometry_table(fault: str, root: Path) -> None:
    change, code = GEOMETRY[fault]
    edit(root, "geometry.csv", change)
    assert set(found(root)) - {"table1-differs"} == {code}


DESCRIPTION: dict[str, tuple[dict[str, Any], str]] = {
    "window": ({"window_hu": [-1000, 3000]}, "window-claim"),
    "window none": ({"window_hu": None}, "window-claim"),
    "window text": ({"window_hu": "wide"}, "window-claim"),
    "margin": ({"margin_mm": 99}, "contract-broken"),
    "margin text": ({"margin_mm": "none"}, "contract-broken"),
    "license": ({"license": "MIT-0"}, "contract-broken"),
    "license null": ({"license": None}, "contract-broken"),
    "few folds": ({"splits": {"folds": 1, "seed": 0}}, "split-leaks"),
    "splits text": ({"splits": "random"}, "contract-broken"),
    "readers": ({"readers": 12}, "contract-broken"),
    "name null": ({"name": None}, "contract-broken"),
    "name": ({"name": "another"}, "contract-broken"),
    "version": ({"version": "7.0.0"}, "contract-broken"),
    "specification": ({"specification": {"name": "quadphase-release", "version": "7"}}, "contract-broken"),
    "specification null": ({"specification": None}, "contract-broken"),
    "software": ({"generated_by": "me"}, "contract-broken"),
    "subjects": ({"subjects": 3}, "contract-broken"),
    "images text": ({"images": "8"}, "contract-broken"),
}


@pytest.mark.parametrize("fault", DESCRIPTION)
def test_description(fault: str, root: Path) -> None:
    entries, code = DESCRIPTION[fault]
    describe(root, **entries)
    counts = found(root)
    assert code in counts
    assert set(counts) <= {code, "contract-broken"}


@pytest.mark.parametrize("text", ["not json", "[]", "7"])
def test_description_is_no_object(text: str, root: Path) -> None:
    (root / "dataset_description.json").write_text(text)
    assert "contract-broken" in found(root)


@pytest.mark.parametrize("name", ["croissant.json", "datapackage.json", "datacite.json"])
@pytest.mark.parametrize("text", ["not json", "[]"])
def test_metadata_is_json(name: str, text: str, root: Path) -> None:
    (root / name).write_text(text)
    reseal(root)
    report = audit(root)
    assert [f.location for f in report.findings] == [name]
    assert set(report.counts) == {"contract-broken"}


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "croissant.json"])
def test_empty_file(name: str, root: Path) -> None:
    (root / name).write_text(" \n")
    assert set(found(root)) == {"contract-broken"}


def test_hashes_of_tables(root: Path) -> None:
    edit(root, "croissant.json", lambda t: re.sub(r'("sha256": ")[0-9a-f]{64}', rf"\g<1>{'0' * 64}", t, count=1))
    edit(root, "datapackage.json", lambda t: t.replace("sha256:", "sha256:0", 1))
    from quadphase.release.manifest import seal

    seal(root)
    report = audit(root)
    assert set(report.counts) == {"checksum-differs"}
    assert sorted(f.message.split()[-1] for f in report.findings) == ["croissant.json", "datapackage.json"]


def test_table_without_hash(root: Path) -> None:
    value = json.loads((root / "datapackage.json").read_text("utf-8"))
    describe(root, "datapackage.json", resources=value["resources"][1:])
    report_codes = found(root)
    assert report_codes == {"contract-broken": 1}


FOLDS: dict[str, Callable[[str], str]] = {
    "NA": lambda t: re.sub(r'(?m)^("P0417"),\d', r"\1,NA", t),
    "blank": lambda t: re.sub(r'(?m)^("P0417"),\d', r"\1,", t),
    "twice": lambda t: t + t.splitlines(keepends=True)[-1],
    "in two": lambda t: t + re.sub(r",\d", ",2", t.splitlines(keepends=True)[-1]),
    "words": lambda t: re.sub(r",\d", ",test", t),
    "columns": lambda t: t.replace("fold", "part"),
    "one of three": lambda t: re.sub(r",\d", ",0", t),
    "out of range": lambda t: re.sub(r'(?m)^("P0417"),\d', r"\1,9", t),
}


@pytest.mark.parametrize("fault", FOLDS)
def test_splits(fault: str, root: Path) -> None:
    edit(root, "splits.csv", FOLDS[fault])
    assert set(found(root)) == {"split-leaks"}


def test_half_written_files_are_seen(root: Path) -> None:
    (root / ".tmp-notes").mkdir()
    (root / ".tmp-notes" / "names.txt").write_text("x")
    (root / ".tmp-table.csv.17").write_text("x")
    assert found(root, sealed=False) == {"checksum-missing": 2, "file-unlisted": 2}


@pytest.mark.parametrize("closed", [".", "notes/inner"])
def test_a_folder_that_may_not_be_listed(closed: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "notes" / "inner").mkdir(parents=True)
    (root / "notes" / "inner" / "names.txt").write_text("x")
    true_scandir = os.scandir

    def scandir(folder: str | Path) -> object:
        if Path(folder) == root / closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return true_scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    report = audit(root)
    assert [(f.location, f.severity.value) for f in report.of("folder-closed")] == [(closed, "error")]


@pytest.mark.parametrize("form", ["./", "upper", "*"])
def test_manifests_that_sha256sum_accepts(form: str, root: Path) -> None:
    def rewritten(line: str) -> str:
        digest, path = line.split("  ", 1)
        return {"./": f"{digest}  ./{path}", "upper": f"{digest.upper()}  {path}", "*": f"{digest} *{path}"}[form]

    path = root / "checksums.sha256"
    path.write_text("".join(rewritten(line) for line in path.read_text().splitlines(keepends=True)))
    assert len(parse_checksums(path.read_text())) > 20
    assert audit(root).counts == {}


def test_lesion_voxels_belong_to_the_liver(root: Path, two: Items) -> None:
    """One voxel is enough for a release of ours; for others a tenth of the lesion (two outlines differ)."""
    item = next(i for i in two if i.location == "P0417/C1")
    _, lesion, liver = paths_of(item)
    drawn = np.argwhere(load_mask(root / str(lesion)).voxels)[0]
    mask = load_mask(root / str(liver))
    voxels = mask.voxels.copy()
    voxels[tuple(drawn)] = False
    save_mask(root / str(liver), Mask(voxels=voxels, grid=mask.grid))
    reseal(root)
    report = audit(root)
    said = [f for f in report.of("contract-broken") if f.location == "P0417/C1/liver"]
    assert len(said) == 1
    assert "not in the liver mask" in said[0].message
    assert "lesion-outside-liver" not in report.counts


def test_lawful_fractional_values(root: Path, two: Items) -> None:
    """A scanner with a fractional slope: float32, no window; smallest and largest value are those of the voxels."""
    plain = tuple(i for i in two if i.case == "P0417")
    changed = [
        replace(
            i,
            volume=Volume(
                hu=(i.volume.hu * np.float32(0.97) + np.float32(0.37)).astype(np.float32), grid=i.volume.grid
            ),
        )
        for i in plain
    ]
    root = write_ours(root.parent / "fractional", plain)
    for item in changed:
        save_volume(root / paths_of(item)[0], item.volume)
        low, high = float(item.volume.hu.min()), float(item.volume.hu.max())
        assert low != round(low)
        prefix = f'"{item.case}","{item.phase.value}"'

        def fractional(text: str, prefix: str = prefix, low: float = low, high: float = high) -> str:
            lines = text.splitlines(keepends=True)
            return "".join(
                line.replace(",-200,200,-200,200,", f",NA,NA,{low:.4f},{high:.4f},").replace('"int16"', '"float32"')
                if line.startswith(prefix)
                else line
                for line in lines
            )

        edit(root, "geometry.csv", fractional)
        seen = load_volume(root / paths_of(item)[0])
        assert seen.hu.dtype == np.float32
    describe(root, window_hu=None)
    reseal(root)
    report = audit(root)
    assert "geometry-table-differs" not in report.counts
    edit(root, "geometry.csv", lambda t: t.replace(f",{low:.4f},", f",{low + 0.01:.4f},", 1))
    assert "geometry-table-differs" in found(root)


def test_qform_code(root: Path, two: Items) -> None:
    import gzip
    import struct

    path = root / paths_of(two[0])[0]
    raw = bytearray(gzip.decompress(path.read_bytes()))
    assert struct.unpack_from("<h", raw, 252) == (1,)
    struct.pack_into("<h", raw, 252, 0)
    path.write_bytes(gzip.compress(bytes(raw), mtime=0))
    reseal(root)
    report = audit(root)
    assert set(report.counts) == {"contract-broken"}
    assert "qform code" in report.findings[0].message
