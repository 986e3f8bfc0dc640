"""Read the few attributes that tell which patient, exam and series a DICOM file belongs to, without reading its pixels.

A file is opened once. One read of 16 KiB usually holds everything before the pixel data; values are skipped by their
length, not decoded, so a header costs tens of microseconds where a general parser needs half a millisecond. The walk
goes on to the pixel data only to learn whether the file is whole. Encodings of PS3.10 and PS3.5: explicit and implicit
VR, both byte orders, deflated; a missing preamble or file meta group is tolerated; what the data set looks like wins
over what the file meta claims, because archives get that wrong.

Refuses to guess: a file whose elements do not ascend, or end in the middle, is `Unreadable` with a reason that never
quotes a value. The judge of this module is pydicom, in ``tests/oracle``.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Final

__all__ = ["Header", "NotDicomError", "UnreadableError", "read_header", "sop_instance_uid_of"]

FIRST_READ: Final = 16 * 1024
"""Bytes read at once; the header of a CT slice is 2 to 10 KiB."""
MAXIMUM_DEPTH: Final = 32
"""Nested sequences of undefined length deeper than this are not walked; real objects stay under ten."""
MAXIMUM_INFLATED: Final = 1 << 30
"""A deflated data set that grows beyond this is refused (a compression bomb)."""
UNDEFINED: Final = 0xFFFFFFFF

_LONG_FORM: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""VRs with a 32-bit length in explicit encoding, PS3.5 section 7.1.2."""
_SHORT_FORM: Final = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US")
)  # fmt: skip

_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_BIG_ENDIAN: Final = b"1.2.840.10008.1.2.2"
_DICOMDIR_CLASS: Final = b"1.2.840.10008.1.3.10"

_WANTED: Final = frozenset(
    (0x00020002, 0x00020003, 0x00020010, 0x00080016, 0x00080018, 0x00080020, 0x00080030, 0x00080050, 0x00080060,
     0x00100020, 0x0020000D, 0x0020000E, 0x00200010, 0x00200011, 0x00280010)
)  # fmt: skip
_PIXELS: Final = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))


class NotDicomError(ValueError):
    """The bytes are not those of a DICOM file."""


class UnreadableError(ValueError):
    """A DICOM file, but empty, cut or broken; `header` is what could be read before the fault."""

    def __init__(self, reason: str, header: Header | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.header = header


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Attributes of one file, as written there (stripped of padding); blank text where absent.

    ``media_sop_class_uid`` and ``media_sop_instance_uid`` come from the file meta group: half-done de-identification
    blanks the data set and forgets them there.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = field(default="", repr=False)
    media_sop_class_uid: str = ""
    media_sop_instance_uid: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    study_time: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    modality: str = ""
    patient_id: str = field(default="", repr=False)
    study_instance_uid: str = field(default="", repr=False)
    series_instance_uid: str = field(default="", repr=False)
    study_id: str = field(default="", repr=False)
    series_number: str = ""
    has_matrix: bool = False
    """Rows is present: the object describes an image."""
    has_pixels: bool = False
    is_dicomdir: bool = False


class _Source:
    """Bytes of a file from its start, read on demand; `data` holds the window ``base <= offset < base + len(data)``."""

    __slots__ = ("_descriptor", "base", "data", "size")

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size
        self.base = 0
        self.data = os.pread(descriptor, FIRST_READ, 0)
        if len(self.data) < min(FIRST_READ, size):
            self.size = len(self.data)

    def at(self, position: int, count: int) -> int:
        """Index within `data` of `count` bytes at `position`, refilled when needed; -1 at the end of the file."""
        index = position - self.base
        if index >= 0 and index + count <= len(self.data):
            return index
        if position + count > self.size or self._descriptor < 0:
            return -1
        self.data = os.pread(self._descriptor, max(FIRST_READ, count), position)
        self.base = position
        return 0 if len(self.data) >= count else -1

    def everything(self, start: int) -> bytes:
        return os.pread(self._descriptor, max(self.size - start, 0), start)


class _Inflated(_Source):
    """A deflated data set, inflated in memory."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        self._descriptor = -1
        self.data = data
        self.base = 0
        self.size = len(data)


@dataclass(frozen=True, slots=True)
class _Syntax:
    explicit: bool
    short: Struct
    """group, element, VR, 16-bit length (explicit)"""
    tag_and_length: Struct
    """group, element, 32-bit length (implicit, items)"""
    long: Struct
    """32-bit length after the reserved bytes"""


_SYNTAXES: Final = {
    (explicit, big): _Syntax(explicit, Struct(f"{o}HH2sH"), Struct(f"{o}HHI"), Struct(f"{o}I"))
    for explicit in (True, False)
    for big, o in ((False, "<"), (True, ">"))
}
_IMPLICIT: Final = _SYNTAXES[False, False]


def read_header(path: Path | str, size: int) -> Header:
    """Read one file.

    Parameters
    ----------
    path : Path or str
    size : int
        Size in bytes, as the folder listing gave it.

    Raises
    ------
    NotDicomError
        The file is something else.
    UnreadableError
        Empty, not allowed to read, cut short, or broken.
    """
    if size == 0:
        raise UnreadableError("empty")
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        raise UnreadableError("not allowed to read") from None
    except OSError:
        raise UnreadableError("cannot be opened") from None
    try:
        return _read(_Source(descriptor, size))
    except OSError:
        raise UnreadableError("cannot be read") from None
    finally:
        os.close(descriptor)


def sop_instance_uid_of(beginning: bytes) -> str:
    """SOP instance UID of a DICOM file whose first bytes these are; blank where they do not tell."""
    source: _Source = _Inflated(beginning)
    found: dict[int, bytes] = {}
    if beginning[128:132] != b"DICM":
        return ""
    try:
        position = _file_meta(source, 132, found)
        if not found.get(0x00020003):
            source, position, syntax = _data_set(source, position, found)
            _walk(source, position, syntax, found)
    except UnreadableError:
        pass  # cut on purpose; what was found before the cut counts
    return _decode(found.get(0x00020003) or found.get(0x00080018, b""))


def _read(source: _Source) -> Header:
    found: dict[int, bytes] = {}
    marked = source.data[128:132] == b"DICM"
    start = 132 if marked else 0
    if not marked and source.data[:4] == b"DICM":
        start, marked = 4, True  # the marker without its preamble
    if not marked and not _looks_like_dicom(source.data):
        raise NotDicomError
    try:
        position = _file_meta(source, start, found)
        source, position, syntax = _data_set(source, position, found)
        return _finish(found, _walk(source, position, syntax, found))
    except UnreadableError as error:
        if not marked and not found.get(0x00080016) and not found.get(0x0020000D):
            raise NotDicomError from None  # the first bytes looked like a tag by chance
        raise UnreadableError(error.reason, _finish(found, False)) from None


def _looks_like_dicom(data: bytes) -> bool:
    """Whether bytes without a preamble start with an element of group 0002 or 0008 and a plausible length."""
    if len(data) < 16:
        return False
    group, element, vr, short = _SYNTAXES[True, False].short.unpack_from(data)
    if group in (0x0002, 0x0008) and element <= 0x0100:
        length = int.from_bytes(data[4:8], "little")
        return vr in _SHORT_FORM or vr in _LONG_FORM or length <= 1024
    group, element, vr, short = _SYNTAXES[True, True].short.unpack_from(data)
    return group == 0x0008 and element <= 0x0100 and vr in _SHORT_FORM and short <= 1024


def _file_meta(source: _Source, position: int, found: dict[int, bytes]) -> int:
    """Read group 0002 (always explicit little endian, PS3.10 section 7.1); offset of the data set."""
    syntax = _SYNTAXES[True, False]
    while True:
        index = source.at(position, 8)
        if index < 0:
            raise UnreadableError("cut short")
        group, element, vr, length = syntax.short.unpack_from(source.data, index)
        if group != 0x0002:
            return position
        skip = 8
        if vr in _LONG_FORM:
            index = source.at(position, 12)
            if index < 0:
                raise UnreadableError("cut short")
            length = syntax.long.unpack_from(source.data, index + 8)[0]
            skip = 12
        tag = 0x00020000 | element
        if tag in _WANTED:
            found[tag] = _value(source, position + skip, length)
        position += skip + length


def _data_set(source: _Source, position: int, found: dict[int, bytes]) -> tuple[_Source, int, _Syntax]:
    """Undo deflation and decide the encoding from the first element."""
    claimed = found.get(0x00020010, b"").rstrip(b"\0 ")
    if claimed == _DEFLATED:
        inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            inflated = inflater.decompress(source.everything(position), MAXIMUM_INFLATED)
        except zlib.error:
            raise UnreadableError("broken compression") from None
        if not inflater.eof:
            raise UnreadableError("cut short")
        source, position = _Inflated(inflated), 0
    index = source.at(position, 8)
    if index < 0:
        raise UnreadableError("no data set")
    group = int.from_bytes(source.data[index : index + 2], "little")
    vr = source.data[index + 4 : index + 6]
    big = claimed == _BIG_ENDIAN or (group > 0x00FF and group & 0xFF == 0)
    return source, position, _SYNTAXES[vr in _SHORT_FORM or vr in _LONG_FORM, big]


def _walk(source: _Source, position: int, syntax: _Syntax, found: dict[int, bytes]) -> bool:
    """Collect wanted values up to the pixel data; whether there are pixels.

    Raises
    ------
    UnreadableError
    """
    explicit, short, plain, long = syntax.explicit, syntax.short, syntax.tag_and_length, syntax.long
    last = -1
    while position < source.size:
        index = source.at(position, 12)
        if index < 0:
            index = source.at(position, 8)
            if index < 0:
                raise UnreadableError("cut short")
        if explicit:
            group, element, vr, length = short.unpack_from(source.data, index)
            skip = 8
            if vr in _LONG_FORM:
                if source.at(position, 12) < 0:
                    raise UnreadableError("cut short")
                length = long.unpack_from(source.data, index + 8)[0]
                skip = 12
            elif vr not in _SHORT_FORM:
                raise UnreadableError("broken")
        else:
            group, element, length = plain.unpack_from(source.data, index)
            vr, skip = b"", 8
        tag = group << 16 | element
        if tag <= last:
            raise UnreadableError("broken")
        last = tag
        position += skip
        if tag in _PIXELS:
            _check_pixels(source, position, length, syntax)
            return bool(length)
        if length == UNDEFINED:
            # PS3.5 section 6.2.2: an unknown VR of undefined length is encoded as an implicit little endian sequence
            position = _skip_items(source, position, _IMPLICIT if vr == b"UN" else syntax, 0)
            continue
        if tag in _WANTED and length:
            found[tag] = _value(source, position, length)
        position += length
    if position > source.size:
        raise UnreadableError("cut short")
    return False


def _value(source: _Source, position: int, length: int) -> bytes:
    if length > FIRST_READ:
        raise UnreadableError("broken")
    index = source.at(position, length)
    if index < 0:
        raise UnreadableError("cut short")
    return source.data[index : index + length]


def _skip_items(source: _Source, position: int, syntax: _Syntax, depth: int) -> int:
    """Offset after a sequence of undefined length (PS3.5 section 7.5) whose first item is at `position`."""
    if depth > MAXIMUM_DEPTH:
        raise UnreadableError("nested too deeply")
    while True:
        index = source.at(position, 8)
        if index < 0:
            raise UnreadableError("cut short")
        group, element, length = syntax.tag_and_length.unpack_from(source.data, index)
        position += 8
        if group != 0xFFFE:
            raise UnreadableError("broken")
        if element == 0xE0DD:
            return position
        position = _skip_item(source, position, syntax, depth) if length == UNDEFINED else position + length


def _skip_item(source: _Source, position: int, syntax: _Syntax, depth: int) -> int:
    """Offset after an item of undefined length whose first element is at `position`."""
    while True:
        index = source.at(position, 8)
        if index < 0:
            raise UnreadableError("cut short")
        group, element, length = syntax.tag_and_length.unpack_from(source.data, index)
        if group == 0xFFFE:
            if element != 0xE00D:
                raise UnreadableError("broken")
            return position + 8
        skip, vr = 8, b""
        if syntax.explicit:
            _, _, vr, length = syntax.short.unpack_from(source.data, index)
            if vr in _LONG_FORM:
                index = source.at(position, 12)
                if index < 0:
                    raise UnreadableError("cut short")
                length = syntax.long.unpack_from(source.data, index + 8)[0]
                skip = 12
        position += skip
        if length == UNDEFINED:
            position = _skip_items(source, position, _IMPLICIT if vr == b"UN" else syntax, depth + 1)
        else:
            position += length


def _check_pixels(source: _Source, position: int, length: int, syntax: _Syntax) -> None:
    """Refuse pixel data that end before their length, or fragments (PS3.5 A.4) that end before the delimiter."""
    if length != UNDEFINED:
        if position + length > source.size:
            raise UnreadableError("pixel data cut short")
        return
    while True:
        index = source.at(position, 8)
        if index < 0:
            raise UnreadableError("pixel data cut short")
        group, element, size = syntax.tag_and_length.unpack_from(source.data, index)
        if group != 0xFFFE:
            raise UnreadableError("broken pixel data")
        if element == 0xE0DD:
            return
        position += 8 + size


def _finish(found: dict[int, bytes], has_pixels: bool) -> Header:
    def text(tag: int) -> str:
        return _decode(found.get(tag, b""))

    sop_class, media_class = text(0x00080016), text(0x00020002)
    return Header(
        sop_class_uid=sop_class,
        sop_instance_uid=text(0x00080018),
        media_sop_class_uid=media_class,
        media_sop_instance_uid=text(0x00020003),
        study_date=text(0x00080020),
        study_time=text(0x00080030),
        accession_number=text(0x00080050),
        modality=text(0x00080060),
        patient_id=text(0x00100020),
        study_instance_uid=text(0x0020000D),
        series_instance_uid=text(0x0020000E),
        study_id=text(0x00200010),
        series_number=text(0x00200011),
        has_matrix=0x00280010 in found,
        has_pixels=has_pixels,
        is_dicomdir=_DICOMDIR_CLASS.decode() in (media_class, sop_class),
    )


def _decode(value: bytes) -> str:
    """Text of a short value: ASCII nearly always; else UTF-8, then GB18030 (undeclared in many Chinese archives)."""
    raw = value.strip(b"\0 \t\r\n")
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
