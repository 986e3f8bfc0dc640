"""What pynetdicom's sockets need: to send and acknowledge at once, and to be closed for certain."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

__all__ = ["acknowledge_at_once", "close_for_certain", "send_at_once"]


def send_at_once(association: Any) -> None:
    """Turn off Nagle's algorithm (RFC 896): else requests wait 40 ms for the other side's delayed acknowledgement."""
    connection = getattr(getattr(association.dul, "socket", None), "socket", None)
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def acknowledge_at_once(connection: socket.socket) -> None:
    """Acknowledge what was just read without the usual 40 ms; Linux wants this said again after every read (tcp(7)).

    An archive that keeps Nagle's algorithm, as DCMTK does by default, sends the last small piece of an image only then.
    """
    option = getattr(socket, "TCP_QUICKACK", None)
    if option is not None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)


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
