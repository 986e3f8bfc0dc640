"""Bytes of the few DICOM messages the intake reads and writes itself.

Protocol data units are of PS3.8 section 9.3, presentation data values of PS3.8 annex E, command sets of PS3.7 sections
6.3 and 9.3.1, the file meta group of PS3.10 section 7.1. Pure functions: no socket, no state, nothing of pynetdicom.
"""

from __future__ import annotations

import struct
from typing import Final

__all__ = [
    "P_DATA",
    "command_elements",
    "data_unit",
    "file_meta",
    "is_pending",
    "presentation_values",
    "store_response",
    "text_of",
]

P_DATA: Final = 4
"""Type of a P-DATA-TF unit."""
_LONGEST_COMMAND: Final = 1 << 16
_IMPLEMENTATION_UID: Final = "2.25.163274513850967202331785116190321872"


def presentation_values(body: memoryview) -> list[tuple[int, int, memoryview]]:
    """(context id, message control header, fragment) of every presentation data value in a unit."""
    found = []
    position = 0
    while position + 6 <= len(body):
        length = int.from_bytes(body[position : position + 4], "big")
        if length < 2 or position + 4 + length > len(body):
            break
        found.append((body[position + 4], body[position + 5], body[position + 6 : position + 4 + length]))
        position += 4 + length
    return found


def data_unit(values: list[tuple[int, int, memoryview]]) -> bytes:
    """Inverse of `presentation_values`, with the head of a P-DATA-TF unit."""
    body = b"".join(struct.pack(">IBB", len(value) + 2, context, header) + value for context, header, value in values)
    return struct.pack(">BBI", P_DATA, 0, len(body)) + body


def command_elements(command: memoryview | bytes) -> dict[int, bytes]:
    """Values of a command set by element number (all are of group 0000, implicit VR little endian)."""
    found: dict[int, bytes] = {}
    position = 0
    while position + 8 <= len(command) and len(command) <= _LONGEST_COMMAND:
        group, element, length = struct.unpack_from("<HHI", command, position)
        position += 8
        if group != 0 or position + length > len(command):
            break
        found[element] = bytes(command[position : position + length])
        position += length
    return found


def is_pending(command: memoryview) -> bool:
    """Whether this is a C-GET or C-MOVE response that only says "still at it" (PS3.7 tables 9.3-7 and 9.3-10)."""
    if len(command) < 8 + 4 + 8:
        return False
    elements = command_elements(command)
    kind, status = elements.get(0x0100, b""), elements.get(0x0900, b"")
    return kind in (b"\x10\x80", b"\x21\x80") and status == b"\x00\xff" and elements.get(0x0800) == b"\x01\x01"


def text_of(value: bytes) -> str:
    """A UID of a command set, without its padding."""
    return value.decode("ascii", "replace").strip("\0 ")


def store_response(context: int, request: dict[int, bytes], status: int) -> bytes:
    """P-DATA-TF unit with the C-STORE response (PS3.7 table 9.3-2) to a request."""
    elements = b"".join(
        struct.pack("<HHI", 0, element, len(value)) + value
        for element, value in (
            (0x0002, request.get(0x0002, b"")),
            (0x0100, struct.pack("<H", 0x8001)),
            (0x0120, request.get(0x0110, b"\0\0")),
            (0x0800, struct.pack("<H", 0x0101)),
            (0x0900, struct.pack("<H", status)),
            (0x1000, request.get(0x1000, b"")),
        )
    )
    command = struct.pack("<HHII", 0, 0, 4, len(elements)) + elements
    value = struct.pack(">IBB", len(command) + 2, context, 0x03) + command
    return struct.pack(">BBI", P_DATA, 0, len(value)) + value


def file_meta(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble and file meta group of a received data set."""

    def ui(element: int, uid: str) -> bytes:
        value = uid.encode("ascii", "replace")
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HH2sH", 0x0002, element, b"UI", len(value)) + value

    group = (
        struct.pack("<HH2sHI", 0x0002, 0x0001, b"OB", 0, 2)
        + b"\x00\x01"
        + ui(0x0002, sop_class_uid)
        + ui(0x0003, sop_instance_uid)
        + ui(0x0010, transfer_syntax_uid)
        + ui(0x0012, _IMPLEMENTATION_UID)
    )
    return b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(group)) + group
