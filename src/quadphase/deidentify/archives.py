"""Open gzip, zip and tar: every header field, every member, and the bytes between them."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Final

from quadphase.deidentify.moments import moment, zip_moment
from quadphase.deidentify.regions import LARGEST, TOO_LARGE, Flaw, Nature, Part, Region, outside

__all__ = ["gzip_header", "is_gzip", "is_tar", "is_zip", "open_gzip", "open_tar", "open_zip"]

GZIP_PIECE: Final = 64 << 10
"""Compressed bytes inflated at a time, so that what comes out stays in the cache (measured)."""
INFLATED_PIECE: Final = 512 << 10
"""At most that many come out at a time."""


def is_gzip(data: bytes) -> bool:
    return data[:3] == b"\x1f\x8b\x08"


def open_gzip(data: bytes, place: str) -> Iterator[Part]:
    """All members of a gzip file (RFC 1952): extra field, name, comment, time, contents; and what follows the last."""
    found: list[Part] = []
    # Members are one stream to every reader, so an identifier may be cut by their border.
    yield _gzip_contents(data, place, found), f"{place} > gzip contents".removeprefix(" > ")
    yield from found


def _gzip_contents(data: bytes, place: str, found: list[Part]) -> Iterator[bytes]:
    """Contents of all members in pieces; everything else that the file holds is added to `found` on the way."""
    from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor, IsalError
    from isal.isal_zlib import crc32

    damaged: type[Exception] = IsalError  # type: ignore[assignment]  # declared as an instance
    at, member = 0, 0
    while is_gzip(data[at : at + 3]):
        member += 1
        where = f"{place} > gzip member {member}".removeprefix(" > ")
        try:
            seconds, at, header = gzip_header(data, at)
        except (IndexError, ValueError, struct.error):
            found.append(Flaw(place=where, reason="damaged gzip header"))
            return
        if header:
            found.append(Region(data=header, nature=Nature.TEXT, place=f"{where} header"))
        found += moment(seconds, f"{where} time")
        inflater = IgzipDecompressor(DECOMP_DEFLATE)
        checksum = size = 0
        try:
            while not inflater.eof and (at < len(data) or not inflater.needs_input):
                packed = memoryview(data)[at : at + GZIP_PIECE] if inflater.needs_input else b""
                piece = inflater.decompress(packed, INFLATED_PIECE)
                checksum, size = crc32(piece, checksum), size + len(piece)
                yield piece
                at += len(packed)
        except damaged:
            found.append(Flaw(place=where, reason="damaged gzip data"))
            found.append(Region(data=data[at:], nature=Nature.OPAQUE, place=where))
            return
        at -= len(inflater.unused_data)
        trailer = data[at : at + 8]
        at += 8
        if not inflater.eof or len(trailer) < 8:
            found.append(Flaw(place=where, reason="gzip data ends too early"))
        elif trailer != struct.pack("<II", checksum, size & 0xFFFFFFFF):
            found.append(Flaw(place=where, reason="the gzip checksum or length is another"))
            found.append(Region(data=trailer, nature=Nature.TEXT, place=f"{where} checksum"))
    if at < len(data):
        found.append((data[at:], f"{place} > after gzip".removeprefix(" > ")))


def gzip_header(data: bytes, at: int) -> tuple[int, int, bytes]:
    """(time, offset of the body, text fields) of the member at `at`."""
    flags = data[at + 3]
    (seconds,) = struct.unpack_from("<I", data, at + 4)
    end = at + 10
    fields: list[bytes] = []
    if flags & 4:
        (length,) = struct.unpack_from("<H", data, end)
        fields.append(data[end + 2 : end + 2 + length])
        end += 2 + length
    for flag in (8, 16):
        if flags & flag:
            stop = data.index(b"\0", end)
            fields.append(data[end:stop])
            end = stop + 1
    if flags & 2:
        end += 2
    return seconds, end, b"\n".join(fields)


def is_zip(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def open_zip(data: bytes, place: str) -> Iterator[Part]:
    """Members with names, comments, extra fields and times; everything outside the members' data."""
    spans: list[tuple[int, int]] = []
    begins = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            begins = min((info.header_offset for info in archive.infolist()), default=0)
            for number, info in enumerate(archive.infolist(), start=1):
                where = f"{place} > zip member {number}".removeprefix(" > ")
                yield Region(data=info.filename.encode(errors="replace"), nature=Nature.NAME, place=f"{where} name")
                yield from zip_moment(info.date_time, f"{where} time")
                if info.is_dir():
                    continue
                try:
                    with archive.open(info) as stream:
                        contents = stream.read(LARGEST + 1)
                    if len(contents) > LARGEST:
                        yield Flaw(place=where, reason=TOO_LARGE)
                    else:
                        yield contents, where
                except Exception:  # encrypted, unknown method, damaged
                    yield Flaw(place=where, reason="cannot be unpacked")
                    continue
                lengths = struct.unpack_from("<HH", data, info.header_offset + 26)
                begin = info.header_offset + 30 + sum(lengths)
                spans.append((begin, begin + info.compress_size))
    except (zipfile.BadZipFile, struct.error, OSError, ValueError):
        yield Flaw(place=place or "zip", reason="damaged zip archive")
    yield data[:begins], f"{place} > before the zip archive".removeprefix(" > ")
    # Its own headers are no archive in what is left.
    headers = outside(data, [(0, begins), *spans]).replace(b"PK\x03\x04", b"PK\n\n")
    yield Region(data=headers, nature=Nature.TEXT, place=f"{place} > zip headers".removeprefix(" > "))


def is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def open_tar(data: bytes, place: str) -> Iterator[Part]:
    """Members with names, owners and times; headers, padding and everything outside the members' data."""
    spans: list[tuple[int, int]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, info in enumerate(archive, start=1):
                where = f"{place} > tar member {number}".removeprefix(" > ")
                yield Region(data=info.name.encode(errors="replace"), nature=Nature.NAME, place=f"{where} name")
                owners = "\n".join((info.uname, info.gname, info.linkname, str(info.uid), str(info.gid)))
                yield Region(data=owners.encode(errors="replace"), nature=Nature.NAME, place=f"{where} owner")
                for key, value in info.pax_headers.items():
                    yield Region(
                        data=f"{key}={value}".encode(errors="replace"), nature=Nature.TEXT, place=f"{where} header"
                    )
                yield from moment(float(info.mtime), f"{where} time")
                if info.isfile():
                    stream = archive.extractfile(info)
                    yield (stream.read() if stream else b""), where
                    spans.append((info.offset_data, info.offset_data + info.size))
    except (tarfile.TarError, OSError, ValueError):
        yield Flaw(place=place or "tar", reason="damaged tar archive")
    yield Region(data=outside(data, spans), nature=Nature.TEXT, place=f"{place} > tar headers".removeprefix(" > "))
