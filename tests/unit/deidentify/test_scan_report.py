"""The report of a scan: what it counts, what it withholds, what it cannot prove; and the rule for voxels."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hiding_places import gz, nifti, png, tarred, zipped

from quadphase.deidentify.matcher import VOXEL_BYTES, VOXEL_CHARACTERS, Matcher
from quadphase.deidentify.regions import Nature, Region
from quadphase.deidentify.scan import scan
from quadphase.errors import InputError, PrivacyError
from quadphase.model.source import Identifier

ID = Identifier(kind="patient_id", value="73451988")
UID = Identifier(kind="uid", value="1.2.840.113619.2.55")


def voxels(data: bytes) -> Region:
    return Region(data=data, nature=Nature.VOXELS, place="voxels")


def tissue(n: int = 200_000, *, seed: int = 0) -> np.ndarray:
    """Smooth HU of a liver: the codes of digits and letters."""
    return np.random.default_rng(seed).normal(60, 12, n).astype("<i2")


def test_it_counts_files_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("harmless")
    (tmp_path / "y.nii.gz").write_bytes(gz(nifti()))
    report = scan(tmp_path, [ID])
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert (report.files, report.bytes, report.identifiers) == (2, size, 1)
    assert report.bytes_searched >= 8 + len(nifti())
    assert report.is_clean
    report.require_clean()
    assert report.to_dict()["clean"] is True


def test_one_file_can_be_scanned(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id\n73451988\n")
    report = scan(tmp_path / "x.csv", [ID])
    assert [f.location for f in report.findings] == ["x.csv"]
    assert "a patient id" in report.findings[0].message


def test_a_name_that_leaks_is_withheld(tmp_path: Path) -> None:
    (tmp_path / "ok.txt").write_text("x")
    (tmp_path / "x73451988.txt").write_text("73451988")
    report = scan(tmp_path, [ID])
    assert {f.location for f in report.findings} == {"file 2 of 2 (name withheld)"}
    with pytest.raises(PrivacyError, match="name withheld") as stopped:
        report.require_clean()
    assert "73451988" not in str(stopped.value)


def test_what_is_too_short_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("7")
    report = scan(tmp_path, [Identifier(kind="patient_id", value="7"), ID])
    assert [f.code for f in report.findings] == ["identifier-too-short"]
    assert report.is_clean


@pytest.mark.parametrize(
    "kind", ["gzip-cut", "gzip-header", "gzip-checksum", "zip-cut", "zip-locked", "png-pixels", "dicom", "deep", "xz"]
)
def test_what_cannot_be_opened_is_no_proof(tmp_path: Path, kind: str) -> None:
    whole = gz(nifti())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "x" * 100)
    packed = stream.getvalue()
    locked = packed.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    deep = b"x"
    for _ in range(12):
        deep = gz(deep)
    data = {
        "gzip-cut": whole[:-200], "gzip-header": b"\x1f\x8b\x08\x08" + b"a" * 12, "zip-cut": packed[:-30],
        "zip-locked": locked, "gzip-checksum": whole[:-8] + b"HCC_0007",
        "png-pixels": png().replace(b"IDAT\x78\x9c", b"IDAT\x00\x00"), "dicom": b"\0" * 128 + b"DICM" + b"\xff" * 40,
        "deep": deep, "xz": b"\xfd7zXZ\0" + b"\0" * 50,
    }[kind]  # fmt: skip
    (tmp_path / "x.bin").write_bytes(data)
    report = scan(tmp_path, [ID])
    assert "not-scanned" in {f.code for f in report.findings}
    assert not report.is_clean


def test_a_gzip_checksum_is_no_place_for_an_identifier(tmp_path: Path) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(gz(nifti())[:-8] + b"HCC_0007")
    found = scan(tmp_path, [Identifier(kind="patient_id", value="HCC_0007")]).findings
    assert {f.code for f in found} == {"not-scanned", "identifier-found"}


@pytest.mark.parametrize(
    "begin",
    [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x1f\x9d\x90",
     b"\x89HDF\r\n\x1a\n"],
)  # fmt: skip
def test_what_is_packed_in_another_way_is_no_proof(tmp_path: Path, begin: bytes) -> None:
    noise = np.random.default_rng(2).bytes(3000)
    (tmp_path / "x").write_bytes(begin + noise + ID.value.encode() + noise)
    assert {f.code for f in scan(tmp_path, [ID]).findings} == {"not-scanned", "identifier-found"}


def test_noise_is_no_packed_data(tmp_path: Path) -> None:
    """Chance writes the beginning of a stream into noise often; nothing is said about those."""
    noise = bytearray(np.random.default_rng(5).bytes(3_000_000))
    beginnings = (b"\x1f\x8b\x08\0", b"PK\x03\x04", b"BZh91AY&SY", b"\xfd7zXZ\0", b"x\x9c", b"\x1f\x8b\x08\x08")
    for n in range(3000):
        text = beginnings[n % len(beginnings)]
        noise[n * 1000 : n * 1000 + len(text)] = text
    (tmp_path / "weights.bin").write_bytes(b"\1" + noise)
    assert scan(tmp_path, [ID]).findings == ()


def test_a_link_out_of_the_folder_is_no_proof(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "release"
    elsewhere.mkdir()
    folder.mkdir()
    (elsewhere / "notes.txt").write_text(ID.value)
    (folder / "a.txt").write_text("harmless")
    (folder / "b.txt").symlink_to("a.txt")
    assert scan(folder, [ID]).findings == ()
    for target in ("notes.txt", "."):
        (folder / "c").symlink_to(elsewhere / target)
        assert [(f.code, f.location) for f in scan(folder, [ID]).findings] == [("not-scanned", "c")]
        (folder / "c").unlink()


def test_a_link_that_is_asked_for_is_followed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(ID.value)
    (tmp_path / "link").symlink_to(tmp_path / "notes.txt")
    assert [f.code for f in scan(tmp_path / "link", [ID]).findings] == ["identifier-found"]


def test_a_time_that_stands_for_none_is_nobodys_birth_date(tmp_path: Path) -> None:
    """Tables give 2000-01-01 where nobody knows a birth date; releases, archives and shared DICOM have such times."""
    people = [Identifier(kind="birth_date", value=f"{year}-01-01") for year in (1970, 1980, 2000)]
    for seconds in (315_532_800, 946_684_800):
        (tmp_path / "a.txt").write_text("x")
        os.utime(tmp_path / "a.txt", (seconds, seconds))
        (tmp_path / "a.zip").write_bytes(zipped(time=(2000, 1, 1, 0, 0, 0)))
        (tmp_path / "a.tar.gz").write_bytes(gz(tarred(mtime=seconds), seconds=seconds))
        assert scan(tmp_path, people).findings == ()
        os.utime(tmp_path / "a.txt", (seconds + 3600, seconds + 3600))
        assert [f.location for f in scan(tmp_path, people).findings] == ["a.txt"]


def test_a_missing_path_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        scan(tmp_path / "nothing", [ID])


@pytest.mark.parametrize("closed", ["", "inner", "inner/deeper"])
def test_a_folder_that_may_not_be_listed_is_no_proof(
    tmp_path: Path, close: Callable[[Path], None], closed: str
) -> None:
    root = tmp_path / "release"
    (root / "inner" / "deeper").mkdir(parents=True)
    (root / "inner" / "deeper" / "x.txt").write_text("73451988")
    close(root / closed)
    report = scan(root, [ID])
    assert [(f.code, f.location) for f in report.findings] == [("not-scanned", closed or "release")]
    assert not report.is_clean


def test_links_are_not_followed_and_hidden_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text("73451988")
    (tmp_path / "release" / ".tmp-a").mkdir(parents=True)
    (tmp_path / "release" / ".tmp-a" / ".x.txt").write_text("73451988")
    (tmp_path / "release" / "link").symlink_to("../elsewhere")
    report = scan(tmp_path / "release", [ID])
    assert [f.location for f in report.findings if f.code == "identifier-found"] == [".tmp-a/.x.txt"]


def test_no_identifiers_is_a_clean_scan(tmp_path: Path) -> None:
    (tmp_path / "x.nii").write_bytes(nifti())
    assert scan(tmp_path, []).is_clean


@pytest.mark.parametrize("at", [0, 1, 2, 3, 77_777, 399_984, 399_991])
def test_text_in_voxels_is_found_at_every_offset(at: int) -> None:
    data = bytearray(tissue().tobytes())
    text = b"73451988"
    data[at : at + len(text)] = text
    assert Matcher([ID]).search(voxels(bytes(data[:400_000]))) == ({"patient_id"} if at <= 399_992 else set())


@pytest.mark.parametrize("at", [0, 1, 2, 5, 30_000, 30_001])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_long_utf16_in_voxels_is_found(at: int, encoding: str) -> None:
    data = bytearray(np.clip(tissue(), -200, 200).astype("<i2").tobytes())
    text = UID.value.encode(encoding)
    data[at : at + len(text)] = text
    assert Matcher([UID]).search(voxels(bytes(data))) == {"uid"}


def test_chance_in_voxels_is_no_hit() -> None:
    """The liver spells every short number in UTF-16; none of 3,000 ids may stop a release."""
    draw = np.random.default_rng(1)
    ids = [Identifier(kind="patient_id", value=str(n)) for n in draw.integers(10**5, 10**8, 3000)]
    matcher = Matcher(ids)
    data = np.concatenate([tissue(2_000_000, seed=n) for n in range(3)])
    assert matcher.search(voxels(data.tobytes())) == frozenset()
    noise = draw.integers(0, 256, 20_000_000, np.uint8).tobytes()
    assert matcher.search(voxels(noise)) == frozenset()
    short = Identifier(kind="patient_id", value="345678")
    inside = bytearray(data.tobytes())
    inside[1000:1006] = b"345678"
    assert len(short.value) < VOXEL_BYTES
    assert Matcher([short]).search(voxels(bytes(inside))) == frozenset()


def noise_of_letters() -> bytes:
    """8-bit voxels that are small letters, where chance writes names of eight letters."""
    return np.clip(np.random.default_rng(3).normal(106, 5, 5_000_000), 0, 255).astype(np.uint8).tobytes()


def test_noise_of_letters_spells_short_names_and_no_long_ones() -> None:
    """A name of eight letters is there by chance; one that chance does not write counts as anywhere."""
    draw = np.random.default_rng(2)
    families, given = (
        list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"),
        list("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚"),
    )
    names = sorted({"".join((draw.choice(families), *draw.choice(given, 2))) for _ in range(3000)})
    people = [*names, "Zhang^Xiaomingguang"]
    matcher = Matcher([*(Identifier(kind="name", value=name) for name in people), UID])
    noise = noise_of_letters()
    spread = np.zeros(2 * len(noise), np.uint8)  # 16-bit voxels of the same values: their high bytes are no letters
    spread[::2] = np.frombuffer(noise, np.uint8)
    for data in (noise, spread.tobytes()):
        assert matcher.search(voxels(data)) == frozenset()
        for text, kind in ((b"ZHANG^XIAOMINGGUANG", "name"), (UID.value.encode(), "uid")):
            assert matcher.search(voxels(data[:777] + text + data[777 + len(text) :])) == {kind}
    assert matcher.search(voxels(spread[:777].tobytes() + b"Li^Xiaolan" + spread[777:].tobytes())) == frozenset()
    known = Matcher(
        [*(Identifier(kind="name", value=name) for name in people), Identifier(kind="name", value="李萧兰")]
    )
    assert known.search(voxels(spread[:777].tobytes() + b"Li^Xiaolan" + spread[777:].tobytes())) == {"name"}


def test_an_id_counts_in_voxels_however_often_it_stands_there() -> None:
    ids = [Identifier(kind="patient_id", value=str(n)) for n in range(10_000_000, 10_010_000)]
    for times in (1, 10, 10_000):
        data = bytearray(tissue().tobytes())
        data[1000 : 1000 + 8 * times] = b"10001234" * times
        assert Matcher(ids).search(voxels(bytes(data))) == {"patient_id"}, times


def test_voxels_are_filtered_not_skipped() -> None:
    """The filter finds what a plain search of the same bytes finds, whatever the values."""
    draw = np.random.default_rng(4)
    matcher = Matcher(
        [ID, UID, Identifier(kind="name", value="欧阳修文"), Identifier(kind="name", value="Zhang^Xiaoming")]
    )
    for n in range(60):
        low, high = sorted(draw.integers(-32768, 32768, 2))
        data = bytearray(draw.integers(low, high + 1, 5000).astype("<i2").tobytes())
        text = [b"73451988", b"1.2.840.113619.2.55", "欧阳修文".encode(), b"Zhang^Xiaoming"][n % 4]
        at = int(draw.integers(0, len(data) - len(text)))
        data[at : at + len(text)] = text
        assert matcher.search(voxels(bytes(data))), (low, high, at)


def test_a_piece_border_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = 1 << 16
    monkeypatch.setattr("quadphase.deidentify.matcher.PIECE_BYTES", piece)
    text = b"73451988"
    for at in (piece - 4, piece - 8, piece):
        data = bytearray(piece + 100)
        data[at : at + len(text)] = text
        for nature in (Nature.VOXELS, Nature.OPAQUE, Nature.TEXT):
            assert Matcher([ID]).search(Region(data=bytes(data), nature=nature, place="x")) == {"patient_id"}


def test_the_rule_for_voxels_is_what_is_documented() -> None:
    assert (VOXEL_BYTES, VOXEL_CHARACTERS) == (8, 16)


def test_a_picture_in_a_page_is_no_text(tmp_path: Path) -> None:
    """Random base64 holds short CamelCase names many times; it is decoded instead."""
    import base64

    names = "王李张刘陈杨赵黄周吴"
    people = [Identifier(kind="name", value=a + b) for a in names for b in "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚"]
    picture = base64.b64encode(np.random.default_rng(9).integers(0, 256, 300_000, np.uint8).tobytes()).decode()
    (tmp_path / "report.html").write_text(f"<img src='data:image/png;base64,{picture}'>")
    assert scan(tmp_path, people).is_clean


def test_a_file_larger_than_the_memory_is_no_proof(tmp_path: Path) -> None:
    with (tmp_path / "release.tar").open("wb") as stream:
        stream.truncate(9 << 30)  # takes no room on the disk
    (tmp_path / "x.txt").write_text("harmless")
    report = scan(tmp_path, [ID])
    assert [(f.code, f.location) for f in report.findings] == [("not-scanned", "release.tar")]
    assert "more than 8 GiB" in report.findings[0].message
    assert report.files == 1
    assert not report.is_clean
