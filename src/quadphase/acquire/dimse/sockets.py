"""Two things pynetdicom's sockets need: to send at once, and to be closed for certain."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

__all__ = ["close_for_certain", "send_at_once"]


def send_at_once(association: Any) -> None:
    """Turn off Nagle's algorithm (RFC 896): else requests wait 40 ms for the other side's delayed acknowledgement."""
    connection = getattr(getattr(association.dul, "socket", None), "socket", None)
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def close_for_certain(made: Any) -> Any:
    """Make pynetdicom's `AssociationSocket` close its socket also when that is not connected any more.

    pynetdicom 3.0 calls ``shutdown`` and ``close`` in one ``try``: where the first says "not connected", the second
    never happens and the descriptor stays open until it is garbage.
    """

    def shutdown() -> None:
        if made.socket is not None:
            with suppress(OSError):
                made.socket.shutdown(socket.SHUT_RDWR)
            made.socket.close()

    made._shutdown_socket = shutdown
    return made
