"""Receive C-STORE sub-operations straight from the socket to disk.

pynetdicom turns every protocol data unit into several objects, copies its bytes six times, hands it between two
threads and keeps the whole data set in memory; that, not the network, limits a C-GET to under two hundred slices a
second. This module takes over one thing: bytes that belong to a C-STORE request. It reads the socket in large pieces,
writes data fragments to the file they belong to, and answers the request itself. Everything else (association, C-GET
and C-MOVE responses, releases, aborts) is passed to pynetdicom as if it had read it.

It replaces two methods of one association's upper layer, found by name; `Intake.attach` says False when pynetdicom
has no such methods any more, and the caller then uses an ordinary C-STORE handler, slower and with the same result.

What the bytes mean is in `messages`.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from quadphase.acquire.dimse.messages import (
    P_DATA,
    command_elements,
    data_unit,
    file_meta,
    is_pending,
    presentation_values,
    store_response,
    text_of,
)
from quadphase.acquire.dimse.sockets import acknowledge_at_once, send_at_once
from quadphase.errors import OutputError

__all__ = ["Intake", "Landing"]

_READ: Final = 1 << 19
"""Bytes asked of the socket at once."""
_LONGEST_PDU: Final = 1 << 26
"""A length beyond this is no protocol data unit; pynetdicom gets to say so."""
_C_STORE_RQ: Final = b"\x01\x00"
_OUT_OF_RESOURCES: Final = 0xA700
"""C-STORE status "refused: out of resources", PS3.4 B.2.3."""


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
                rest = self._data(memoryview(buffer[whole + 6 : end])) if kind == P_DATA else buffer[whole:end]
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
        values = presentation_values(body)
        for number, (context, header, value) in enumerate(values):
            if header & 1:
                if header & 2 and not self._command and is_pending(value):
                    continue
                self._command += value
                if not header & 2:
                    continue
                command = bytes(self._command)
                self._command.clear()
                if command_elements(command).get(0x0100) != _C_STORE_RQ:
                    # fragments of its command that came in earlier units are put together again here
                    return data_unit([(context, 0x03, memoryview(command)), *values[number + 1 :]])
                self._begin(context, command)
            elif self._current is None:
                return data_unit(values[number:])
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
                    text_of(self._request.get(0x0002, b"")),
                    text_of(self._request.get(0x1000, b"")),
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
            self._current.keep(text_of(self._request.get(0x1000, b"")))  # type: ignore[union-attr]
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
