"""The faults of the published PLC-CECT as re-users reported them, on a 512-column replica, and its real table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.model import Phase

from .conftest import Item, damaged, paths_of, write_plain

Items = tuple[Item, ...]


def as_published(root: Path, items: Items, *, turned: Phase = Phase.C2, matrix: int = 512) -> Path:
    """Write a dataset with the published faults: nominal header, upside-down, 8 bit, one phase turned, 4-D files."""
    write_plain(root, items)
    n = matrix // items[0].volume.grid.shape[0]
    for item in items:
        ct, lesion, liver = paths_of(item)
        order = slice(None) if item.phase is turned else slice(None, None, -1)  # most against their header

        def enlarged(array: np.ndarray, order: slice = order) -> np.ndarray:
            return np.repeat(np.repeat(array[:, :, order], n, axis=0), n, axis=1)

        eight = np.rint((enlarged(item.volume.hu).astype(np.float32) + 200) * (255 / 400)).astype(np.uint8)
        if item.phase is Phase.C3:
            eight = np.repeat(eight[..., None], 3, axis=3)
        for path, array in ((ct, eight), (lesion, item.lesion), (liver, item.liver)):
            if path is not None and array is not None:
                voxels = array if isinstance(array, np.ndarray) else enlarged(array.voxels).astype(np.uint8)
                nib.save(nib.Nifti1Image(voxels, np.eye(4)), root / path)
    return root


def _without_liver(item: Item) -> Item:
    assert item.liver is not None
    return replace(item, liver=replace(item.liver, voxels=np.zeros_like(item.liver.voxels)))


@pytest.mark.slow
def test_replica_of_the_published_release(clean: Items, tmp_path: Path) -> None:
    items = tuple(item for item in clean if item.case == "P0417")
    items = damaged(items, "P0417/C1", _without_liver)
    report = audit(as_published(tmp_path, items))
    counts = report.counts
    assert counts["geometry-nominal"] == 4
    assert counts["field-of-view"] == 4
    assert counts["not-hu"] == 4
    assert counts["components-replicated"] == 1
    assert {f.location for f in report.of("slice-order-differs")} == {"P0417/C2"}
    # Stored towards the feet while the header says head; C2 is the other way round and so agrees.
    assert {f.location for f in report.of("upside-down")} == {i.location for i in items if i.phase is not Phase.C2}
    assert counts["back-to-front"] == 4
    assert {f.location for f in report.of("left-right-swapped")} == {i.location for i in items} - {"P0417/C1"}
    assert [f.location for f in report.of("mask-empty")] == ["P0417/C1/liver"]
    harmless = {"checksums-absent"}
    assert set(counts) == harmless | {
        "geometry-nominal", "field-of-view", "not-hu", "components-replicated", "slice-order-differs", "upside-down",
        "back-to-front", "left-right-swapped", "mask-empty",
    }  # fmt: skip


def test_real_table_of_the_published_release(real_data: Path) -> None:
    report = audit(real_data / "plc_cect" / "patient_data.csv")
    assert report.subjects == 361
    assert report.images == 1444
    assert report.counts == {
        "id-reveals-diagnosis": 1,
        "age-missing": 3,
        "sex-missing": 3,
        "age-sex-confounded": 1,
        "images-absent": 1,
    }
    assert {f.location for f in report.of("age-missing")} == {"P0118", "P0138", "P0155"}
    assert "4 runs" in report.of("id-reveals-diagnosis")[0].message
    confounded = report.of("age-sex-confounded")[0].message
    assert "59 against 41" in confounded
    assert "67% against 18% male" in confounded


def test_older_column_names(one_table: Path) -> None:
    report = audit(one_table)
    assert set(report.counts) == {"images-absent"}


@pytest.fixture
def one_table(tmp_path: Path) -> Path:
    rows = ["Patient ID,Age,Gender,Stage,Cancer Type,CT File,Mask File,Liver Mask File"]
    rows += [f"P7,60,M,{p.value},HCC,a{p.value}.nii.gz,m{p.value}.nii.gz,l{p.value}.nii.gz" for p in Phase]
    table = tmp_path / "old.csv"
    table.write_text("\n".join(rows))
    return table
