"""Ways a disk refuses to be read: each is one line that says what it is, never a defect."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quadphase.errors import QuadphaseError
from quadphase.io.json_file import load_json
from quadphase.io.nifti import load_nifti
from quadphase.io.study import Study
from quadphase.io.tables import load_table
from quadphase.model import Protocol

READERS = {
    "json": (load_json, "x.json"),
    "nifti": (load_nifti, "x.nii.gz"),
    "protocol": (Protocol.load, "protocol.toml"),
    "key": (lambda path: Study(path.parent.parent).key, "restricted/pseudonym.key"),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> tuple[Callable[[Path], object], str]:
    return READERS[request.param]


def refusal(read: Callable[[Path], object], path: Path) -> QuadphaseError:
    with pytest.raises(QuadphaseError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_where_the_folder_should_be(tmp_path: Path, reader: tuple[Callable[[Path], object], str]) -> None:
    read, name = reader
    afile = tmp_path / "afile"
    afile.write_text("")
    path = (afile / name) if "/" not in name else (afile / name.split("/")[0] / name.split("/")[1])
    error = refusal(read, path)
    assert error.code in ("missing-file", "no-study")
    assert "not a folder" in error.message


def test_a_folder_where_the_file_should_be(tmp_path: Path, reader: tuple[Callable[[Path], object], str]) -> None:
    read, name = reader
    (tmp_path / name).mkdir(parents=True)
    error = refusal(read, tmp_path / name)
    assert error.code in ("not-readable", "not-nifti")
    assert "is a folder" in error.message


@pytest.mark.parametrize(("number", "says"), [(errno.EACCES, "Not allowed to read"), (errno.EIO, "Cannot read")])
def test_a_disk_that_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reader: tuple[Callable[[Path], object], str],
    number: int,
    says: str,
) -> None:
    read, name = reader

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    error = refusal(read, tmp_path / name)
    assert (error.code, error.message.startswith(says)) == ("not-readable", True)


def test_a_study_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(QuadphaseError) as caught:
        Study(tmp_path).make_restricted()
    assert caught.value.code == "not-writable"


def test_a_table_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    error = refusal(load_table, tmp_path / "t.csv")
    assert (error.code, error.message) == ("not-readable", f"Not allowed to read {tmp_path / 't.csv'}")
