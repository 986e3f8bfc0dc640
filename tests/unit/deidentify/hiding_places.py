"""Where identifiers hide: each place writes a file about a person, and is used for a known one and an innocent twin."""

from __future__ import annotations

import base64
import bz2
import html
import io
import json
import lzma
import math
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

Place = Callable[[Path, "Planted"], None]

PLACES: dict[str, Place] = {}


class Planted:
    """One person's identifiers, all of one kind of truth: planted or innocent."""

    def __init__(
        self, *, name: str, hanzi: str, patient_id: str, day: datetime, accession: str, uid: str, traditional: str
    ) -> None:
        self.name, self.hanzi, self.patient_id, self.day = name, hanzi, patient_id, day
        self.accession, self.uid, self.traditional = accession, uid, traditional


def place(function: Place) -> Place:
    PLACES[function.__name__] = function
    return function


def header(shape: tuple[int, int, int] = (16, 16, 4), **fields: bytes) -> nib.nifti1.Nifti1Header:
    head = nib.nifti1.Nifti1Header()
    head.set_data_dtype(np.int16)
    head.set_data_shape(shape)
    head["vox_offset"] = 352
    for field, value in fields.items():
        head[field] = value
    return head


def nifti(
    *,
    fields: dict[str, bytes] | None = None,
    gap: bytes = b"",
    tail: bytes = b"",
    voxels: bytes | None = None,
    shape: tuple[int, int, int] = (16, 16, 4),
) -> bytes:
    """Bytes of a NIfTI file with `gap` between header and voxels and `tail` after them."""
    head = header(shape, **(fields or {}))
    gap += b"\0" * (-len(gap) % 16)
    head["vox_offset"] = 352 + len(gap)
    body = np.clip(np.random.default_rng(3).normal(60, 20, math.prod(shape)), -200, 200).astype("<i2").tobytes()
    body = (voxels or b"") + body[len(voxels or b"") :]
    return bytes(head.binaryblock) + b"\0\0\0\0" + gap + body + tail


def png(*chunks: tuple[bytes, bytes], tail: bytes = b"", pixels: bytes = b"") -> bytes:
    raw = (pixels + b"\0" * (16 * 17))[: 16 * 17]

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts) + tail


def gz(content: bytes, *, name: bytes = b"", comment: bytes = b"", extra: bytes = b"", seconds: int = 0) -> bytes:
    flags = (8 if name else 0) | (16 if comment else 0) | (4 if extra else 0)
    head = b"\x1f\x8b\x08" + bytes([flags]) + struct.pack("<I", seconds) + b"\0\xff"
    head += struct.pack("<H", len(extra)) + extra if extra else b""
    head += (name + b"\0" if name else b"") + (comment + b"\0" if comment else b"")
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflater.compress(content) + deflater.flush()
    return head + body + struct.pack("<II", zlib.crc32(content), len(content))


@place
def nifti_descrip(root: Path, p: Planted) -> None:
    (root / "ct.nii").write_bytes(nifti(fields={"descrip": p.name.encode()}))


@place
def nifti_aux_file_in_gzip(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(fields={"aux_file": p.patient_id.encode()})))


@place
def nifti_intent_name(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(fields={"intent_name": p.patient_id.encode()})))


@place
def nifti_db_name(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(fields={"db_name": p.patient_id.encode()})))


def extension(contents: bytes, *, code: int) -> bytes:
    size = (8 + len(contents) + 15) // 16 * 16
    return (struct.pack("<ii", size, code) + contents).ljust(size, b"\0")


@place
def nifti_text_extension(root: Path, p: Planted) -> None:
    text = f"comment: seen {p.day:%d/%m/%Y}".encode()
    (root / "ct.nii.gz").write_bytes(gz(nifti(gap=extension(text, code=6))))


@place
def nifti_dicom_extension(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(gap=struct.pack("<ii", 4096, 2) + dicom(PatientName=p.name))))


def long_text(p: Planted) -> bytes:
    """Text that does not stay readable when it is deflated."""
    words = ("liver", "phase", "mask", "slice", "contrast", "venous", "arterial", "delayed", "series", "volume")
    return f"{' '.join(words[n * n % 10] for n in range(300))}\nname: {p.name}\n".encode()


@place
def nifti_packed_extension(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(gap=extension(gz(long_text(p)), code=6))))


@place
def nifti_second_extension(root: Path, p: Planted) -> None:
    gap = extension(b"windowed to -200 200", code=6) + extension(zlib.compress(long_text(p)), code=40)
    (root / "ct.nii.gz").write_bytes(gz(nifti(gap=gap)))


@place
def nifti_stray_bytes_before_voxels(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(gap=b"\0" * 7 + p.uid.encode())))


@place
def nifti_stray_bytes_like_the_size_of_an_extension(root: Path, p: Planted) -> None:
    (root / "ct.nii").write_bytes(nifti(gap=b"\0" + p.accession.encode()))


@place
def nifti_after_no_voxels(root: Path, p: Planted) -> None:
    (root / "ct.nii").write_bytes(nifti(shape=(0, 0, 0), tail=p.name.lower().encode()))


@place
def nifti_after_the_voxels(root: Path, p: Planted) -> None:
    (root / "mask.nii.gz").write_bytes(gz(nifti(tail=p.accession.encode())))


@place
def nifti_in_the_voxels(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(voxels=p.name.upper().encode())))


@place
def gzip_name(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(), name=p.name.replace("^", "_").encode() + b".nii"))


@place
def gzip_comment(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(), comment=f"{p.day:%d %b %Y}".encode()))


@place
def gzip_extra_field(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(), extra=b"QP\x08\x00" + p.patient_id.encode()))


@place
def gzip_time(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti(), seconds=int(p.day.timestamp())))


@place
def gzip_second_member(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti()) + gz(p.name.encode()))


@place
def gzip_across_members(root: Path, p: Planted) -> None:
    raw = p.name.encode()
    (root / "notes.txt.gz").write_bytes(gz(b"seen: " + raw[:5]) + gz(raw[5:]))


@place
def gzip_trailing_bytes(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti()) + p.uid.encode())


@place
def gzip_in_gzip(root: Path, p: Planted) -> None:
    (root / "a.gz").write_bytes(gz(gz(gz(p.accession.encode()))))


@place
def png_text_chunk(root: Path, p: Planted) -> None:
    (root / "figure.png").write_bytes(png((b"tEXt", b"Comment\0" + p.name.encode())))


@place
def png_compressed_text(root: Path, p: Planted) -> None:
    (root / "figure.png").write_bytes(png((b"zTXt", b"Comment\0\0" + zlib.compress(p.patient_id.encode()))))


@place
def png_international_text(root: Path, p: Planted) -> None:
    body = b"Author\0\1\0zh\0\xe4\xbd\x9c\xe8\x80\x85\0" + zlib.compress(p.hanzi.encode())
    (root / "figure.png").write_bytes(png((b"iTXt", body)))


@place
def png_time(root: Path, p: Planted) -> None:
    body = struct.pack(">H5B", p.day.year, p.day.month, p.day.day, 12, 0, 0)
    (root / "figure.png").write_bytes(png((b"tIME", body)))


@place
def png_after_the_end(root: Path, p: Planted) -> None:
    (root / "figure.png").write_bytes(png(tail=p.uid.encode()))


@place
def png_pixels(root: Path, p: Planted) -> None:
    (root / "figure.png").write_bytes(png(pixels=p.name.encode()))


def jpeg() -> bytes:
    """A picture with another one in its header, whose end is not the end."""
    small = b"\xff\xd8\xff\xda\0\2\x11\x12\xff\xd9"
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(small) + 2) + small + b"\xff\xda\0\2\x21\x22\xff\xd9"


@place
def jpeg_comment(root: Path, p: Planted) -> None:
    text = p.name.encode()
    (root / "photo.jpg").write_bytes(b"\xff\xd8\xff\xfe" + struct.pack(">H", len(text) + 2) + text + b"\xff\xd9")


@place
def svg_metadata(root: Path, p: Planted) -> None:
    (root / "flow.svg").write_text(f"<svg><metadata><dc:date>{p.day:%Y-%m-%dT%H:%M}</dc:date></metadata></svg>")


@place
def html_entities(root: Path, p: Planted) -> None:
    coded = "".join(f"&#x{ord(char):x};" for char in p.hanzi)
    (root / "report.html").write_text(f"<p>{coded}</p>")


@place
def html_markup_between(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "report.html").write_text(f"<td><b>{html.escape(family)}</b></td>\n<td>{given}</td>")


@place
def json_escapes(root: Path, p: Planted) -> None:
    (root / "croissant.json").write_text(json.dumps({"creator": p.hanzi}))


@place
def json_key(root: Path, p: Planted) -> None:
    (root / "geometry.json").write_text(json.dumps({p.patient_id.lstrip("0"): 1}))


@place
def csv_name_in_two_cells(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "patient_data.csv").write_text(f'"patient_id","a","b"\r\n"P0001","{given}","{family}"\r\n')


@place
def json_name_in_two_values(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "people.json").write_text(json.dumps([{"family": family, "given": given, "age": 61}], indent=1))


@place
def json_chinese_name_in_two_values(root: Path, p: Planted) -> None:
    text = json.dumps({"姓": p.hanzi[:1], "名": p.hanzi[1:]}, ensure_ascii=False)
    (root / "people.json").write_text(text, encoding="utf-8")


@place
def toml_name_in_two_lines(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "people.toml").write_text(f'[who]\ngiven_name = "{given}"\nfamily_name = "{family}"\n')


@place
def yaml_name_in_two_lines(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "people.yaml").write_text(f"- family-names: {family}\n  given-names: {given}\n")


@place
def csv_chinese_name_in_two_cells(root: Path, p: Planted) -> None:
    (root / "patient_data.csv").write_text(f'"P0001","{p.hanzi[:1]}","{p.hanzi[1:]}"\r\n', encoding="utf-8")


@place
def traditional_characters(root: Path, p: Planted) -> None:
    (root / "notes.txt").write_text(f"病人 {p.traditional} 男", encoding="utf-8")


@place
def short_year(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%d/%m/%y}.\n")


@place
def short_year_first_in_a_cell(root: Path, p: Planted) -> None:
    (root / "a.csv").write_text(f"P0001,{p.day.year % 100:02d}/{p.day.month}/{p.day.day},60\n")


@place
def csv_in_gb18030(root: Path, p: Planted) -> None:
    (root / "patient_data.csv").write_bytes(f"编号,姓名\r\nP0001,{p.hanzi}\r\n".encode("gb18030"))


@place
def csv_in_utf16(root: Path, p: Planted) -> None:
    (root / "patient_data.csv").write_bytes(f"编号,姓名\r\nP0001,{p.hanzi}\r\n".encode("utf-16"))


@place
def csv_ascii_in_utf16_be(root: Path, p: Planted) -> None:
    (root / "patient_data.csv").write_bytes(f"P0001,{p.name}\r\n".encode("utf-16-be"))


@place
def csv_id_spoilt_by_a_spreadsheet(root: Path, p: Planted) -> None:
    (root / "patient_data.csv").write_text(f"id,x\n{float(p.patient_id)},1\n")


@place
def chinese_date(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"检查日期 {p.day.year}年{p.day.month}月{p.day.day}日")


@place
def dicom_date_time(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"acquired at {p.day:%Y%m%d%H%M%S}.000")


@place
def american_date(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"{p.day:%B} {p.day.day}, {p.day.year}")


@place
def url_percent_escapes(root: Path, p: Planted) -> None:
    (root / "links.txt").write_text(f"https://pacs.example/?q={quote(p.hanzi)}")


@place
def base64_in_html(root: Path, p: Planted) -> None:
    coded = base64.b64encode(f"patient {p.name}, ok".encode()).decode()
    (root / "report.html").write_text(f"<img src='data:text/plain;base64,{coded}'>")


@place
def picture_in_html(root: Path, p: Planted) -> None:
    coded = base64.b64encode(png((b"tEXt", b"Title\0" + p.name.encode()))).decode()
    (root / "report.html").write_text(f"<img src='data:image/png;base64,{coded}'>")


@place
def hex_in_text(root: Path, p: Planted) -> None:
    (root / "notes.txt").write_text(f"profile {p.name.encode().hex()}")


@place
def accents_and_full_width(root: Path, p: Planted) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) for char in p.patient_id)
    (root / "notes.txt").write_text(f"ID {wide}", encoding="utf-8")


@place
def zero_width_spaces(root: Path, p: Planted) -> None:
    (root / "notes.txt").write_text("\u200b".join(p.hanzi), encoding="utf-8")


@place
def file_name(root: Path, p: Planted) -> None:
    (root / f"{p.name.replace('^', '-').lower()}_ct.csv").write_text("x")


@place
def folder_name(root: Path, p: Planted) -> None:
    (root / p.patient_id).mkdir()
    (root / p.patient_id / "a.txt").write_text("x")


@place
def chinese_file_name(root: Path, p: Planted) -> None:
    (root / f"{p.hanzi}.txt").write_text("x")


@place
def file_time(root: Path, p: Planted) -> None:
    (root / "a.txt").write_text("x")
    os.utime(root / "a.txt", (p.day.timestamp(), p.day.timestamp()))


@place
def link_target(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").symlink_to(f"{p.patient_id}.nii.gz")


@place
def folder_time(root: Path, p: Planted) -> None:
    (root / "ct_files").mkdir()
    (root / "ct_files" / "a.txt").write_text("x")
    os.utime(root / "ct_files", (p.day.timestamp(), p.day.timestamp()))


@place
def voxels_of_the_first_chunk(root: Path, p: Planted) -> None:
    """What is searched piece by piece is searched before the next piece takes its place."""
    (root / "ct.nii.gz").write_bytes(gz(nifti(shape=(512, 512, 20), voxels=p.name.upper().encode())))


def zipped(**changes: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(changes.get("name", "a.txt"), changes.get("time", (1980, 1, 1, 0, 0, 0)))
        info.comment, info.extra = changes.get("comment", b""), changes.get("extra", b"")
        archive.writestr(info, changes.get("content", b"harmless"))
        archive.comment = changes.get("archive_comment", b"")
    return stream.getvalue()


@place
def zip_member_content(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(content=gz(p.uid.encode())))


@place
def zip_member_name(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(name=f"{p.patient_id}/ct.nii.gz"))


@place
def zip_member_time(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(time=(p.day.year, p.day.month, p.day.day, 10, 0, 0)))


@place
def zip_comments(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(archive_comment=p.accession.encode()))


@place
def zip_member_comment(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(comment=p.name.encode()))


@place
def zip_gap_between_members(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(p.name.encode() + zipped())
    data = zipped()
    (root / "release.zip").write_bytes(data[:4] + data[4:] + p.name.encode())


def tarred(**fields: Any) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(fields.pop("name", "a.txt"))
        content = fields.pop("content", b"harmless")
        info.size = len(content)
        for field, value in fields.items():
            setattr(info, field, value)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@place
def tar_owner(root: Path, p: Planted) -> None:
    family, given = p.name.lower().split("^")
    (root / "release.tar").write_bytes(tarred(uname=f"{given}.{family}"))


@place
def tar_time_in_gzip(root: Path, p: Planted) -> None:
    (root / "release.tar.gz").write_bytes(gz(tarred(mtime=int(p.day.timestamp()))))


@place
def tar_pax_header(root: Path, p: Planted) -> None:
    (root / "release.tar").write_bytes(tarred(pax_headers={"comment": p.hanzi}))


@place
def tar_in_xz(root: Path, p: Planted) -> None:
    (root / "release.tar.xz").write_bytes(lzma.compress(tarred(content=p.accession.encode())))


@place
def text_in_bzip2(root: Path, p: Planted) -> None:
    (root / "a.bz2").write_bytes(bz2.compress(p.uid.encode()))


@place
def notebook_output(root: Path, p: Planted) -> None:
    cell = {"cell_type": "code", "outputs": [{"text": [f"opened /home/u/{p.patient_id}/IM0001\n"]}]}
    (root / "demo.ipynb").write_text(json.dumps({"cells": [cell]}))


@place
def spreadsheet_cell(root: Path, p: Planted) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["patient", p.hanzi])
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)  # noqa: DTZ001 (openpyxl refuses zones)
    book.save(root / "table.xlsx")


@place
def pdf_stream(root: Path, p: Planted) -> None:
    stream = zlib.compress(f"BT ({p.name}) Tj ET".encode())
    (root / "paper.pdf").write_bytes(
        b"%PDF-1.7\n1 0 obj<</Filter/FlateDecode>>\nstream\n" + stream + b"\nendstream\nendobj"
    )


@place
def pdf_title_in_utf16(root: Path, p: Planted) -> None:
    title = ("\ufeff" + p.hanzi).encode("utf-16-be").hex().upper()
    (root / "paper.pdf").write_bytes(f"%PDF-1.7\n1 0 obj<</Title<{title}>>>endobj".encode())


def dicom(**attributes: Any) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "2.25.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    data.Rows = data.Columns = 8
    data.BitsAllocated, data.PixelData = 16, b"\x10\0" * 64
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


@place
def dicom_attribute(root: Path, p: Planted) -> None:
    (root / "IM0001").write_bytes(dicom(ImageComments=f"compare {p.day:%d.%m.%Y}"))


@place
def dicom_preamble(root: Path, p: Planted) -> None:
    data = dicom()
    (root / "IM0001").write_bytes(p.uid.encode().ljust(128, b"\0") + data[128:])


@place
def binary_file(root: Path, p: Planted) -> None:
    noise = np.random.default_rng(5).integers(0, 256, 5000, np.uint8).tobytes()
    (root / "weights.bin").write_bytes(noise + p.name.encode() + noise)


@place
def numpy_archive(root: Path, p: Planted) -> None:
    np.savez_compressed(root / "arrays.npz", who=np.array([p.hanzi]))


@place
def numpy_field_name(root: Path, p: Planted) -> None:
    """Beyond the first 128 bytes of the file."""
    np.save(root / "table.npy", np.zeros(3, [("age", "u1"), ("lesion_volume_ml" * 5, "f8"), (p.patient_id, "i4")]))


@place
def numpy_days(root: Path, p: Planted) -> None:
    np.save(root / "days.npy", np.array([p.day.date().isoformat()], "M8[D]"))


@place
def gzip_behind_gzip_and_padding(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti()) + bytes(16) + gz(long_text(p)))


@place
def gzip_behind_gzip_and_a_word(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti()) + b"more: " + gz(long_text(p)) + b" end")


@place
def gzip_behind_a_picture(root: Path, p: Planted) -> None:
    (root / "photo.jpg").write_bytes(jpeg() + gz(long_text(p)))


@place
def zip_behind_gzip(root: Path, p: Planted) -> None:
    (root / "ct.nii.gz").write_bytes(gz(nifti()) + zipped(content=long_text(p)))


@place
def zip_behind_a_picture(root: Path, p: Planted) -> None:
    (root / "photo.jpg").write_bytes(jpeg() + zipped(content=long_text(p)))


@place
def zip_behind_a_script(root: Path, p: Planted) -> None:
    (root / "app.pyz").write_bytes(b"#!/usr/bin/env python3\n" + zipped(content=long_text(p)))


@place
def zip_before_zip(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(content=long_text(p)) + zipped())


@place
def gzip_between_zip_and_its_end(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(archive_comment=gz(long_text(p))))


@place
def gzip_behind_a_page(root: Path, p: Planted) -> None:
    (root / "report.html").write_bytes(b"<html></html>\n" + gz(long_text(p)))


@place
def gzip_behind_tar(root: Path, p: Planted) -> None:
    (root / "release.tar").write_bytes(tarred() + gz(long_text(p)))


@place
def gzip_in_an_old_tar(root: Path, p: Planted) -> None:
    (root / "release.tar").write_bytes(b"a.txt".ljust(512, b"\0") + gz(long_text(p)))


@place
def gzip_behind_dicom(root: Path, p: Planted) -> None:
    (root / "IM0001").write_bytes(dicom() + gz(long_text(p)))


@place
def xz_in_the_middle(root: Path, p: Planted) -> None:
    (root / "a.bin").write_bytes(b"\1\2\3" * 99 + lzma.compress(long_text(p)) + b"\1\2\3" * 99)


@place
def bzip2_in_the_middle(root: Path, p: Planted) -> None:
    (root / "a.bin").write_bytes(b"\1\2\3" * 99 + bz2.compress(long_text(p)) + b"\1\2\3" * 99)


@place
def picture_in_the_middle(root: Path, p: Planted) -> None:
    picture = png((b"zTXt", b"Comment\0\0" + zlib.compress(long_text(p))))
    (root / "a.bin").write_bytes(b"\1\2\3" * 99 + picture + b"\1\2\3" * 99)


@place
def paper_in_a_page(root: Path, p: Planted) -> None:
    stream = b"stream\n" + zlib.compress(long_text(p)) + b"\nendstream"
    (root / "report.html").write_bytes(b"<html></html>\n%PDF-1.7\n" + stream)


@place
def lzma_without_magic(root: Path, p: Planted) -> None:
    (root / "a.lzma").write_bytes(lzma.compress(long_text(p), lzma.FORMAT_ALONE))


@place
def zlib_alone(root: Path, p: Planted) -> None:
    (root / "a.zz").write_bytes(zlib.compress(long_text(p)))


@place
def tiff_with_deflate(root: Path, p: Planted) -> None:
    (root / "a.tif").write_bytes(b"II*\0" + bytes(range(200)) + zlib.compress(long_text(p)) + bytes(range(99)))


@place
def png_unknown_chunk(root: Path, p: Planted) -> None:
    (root / "figure.png").write_bytes(png((b"qpHd", zlib.compress(long_text(p)))))


@place
def pdf_stream_in_ascii(root: Path, p: Planted) -> None:
    stream = base64.a85encode(zlib.compress(long_text(p))) + b"~>"
    (root / "paper.pdf").write_bytes(b"%PDF-1.7\n1 0 obj<<>>\nstream\n" + stream + b"\nendstream\nendobj")


@place
def pdf_behind_a_stream(root: Path, p: Planted) -> None:
    stream = zlib.compress(b"BT (text) Tj ET") + p.name.encode()
    (root / "paper.pdf").write_bytes(b"%PDF-1.7\n1 0 obj<<>>\nstream\n" + stream + b"\nendstream\nendobj")


@place
def numpy_records(root: Path, p: Planted) -> None:
    np.save(root / "a.npy", np.array([(1, p.name)], dtype=[("n", "<i4"), ("who", "<U40")]))


@place
def notebook_line_breaks(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "demo.ipynb").write_text(json.dumps({"text": [f"patient\n{family}\t{given}\n"]}))


@place
def json_slashes(root: Path, p: Planted) -> None:
    (root / "a.json").write_text(f'{{"day":"{p.day.year}\\/{p.day:%m}\\/{p.day:%d}"}}')


@place
def json_in_json(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "a.json").write_text(json.dumps({"inner": json.dumps({"family": family, "given": given})}))


@place
def html_entities_without_end(root: Path, p: Planted) -> None:
    (root / "a.html").write_text("<p>" + "".join(f"&#{ord(char)}" for char in p.hanzi) + "</p>")


@place
def css_escapes(root: Path, p: Planted) -> None:
    (root / "a.css").write_text('p::after{content:"' + "".join(f"\\{ord(char):x} " for char in p.hanzi) + '"}')


@place
def script_escapes(root: Path, p: Planted) -> None:
    (root / "a.js").write_text('x="' + "".join(f"\\u{{{ord(char):x}}}" for char in p.hanzi) + '"')


@place
def python_escapes(root: Path, p: Planted) -> None:
    (root / "a.py").write_text('x="' + "".join(f"\\U{ord(char):08x}" for char in p.hanzi) + '"')


@place
def quoted_printable_in_small_letters(root: Path, p: Planted) -> None:
    coded = "".join(f"={byte:02x}" for byte in p.hanzi.encode())
    (root / "a.eml").write_text(f"From: =?utf-8?Q?{coded}?= <a@b>")


@place
def id_in_a_long_path(root: Path, p: Planted) -> None:
    folders = f"radiology/pacs/archive/export/year{p.day.year}/month06/liver/multiphase/contrast/{p.patient_id}"
    (root / "log.txt").write_text(f"read /mnt/data/{folders}/series1/images/original/venous/IM0001 ok")


@place
def name_in_a_long_path(root: Path, p: Planted) -> None:
    folders = f"mnt/data/radiology/pacs/archive/export/liver/multiphase/contrast/{p.name.replace('^', '')}"
    (root / "log.txt").write_text(f"read /{folders}/series1/images/original/venous/IM0001 ok")


@place
def day_in_a_long_path(root: Path, p: Planted) -> None:
    folders = f"mnt/data/radiology/pacs/archive/export/liver/multiphase/contrast/{p.day:%Y%m%d}"
    (root / "log.txt").write_text(f"read /{folders}/series1/images/original/venous/IM0001 ok")


def toned(p: Planted) -> str:
    """The name with a mark on each of two vowels."""
    family, given = p.name.split("^")
    return f"{family.replace('a', 'ā').replace('e', 'é')}_{given.replace('a', 'ǎ').replace('i', 'í')}"


@place
def file_name_with_tones(root: Path, p: Planted) -> None:
    (root / f"{toned(p)}_ct.txt").write_text("x")


@place
def file_name_in_percent(root: Path, p: Planted) -> None:
    (root / f"{quote(p.hanzi)}.txt").write_text("x")


@place
def file_name_of_full_width(root: Path, p: Planted) -> None:
    (root / f"{''.join(chr(ord(char) + 0xFEE0) for char in p.patient_id)}.txt").write_text("x")


@place
def file_name_in_base64(root: Path, p: Planted) -> None:
    (root / f"{base64.urlsafe_b64encode(f'patient {p.name}'.encode()).decode().rstrip('=')}.txt").write_text("x")


@place
def zip_member_name_with_tones(root: Path, p: Planted) -> None:
    (root / "release.zip").write_bytes(zipped(name=f"{toned(p)}/ct.nii"))


@place
def tar_member_name_with_tones(root: Path, p: Planted) -> None:
    (root / "release.tar").write_bytes(tarred(name=f"{toned(p)}/ct.nii"))


@place
def date_with_en_dashes(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%Y–%m–%d}.", encoding="utf-8")


@place
def date_with_unbreakable_hyphens(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%Y\u2011%m\u2011%d}.", encoding="utf-8")


@place
def date_with_blanks(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%Y - %m - %d}.")


@place
def date_with_blanks_and_slashes(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%d / %m / %Y}.")


@place
def date_with_a_cut_year(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.day:%b} {p.day.day}, '{p.day:%y}.")


@place
def name_with_an_en_dash(root: Path, p: Planted) -> None:
    (root / "README.md").write_text(f"seen {p.name.replace('^', '–')}.", encoding="utf-8")


@place
def name_in_two_attributes_of_a_tag(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "a.html").write_text(f'<td data-family="{family}" data-given="{given}">')


@place
def html_comment_between(root: Path, p: Planted) -> None:
    family, given = p.name.split("^")
    (root / "a.html").write_text(f"<p>{family}<!-- a > b -->{given}</p>")


@place
def base64_in_an_address(root: Path, p: Planted) -> None:
    (root / "a.html").write_text(f"<img src='/img/{base64.b64encode(p.hanzi.encode()).decode()}.png'>")


@place
def base64_behind_a_word(root: Path, p: Planted) -> None:
    (root / "a.txt").write_text(f"id_{base64.b64encode(p.hanzi.encode()).decode()}")


@place
def base64_of_zlib(root: Path, p: Planted) -> None:
    (root / "a.json").write_text(json.dumps({"x": base64.b64encode(zlib.compress(long_text(p))).decode()}))


@place
def base64_wrapped(root: Path, p: Planted) -> None:
    (root / "demo.ipynb").write_text(json.dumps({"image/png": base64.encodebytes(long_text(p)).decode()}))


@place
def base32_in_text(root: Path, p: Planted) -> None:
    (root / "a.txt").write_text(base64.b32encode(f"name: {p.name}".encode()).decode())


@place
def gb18030_read_as_latin(root: Path, p: Planted) -> None:
    (root / "a.txt").write_text(f"name: {p.hanzi.encode('gb18030').decode('latin-1')}", encoding="utf-8")


@place
def utf8_read_as_windows(root: Path, p: Planted) -> None:
    misread = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in p.hanzi.encode())
    (root / "a.txt").write_text(f"name: {misread}", encoding="utf-8")


PERSON = Planted(
    name="Zhang^Xiaoming", hanzi="张小明", patient_id="00734519", day=datetime(2021, 3, 5, 4, 30, tzinfo=UTC),
    accession="A1900734", uid="1.2.840.113619.2.55.3.2831163.77", traditional="張小明",
)  # fmt: skip

TWIN = Planted(
    name="Zheng^Xiaoning", hanzi="王天地", patient_id="00481672", day=datetime(2020, 8, 17, 4, 30, tzinfo=UTC),
    accession="A1800555", uid="1.2.840.113619.2.55.3.9926415.12", traditional="張小寧",
)  # fmt: skip
"""Another person, whom the ledger does not know."""
