"""An archive is the release, the whole release and nothing but the release; the same one every time."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quadphase.errors import InputError, OutputError
from quadphase.release.manifest import EPOCH_S, released_files
from quadphase.release.pack import archive_prefix, pack_release

Maker = Callable[..., Any]


@pytest.fixture
def release(make_study: Maker, tmp_path: Path) -> Path:
    root: Path = make_study(2).build(tmp_path / "out")
    return root


def contents(archive: Path) -> dict[str, bytes]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as book:
            assert {member.date_time for member in book.infolist()} == {(2000, 1, 1, 0, 0, 0)}
            return {member.filename: book.read(member) for member in book.infolist()}
    with tarfile.open(archive) as book:
        members = book.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(EPOCH_S, 0, 0, "", "", 0o644)}
        return {m.name: book.extractfile(m).read() for m in members}  # type: ignore[union-attr]


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_archive_holds_every_file_and_is_the_same_every_time(release: Path, tmp_path: Path, suffix: str) -> None:
    one = pack_release(release, tmp_path / f"one{suffix}", prefix="data-1")
    moved = tmp_path / "somewhere else"
    shutil.copytree(release, moved)
    for path in moved.rglob("*"):
        os.utime(path)  # another day
        path.chmod(0o600 if path.is_file() else 0o700)
    two = pack_release(moved, tmp_path / f"two{suffix}", prefix="data-1")
    assert one.sha256 == two.sha256
    expected = {f"data-1/{p.relative_to(release).as_posix()}": p.read_bytes() for p in released_files(release)}
    assert contents(one.path) == expected
    assert one.files == len(expected)


@pytest.mark.parametrize("damage", ["changed", "missing", "extra"])
def test_a_release_that_is_not_what_it_says_is_not_packed(release: Path, tmp_path: Path, damage: str) -> None:
    victim = release / "splits.csv"
    if damage == "changed":
        victim.write_bytes(victim.read_bytes() + b"\r\n")
    elif damage == "missing":
        victim.unlink()
    else:
        (release / "notes.txt").write_text("private")
    with pytest.raises(InputError) as caught:
        pack_release(release, tmp_path / "a.tar.gz", prefix="x")
    assert caught.value.code == "release-changed"
    assert ("notes.txt" if damage == "extra" else "splits.csv") in caught.value.message
    assert not (tmp_path / "a.tar.gz").exists()


def test_refusals(release: Path, tmp_path: Path) -> None:
    for target, code in ((tmp_path / "a.rar", "bad-archive-name"), (release / "a.zip", "bad-archive-name")):
        with pytest.raises(InputError) as caught:
            pack_release(release, target, prefix="x")
        assert caught.value.code == code
    (tmp_path / "a.zip").touch()
    with pytest.raises(OutputError):
        pack_release(release, tmp_path / "a.zip", prefix="x")


def test_prefix_is_title_and_version() -> None:
    assert archive_prefix("Our livers: 4 phases!", "1.2.0") == "our-livers-4-phases-1.2.0"
    assert archive_prefix("肝", "") == "release-0"


@pytest.mark.slow
def test_notebook_runs_on_the_packed_release(release: Path, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    packed = pack_release(release, tmp_path / "a.tar.gz", prefix="data-1")
    with tarfile.open(packed.path) as book:
        book.extractall(tmp_path / "unpacked", filter="data")
    folder = tmp_path / "unpacked" / "data-1"
    notebook = nbformat.read(folder / "demo.ipynb", as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert "error" not in {output.output_type for output in outputs}
    assert json.loads((folder / "demo.ipynb").read_text())["cells"][1]["outputs"] == []  # the released one is clean


def test_an_existing_archive_is_refused_before_anything_is_hashed(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashed(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr("quadphase.release.pack.sha256_of", hashed)
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(OutputError) as caught:
        pack_release(release, tmp_path / "a.zip", prefix="data-1")
    assert caught.value.code == "exists"


@pytest.mark.parametrize("name", ["README.md", "checksums.sha256"])
def test_a_file_that_may_not_be_read_is_named(
    release: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == release / name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=rf"Not allowed to read .*{name}") as caught:
        pack_release(release, tmp_path / "a.zip", prefix="data-1")
    assert caught.value.code == "not-readable"
    assert not (tmp_path / "a.zip").exists()


def test_a_manifest_that_is_no_text_is_no_manifest_of_this_release(release: Path, tmp_path: Path) -> None:
    manifest = release / "checksums.sha256"
    manifest.write_bytes(manifest.read_bytes().replace(b"README.md", b"README\xff\xfe"))
    with pytest.raises(InputError) as caught:
        pack_release(release, tmp_path / "a.zip", prefix="data-1")
    assert caught.value.code == "release-changed"
