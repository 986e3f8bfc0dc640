"""Complete or not at all: interrupted, refused and failing writes leave nothing behind and lose nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from quadphase.errors import OutputError
from quadphase.io import atomic


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.name.startswith(atomic.TEMPORARY_PREFIX))


def test_a_failing_stream_leaves_the_old_file(tmp_path: Path) -> None:
    target = atomic.write_text(tmp_path / "a.txt", "old")

    def pieces():  # type: ignore[no-untyped-def]
        yield b"new"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError) as caught:
        atomic.write_bytes(target, pieces())
    assert caught.value.code == "disk-full"
    assert target.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_path_through_a_device_is_named() -> None:
    with pytest.raises(OutputError) as caught:
        atomic.write_bytes(Path("/dev/full/x"), b"x")
    assert caught.value.code == "not-a-folder"


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt()])
def test_a_folder_vanishes_when_its_block_fails(tmp_path: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)), atomic.new_folder(tmp_path / "case") as folder:
        (folder / "half").write_text("…")
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with atomic.new_folder(tmp_path / "deep" / "case") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "deep" / "case").exists()
    assert (tmp_path / "deep" / "case" / "a").read_text() == "1"
    assert leftovers(tmp_path) == []


def test_an_existing_folder_is_kept_unless_asked(tmp_path: Path) -> None:
    target = tmp_path / "case"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(OutputError, match="exists already"), atomic.new_folder(target):
        pytest.fail("the block must not run")
    with atomic.new_folder(target, replace=True) as folder:
        (folder / "a").write_text("new")
    assert (target / "a").read_text() == "new"
    assert leftovers(tmp_path) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("…")
    with pytest.raises(OutputError) as caught:
        atomic.write_text(tmp_path / "file" / "x.txt", "…")
    assert caught.value.code == "not-a-folder"
