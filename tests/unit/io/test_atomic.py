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


def only_text(folder: Path) -> bool:
    return all(path.suffix == ".txt" for path in folder.iterdir())


def refused(target: Path, **options: object) -> str:
    """The code of the refusal; the block must not run, and everything must be where it was."""
    before = sorted(target.parent.rglob("*"))
    with pytest.raises(OutputError) as caught, atomic.new_folder(target, replace=True, **options):  # type: ignore[arg-type]
        pytest.fail("the block must not run")
    assert sorted(target.parent.rglob("*")) == before
    return caught.value.code


def test_only_an_earlier_output_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "thesis.docx").write_text("ten years of work")
    assert refused(target, recognised=only_text) == "not-recognised"
    (target / "thesis.docx").rename(target / "old.txt")
    with atomic.new_folder(target, replace=True, recognised=only_text) as folder:
        (folder / "new.txt").write_text("…")
    assert [p.name for p in target.iterdir()] == ["new.txt"]
    (target / "new.txt").unlink()
    with atomic.new_folder(target, replace=True, recognised=lambda _: False) as folder:  # an empty folder is nobody's
        (folder / "new.txt").write_text("…")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("inner", ["restricted/x", "ledger.sqlite", "deep/er/restricted/x", "a/protocol.toml"])
def test_a_study_is_never_replaced_whatever_it_looks_like(tmp_path: Path, inner: str) -> None:
    atomic.write_text(tmp_path / "out" / inner, "…")
    assert refused(tmp_path / "out") == "holds-a-study"
    assert refused(tmp_path / "out", recognised=lambda _: True) == "holds-a-study"


def test_no_output_over_around_or_inside_an_input(tmp_path: Path) -> None:
    given = atomic.write_text(tmp_path / "in" / "data" / "a.txt", "…").parent
    (tmp_path / "link").symlink_to(given)
    for target in (given, given.parent, given / "b", given / "b" / "c", tmp_path / "link", given / ".." / "data"):
        assert refused(target, inputs=[given]) == "output-is-input"
    with atomic.new_folder(given.parent / "beside", inputs=[given]) as folder:
        (folder / "x").write_text("…")


def test_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    assert refused(Path(), recognised=lambda _: True) == "not-recognised"
    assert refused(Path(".."), recognised=lambda _: True) == "not-recognised"


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("…")
    assert refused(tmp_path / "file", recognised=lambda _: True) == "not-a-folder"


def test_what_came_in_meanwhile_is_kept(tmp_path: Path) -> None:
    """An output that turns into something else while the work goes on is refused at the end, and kept."""
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(OutputError, match="something else"):  # noqa: SIM117
        with atomic.new_folder(target, replace=True, recognised=only_text) as folder:
            (folder / "new.txt").write_text("…")
            (target / "thesis.docx").write_text("ten years of work")
    assert [p.name for p in target.iterdir()] == ["thesis.docx"]
    assert leftovers(tmp_path) == []
