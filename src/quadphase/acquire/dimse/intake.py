"""Receive C-STORE sub-operations straight from the socket to disk.

pynetdicom turns every protocol data unit into several objects, copies its bytes six times, hands it between two
threads and keeps the whole data set in memory; that, not the network, limits a C-GET to under two hundred slices a
second. This module takes over one thing: bytes that belong to a C-STORE request. It reads the socket in large pieces,
writes data fragments to the file they belong to, and answers the request itself. Everything else (association, C-GET
and C-MOVE responses, releases, aborts) is passed to pynetdicom as if it had read it.

It replaces two methods of one association's upper layer, found by name; `Intake.attach` says False when pynetdicom
has no such methods any more, and the caller then uses an ordinary C-STORE handler, slower and with the same result.

Encodings: protocol data units PS3.8 section 9.3, presentation data values PS3.8 annex E, command set PS3.7 sections
6.3 and 9.3.1, file meta group PS3.10 section 7.1.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from quadphase.acquire.dimse.sockets import acknowledge_at_once, send_at_once
from quadphase.errors import OutputError

__all__ = ["Intake", "Landing", "file_meta"]

_READ: Final = 1 << 19
"""Bytes asked of the socket at once."""
_P_DATA: Final = 4
_LONGEST_PDU: Final = 1 << 26
"""A length beyond this is no protocol data unit; pynetdicom gets to say so."""
_LONGEST_COMMAND: Final = 1 << 16
_C_STORE_RQ: Final = b"\x01\x00"
_OUT_OF_RESOURCES: Final = 0xA700
"""C-STORE status "refused: out of resources", PS3.4 B.2.3."""

_IMPLEMENTATION_UID: Final = "2.25.163274513850967202331785116190321872"


class Piece(Protocol):
    """One instance while it arrives."""

    def write(self, piece: bytes | bytearray | memoryview) -> None: ...
    def keep(self, sop_instance_uid: str) -> None: ...
    def drop(self) -> None: ...


Landing = Callable[[dict[int, bytes]], Piece]
"""Opens the place for the next instance, given its request's command elements; `OutputError` refuses it."""


class Intake:
    """C-STORE receiver of one association.

    Parameters
    ----------
    landing : callable
        Called when an instance begins; see `Landing`.
    stored : callable
        Called after every instance; may sleep (the rate limit).
    failed : callable, optional
        Called when an instance was refused; by default `failure` remembers why.
    """

    def __init__(
        self, landing: Landing, stored: Callable[[], None], failed: Callable[[OutputError], None] | None = None
    ) -> None:
        self._landing = landing
        self._stored = stored
        self._failed = failed or self.fail
        self._refused = False
        self._buffer = bytearray()
        self._command = bytearray()
        self._current: Piece | None = None
        self._request: dict[int, bytes] = {}
        self._association: Any = None
        self._dul: Any = None
        self.failure: OutputError | None = None
        """Why an instance was refused; the retrieval is broken off then."""
        self.last_activity = time.monotonic()

    def attach(self, association: Any) -> bool:
        """Take over an established association; False if this pynetdicom is built differently."""
        dul = association.dul
        needed = ("_is_transport_event", "_decode_pdu", "_recv_pdu", "event_queue", "state_machine", "socket",
        "_kill_thread",
                  "_idle_timer", "to_provider_queue")  # fmt: skip
        if not all(hasattr(dul, name) for name in needed) or not hasattr(dul.socket, "socket"):
            return False
        self._association, self._dul = association, dul
        self._ordinary = dul._is_transport_event
        send_at_once(association)
        dul._is_transport_event = self._transport_event
        return True

    def close(self) -> None:
        """Forget a half-arrived instance; call when the association has ended."""
        if self._current is not None:
            self._current.drop()
            self._current = None

    # Reading

    def _transport_event(self) -> bool:
        """pynetdicom's question "did something arrive?"; True restarts its idle timer."""
        dul = self._dul
        raw = dul.socket.socket if dul.socket is not None else None
        if raw is None or dul.state_machine.current_state != "Sta6":
            return bool(self._drain_rest() or self._ordinary())
        # Data arrive faster than the reactor sleeps: stay while they do, as long as nothing is to be sent.
        while dul.to_provider_queue.empty() and not dul._kill_thread:
            event = self._next_pdu()
            if event is not None:
                return event
            if not self._readable(raw):
                return False
            try:
                piece = raw.recv(_READ)
            except OSError:
                piece = b""
            if not piece:
                self.close()
                dul.event_queue.put("Evt17")  # transport connection closed, PS3.8 section 9.2
                return True
            acknowledge_at_once(raw)
            self.touch()
            dul._idle_timer.restart()
            self._buffer += piece
        return False

    def _readable(self, raw: Any) -> bool:
        pending = getattr(raw, "pending", None)
        if pending is not None and pending():
            return True
        try:
            return bool(select.select([raw], [], [], 0.001)[0])
        except (OSError, ValueError):
            self._dul.event_queue.put("Evt17")
            return False

    def _drain_rest(self) -> bool:
        """Hand over what was read before the association left the data transfer state."""
        return self._next_pdu() is True

    def _next_pdu(self) -> bool | None:
        """Consume whole protocol data units; True once one was passed on, None when more bytes are needed."""
        buffer = self._buffer
        offset = 0
        passed = None
        try:
            while passed is None and len(buffer) - offset >= 6:
                kind, length = buffer[offset], int.from_bytes(buffer[offset + 2 : offset + 6], "big")
                end = offset + 6 + length
                if length > _LONGEST_PDU:
                    end = len(buffer)
                if end > len(buffer):
                    break
                whole, offset = offset, end
                # a copy: fragments are handed out as views, and whoever keeps one must not pin the buffer
                rest = self._data(memoryview(buffer[whole + 6 : end])) if kind == _P_DATA else buffer[whole:end]
                if rest:
                    self._pass_on(rest)
                    passed = True
        finally:
            del buffer[:offset]
        return passed

    def _pass_on(self, pdu: bytes | bytearray) -> None:
        dul = self._dul
        try:
            decoded, event = dul._decode_pdu(bytearray(pdu))
        except Exception:  # whatever it is, PS3.8 calls it an invalid unit
            dul.event_queue.put("Evt19")
            return
        dul.event_queue.put(event)
        dul._recv_pdu.put(decoded)

    # C-STORE

    def _data(self, body: memoryview) -> bytes | bytearray:
        """Handle one P-DATA-TF unit; what of it belongs to other messages, as a unit of its own, or nothing."""
        values = _values(body)
        for number, (context, header, value) in enumerate(values):
            if header & 1:
                if header & 2 and not self._command and _is_pending(value):
                    continue
                self._command += value
                if not header & 2:
                    continue
                command = bytes(self._command)
                self._command.clear()
                if command_elements(command).get(0x0100) != _C_STORE_RQ:
                    # fragments of its command that came in earlier units are put together again here
                    return _unit([(context, 0x03, memoryview(command)), *values[number + 1 :]])
                self._begin(context, command)
            elif self._current is None:
                return _unit(values[number:])
            else:
                self._write(value)
                if header & 2:
                    self._finish(context)
        return b""

    def _begin(self, context: int, command: bytes) -> None:
        self._request = command_elements(command)
        self._refused = False
        try:
            self._current = self._landing(self._request)
            self._current.write(
                file_meta(
                    _text(self._request.get(0x0002, b"")),
                    _text(self._request.get(0x1000, b"")),
                    str(self._association._accepted_cx[context].transfer_syntax[0]),
                )
            )
        except OutputError as error:
            self._refuse(error)

    def _write(self, value: memoryview) -> None:
        try:
            self._current.write(value)  # type: ignore[union-attr]
        except OutputError as error:
            self._refuse(error)

    def _finish(self, context: int) -> None:
        try:
            self._current.keep(_text(self._request.get(0x1000, b"")))  # type: ignore[union-attr]
            if not self._refused:
                self._stored()
        except OutputError as error:
            self._refuse(error)
        self._current = None
        status = _OUT_OF_RESOURCES if self._refused else 0
        self._dul.socket.send(store_response(context, self._request, status))

    def _refuse(self, error: OutputError) -> None:
        """Read the rest of the instance, keep nothing of it, and say so in the answer."""
        self._refused = True
        self._current = _Nowhere()
        self._failed(error)

    def touch(self) -> None:
        self.last_activity = time.monotonic()

    def fail(self, error: OutputError) -> None:
        self.failure = error


class _Nowhere:
    """Where the rest of an instance goes when the disk refused it."""

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Forget it."""

    def keep(self, sop_instance_uid: str) -> None:
        """Forget it."""

    def drop(self) -> None:
        """Nothing to forget."""


def _values(body: memoryview) -> list[tuple[int, int, memoryview]]:
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


def _unit(values: list[tuple[int, int, memoryview]]) -> bytes:
    """Inverse of `_values`, with the head of a P-DATA-TF unit."""
    body = b"".join(struct.pack(">IBB", len(value) + 2, context, header) + value for context, header, value in values)
    return struct.pack(">BBI", _P_DATA, 0, len(body)) + body


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


def _is_pending(command: memoryview) -> bool:
    """Whether this is a C-GET or C-MOVE response that only says "still at it" (PS3.7 tables 9.3-7 and 9.3-10)."""
    if len(command) < 8 + 4 + 8:
        return False
    elements = command_elements(command)
    kind, status = elements.get(0x0100, b""), elements.get(0x0900, b"")
    return kind in (b"\x10\x80", b"\x21\x80") and status == b"\x00\xff" and elements.get(0x0800) == b"\x01\x01"


def _text(value: bytes) -> str:
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
    return struct.pack(">BBI", _P_DATA, 0, len(value)) + value


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
