"""Listing a tree: nothing is passed over without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quadphase.errors import InputError
from quadphase.io.atomic import TEMPORARY_PREFIX
from quadphase.io.file_tree import list_tree


def names(root: Path, **options: Path) -> list[str]:
    return [Path(entry.path).name for entry in list_tree(root, **options).entries]


def test_files_at_any_depth_through_links_by_path(tmp_path: Path) -> None:
    for name in ("tree/b/2", "tree/a/1", "elsewhere/3", f"tree/{TEMPORARY_PREFIX}half"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "tree/c").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree/4").symlink_to(tmp_path / "elsewhere/3")
    assert names(tmp_path / "tree") == ["4", "1", "2", "3"]
    assert names(tmp_path / "tree", skip=tmp_path / "tree/b") == ["4", "1", "3"]


def test_links_that_lead_nowhere_or_to_themselves_are_entries(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"whole")
    listing = list_tree(tmp_path)
    assert [(Path(e.path).name, e.size) for e in listing.entries] == [("a", 0), ("b", 0), ("c", 5)]
    assert listing.closed_folders == 0


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    assert names(tmp_path) == []


def test_folders_that_may_not_be_listed_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").write_bytes(b"x")
    close(monkeypatch)
    listing = list_tree(tmp_path)
    assert (len(listing.entries), listing.closed_folders) == (1, 1)
    with pytest.raises(InputError, match="Not allowed to list"):
        list_tree(tmp_path / "closed")


def close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bar every folder called ``closed``, for the superuser too."""
    true_scandir = os.scandir

    def scandir(folder: str | Path) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError
        return true_scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir)
