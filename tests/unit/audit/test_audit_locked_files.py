"""Files that may not be read are findings that name them, once each; the rest of the release is audited."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quadphase.audit import audit

from .conftest import Item, write_ours

Lock = Callable[..., None]


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Lock:
    """Make files unreadable for this process, whoever runs it: root may read everything."""
    locked: set[str] = set()
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if str(self) in locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    return lambda *paths: locked.update(map(str, paths))


@pytest.fixture(scope="module")
def one(clean: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ours(tmp_path_factory.mktemp("one") / "release", [item for item in clean if item.case == "P0417"])


@pytest.fixture
def root(one: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(one, tmp_path / "release"))


@pytest.mark.parametrize(
    "name",
    ["README.md", "LICENSE", "checksums.sha256", "dataset_description.json", "croissant.json", "datacite.json",
     "table1.csv"],
)  # fmt: skip
def test_a_file_that_may_not_be_read(root: Path, lock: Lock, name: str) -> None:
    lock(root / name)
    report = audit(root)
    assert [(f.code, f.location) for f in report.findings] == [("file-corrupt", name)]
    assert "Permission denied" in report.findings[0].message
    assert len(report.facts) == 4


@pytest.mark.parametrize("name", ["geometry.csv", "lesions.csv", "splits.csv"])
def test_a_table_that_may_not_be_read(root: Path, lock: Lock, name: str) -> None:
    lock(root / name)
    report = audit(root)
    assert "check-failed" not in report.counts
    assert ("file-corrupt", name) in {(f.code, f.location) for f in report.findings}
    assert str(root) not in "".join(f.message for f in report.findings)


def test_images_that_may_not_be_read(root: Path, lock: Lock) -> None:
    names = ("ct_files/P0417_ct_C1.nii.gz", "liver_mask_files/P0417-livermask_C3.nii.gz")
    lock(*(root / name for name in names))
    report = audit(root)
    assert "check-failed" not in report.counts
    assert [f.location for f in report.of("file-corrupt")] == ["P0417/C1", "P0417/C3/liver"]


def test_a_name_no_file_can_have(root: Path) -> None:
    table = root / "patient_data.csv"
    table.write_bytes(table.read_bytes().replace(b"ct_files/P0417_ct_C1", b"ct_files/" + b"x" * 300))
    report = audit(root)
    assert "check-failed" not in report.counts
    assert "too long" in report.of("table-cell")[0].message
    assert [f.location for f in report.of("file-missing")] == ["P0417/C1"]
