"""Voxels are searched while they are unpacked: no border of a chunk, block or gzip member may hide an identifier."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hiding_places import gz, header

from quadphase.deidentify import archives, nifti_file, regions, streams, unpacking, voxel_filter
from quadphase.deidentify.matcher import Matcher
from quadphase.deidentify.regions import Flaw, Nature, Region
from quadphase.model.source import Identifier

UID = "1.2.840.113619.2.55"
MATCHER = Matcher([Identifier(kind="patient_id", value="73451988"), Identifier(kind="uid", value=UID)])
SPELLINGS = (b"73451988", UID.encode("utf-16-le"), UID.encode("utf-16-be"))
CHUNK, OVERLAP, BLOCK_WORDS = 1024, 128, 96


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and blocks so small that a few kilobytes have many borders."""
    for module in (unpacking, nifti_file, regions):
        monkeypatch.setattr(module, "OVERLAP_BYTES", OVERLAP)
    monkeypatch.setattr(unpacking, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(voxel_filter, "BLOCK_WORDS", BLOCK_WORDS)


def volume(text: bytes = b"", at: int = 0, *, words: int = 2048, gap: int = 0, tail: bytes = b"") -> bytes:
    """A NIfTI file of `words` soft tissue voxels with `text` at a byte of them."""
    head = header()
    head["dim"] = [1, words, 1, 1, 1, 1, 1, 1]
    head["vox_offset"] = 352 + gap
    body = bytearray(np.clip(np.random.default_rng(3).normal(60, 20, words), -200, 200).astype("<i2").tobytes())
    body[at : at + len(text)] = text
    return bytes(head.binaryblock) + bytes(4 + gap) + bytes(body) + tail


def parts(data: bytes) -> Iterator[tuple[Region | Flaw, frozenset[str]]]:
    for region in unpacking.regions(data):
        yield region, frozenset() if isinstance(region, Flaw) else MATCHER.search(region)


def kinds(data: bytes) -> set[str]:
    return {kind for _, found in parts(data) for kind in found}


@pytest.mark.parametrize("spelling", SPELLINGS, ids=["bytes", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("gap", [0, 1])
def test_every_position_is_searched(spelling: bytes, gap: int) -> None:
    assert not kinds(gz(volume(gap=gap)))
    for at in range(2 * CHUNK - 352 - gap - 80, 2 * CHUNK - 352 + 80):
        assert kinds(gz(volume(spelling, at, gap=gap))), at
    for at in (0, 4096 - len(spelling)):
        assert kinds(gz(volume(spelling, at, gap=gap))), at


def test_the_border_of_gzip_members_hides_nothing() -> None:
    data = volume(b"73451988", 1500)
    cut = data.index(b"73451988") + 4
    assert kinds(gz(data[:cut]) + gz(data[cut:])) == {"patient_id"}


def test_each_byte_counts_once() -> None:
    for words in (300, 2048, 5000):
        for tail in (b"", b"x\n" * 1500):
            data = volume(words=words, tail=tail)
            seen = [r for r, _ in parts(gz(data)) if isinstance(r, Region)]
            assert sum(len(r.data) - r.repeated for r in seen if r.nature is Nature.VOXELS) == 2 * words
            assert sum(
                len(r.data) - r.repeated for r in seen if r.place == "gzip contents > NIfTI after the voxels"
            ) == len(tail)


def test_what_follows_the_voxels_is_searched_whole() -> None:
    for at in range(0, 2600, 97):
        tail = bytearray(b" " * 2700)
        tail[at : at + 8] = b"73451988"
        assert kinds(gz(volume(words=700, tail=bytes(tail)))) == {"patient_id"}, at


def test_voxels_that_end_too_early_are_searched_and_said() -> None:
    whole = gz(volume(b"73451988", 100))
    found = list(parts(whole[: len(whole) // 2]))
    assert any(isinstance(part, Flaw) for part, _ in found)
    assert {kind for _, hit in found for kind in hit} == {"patient_id"}


def test_contents_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "LARGEST", 10_000)
    found = [part for part, _ in parts(gz(b"text " * 4000))]
    assert [part.reason for part in found if isinstance(part, Flaw)] == [regions.TOO_LARGE]


@pytest.mark.parametrize("damage", ["tail", "offset", "layout"])
def test_a_volume_that_would_fill_the_memory_is_said(monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    monkeypatch.setattr(regions, "LARGEST", 10_000)
    data = bytearray(volume(words=300, tail=b"text " * 4000))
    if damage != "tail":
        data[108:112] = np.float32(5000 if damage == "offset" else "nan").tobytes()
    found = [part for part, _ in parts(gz(bytes(data)))]
    assert [part.reason for part in found if isinstance(part, Flaw)] == [regions.TOO_LARGE]


@pytest.mark.parametrize("pack", ["zip", "bzip2", "xz", "lzma", "png"])
def test_archives_that_would_fill_the_memory_are_said(monkeypatch: pytest.MonkeyPatch, pack: str) -> None:
    for module in (archives, streams):
        monkeypatch.setattr(module, "LARGEST", 10_000)
    contents = bytes(50_000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", contents)
    chunk = struct.pack(">I", len(zlib.compress(contents))) + b"IDAT" + zlib.compress(contents)
    packed = {"zip": stream.getvalue(), "bzip2": bz2.compress(contents), "xz": lzma.compress(contents),
        "lzma": lzma.compress(contents, lzma.FORMAT_ALONE), "png": b"\x89PNG\r\n\x1a\n" + chunk,
    }[pack]  # fmt: skip
    assert [part.reason for part, _ in parts(packed) if isinstance(part, Flaw)] == [regions.TOO_LARGE]
