"""`Listener`: where a PACS sends instances to after C-MOVE. It accepts only what was asked for, and only while it was.

A C-STORE that belongs to a C-MOVE names the message that caused it (PS3.7 9.3.1, Move Originator Message ID), so
instances of an earlier, broken-off C-MOVE that arrive late are refused instead of counted for the wrong series.
"""

from __future__ import annotations

import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from quadphase.acquire.dimse.contexts import accepted_contexts
from quadphase.acquire.dimse.intake import Intake, Piece
from quadphase.acquire.dimse.messages import file_meta
from quadphase.acquire.dimse.sockets import close_for_certain
from quadphase.acquire.store import SeriesStore
from quadphase.errors import InputError, OutputError

__all__ = ["Arrivals", "Listener", "store_event"]

_MOVE_ORIGINATOR_MESSAGE_ID: Final = 0x1031
_OUT_OF_RESOURCES: Final = 0xA700


class Arrivals(Protocol):
    """Who waits for instances: an `Intake` or a `Listener`."""

    failure: OutputError | None

    @property
    def last_activity(self) -> float: ...
    def touch(self) -> None: ...
    def fail(self, error: OutputError) -> None: ...


class Listener:
    """A C-STORE provider on a port of this machine.

    Parameters
    ----------
    title : str
        Our AE title; associations that call another one are refused.
    address : str
        Empty: every interface.
    port : int
    context : ssl.SSLContext, optional
    timeout_s : float

    Raises
    ------
    InputError
        ``"port-in-use"``.
    """

    def __init__(self, title: str, address: str, port: int, context: ssl.SSLContext | None, timeout_s: float) -> None:
        from pynetdicom import AE, evt

        entity = AE(ae_title=title)
        entity.require_called_aet = True
        entity.maximum_pdu_size = 131072
        entity.network_timeout = timeout_s
        entity.acse_timeout = timeout_s
        self._intakes: dict[Any, Intake] = {}
        self._store: SeriesStore | None = None
        self._stored: Callable[[], None] = _nothing
        self._message = 0
        self.failure: OutputError | None = None
        self._begun = time.monotonic()
        try:
            self._server: Any = entity.start_server(
                (address, port),
                block=False,
                contexts=accepted_contexts(),
                ssl_context=context,
                evt_handlers=[
                    (evt.EVT_ESTABLISHED, self._established),
                    (evt.EVT_CONN_CLOSE, self._ended),
                    (evt.EVT_C_STORE, self._ordinary),
                ],
            )
        except OSError:
            raise InputError(
                "port-in-use",
                f"Cannot listen on port {port} for C-MOVE",
                "Another program uses it, or it is not allowed: choose another listen_port and have it registered",
            ) from None

    @property
    def last_activity(self) -> float:
        return max([self._begun, *(intake.last_activity for intake in list(self._intakes.values()))])

    @contextmanager
    def expect(self, message: int, store: SeriesStore, stored: Callable[[], None]) -> Iterator[Listener]:
        """Accept instances of C-MOVE number `message` into `store` while the block runs."""
        self._message, self._store, self._stored = message, store, stored
        self.failure = None
        self._begun = time.monotonic()
        try:
            yield self
        finally:
            self._store = None

    def close(self) -> None:
        self._server.shutdown()

    def _established(self, event: Any) -> None:
        close_for_certain(event.assoc.dul.socket)
        intake = Intake(self._landing, self._after_each, self.fail)
        if intake.attach(event.assoc):
            self._intakes[event.assoc] = intake

    def _ended(self, event: Any) -> None:
        intake = self._intakes.pop(event.assoc, None)
        if intake is not None:
            intake.close()

    def _landing(self, request: dict[int, bytes]) -> Piece:
        store = self._store
        origin = request.get(_MOVE_ORIGINATOR_MESSAGE_ID)
        if store is None or (origin and struct.unpack("<H", origin[:2])[0] != self._message):
            raise OutputError("not-asked", "An instance arrived that nobody asked for", "")
        return store.begin()

    def _after_each(self) -> None:
        self._stored()  # looked up now: another series may be expected than when the association began

    def touch(self) -> None:
        self._begun = time.monotonic()

    def fail(self, error: OutputError) -> None:
        if error.code != "not-asked":
            self.failure = error

    def _ordinary(self, event: Any) -> int:
        store = self._store
        if store is None:
            return _OUT_OF_RESOURCES
        return store_event(event, store.begin, self._stored, self)


def _nothing() -> None:
    """Nobody asked."""


def store_event(event: Any, begin: Callable[[], Piece], stored: Callable[[], None], owner: Arrivals) -> int:
    """Store one instance the way pynetdicom delivers it; the C-STORE status."""
    owner.touch()
    try:
        arrival = begin()
        uid = str(event.request.AffectedSOPInstanceUID)
        syntax = str(event.context.transfer_syntax)
        arrival.write(file_meta(str(event.request.AffectedSOPClassUID), uid, syntax))
        arrival.write(event.request.DataSet.getbuffer())
        arrival.keep(uid)
        stored()
    except OutputError as error:
        owner.fail(error)
        return _OUT_OF_RESOURCES
    return 0
