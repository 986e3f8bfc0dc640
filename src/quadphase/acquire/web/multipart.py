"""Take a ``multipart/related`` body apart while it streams in (RFC 2046 section 5.1, PS3.18 section 8.6.1.2).

A push parser: `feed` it pieces of any size, it hands the bytes of each part to a sink. Nothing is kept but the few
bytes that could be the beginning of a boundary, so memory does not grow with the series. Where a part tells its
length, its bytes are passed through without being searched.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

__all__ = ["MultipartError", "MultipartParser", "Sink", "boundary_of"]

_LONGEST_HEADER: Final = 64 * 1024


class MultipartError(ValueError):
    """The body is not what its content type says, or ends too early."""


class Sink(Protocol):
    """Receiver of parts, one after the other."""

    def begin(self) -> None: ...
    def data(self, piece: memoryview) -> None: ...
    def end(self) -> None: ...


def boundary_of(content_type: str) -> bytes:
    """Boundary parameter of a content type.

    Raises
    ------
    MultipartError
        If it is not multipart.
    """
    found = re.search(r'boundary=(?:"([^"]+)"|([^;\s]+))', content_type, re.IGNORECASE)
    if not content_type.lower().startswith("multipart/") or found is None:
        raise MultipartError("the answer is not multipart")
    return (found.group(1) or found.group(2)).encode("ascii", "replace")


class MultipartParser:
    """Parser of one body.

    Parameters
    ----------
    boundary : bytes
    sink : Sink
    """

    def __init__(self, boundary: bytes, sink: Sink) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._sink = sink
        # the first delimiter has no line end before it when there is no preamble
        self._held = bytearray(b"\r\n")
        self._state = self._preamble
        self._left = 0
        self.finished = False
        """Whether the closing delimiter came."""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        MultipartError
        """
        if self._state == self._known_length and not self._held:
            view = memoryview(piece)
            taken = min(self._left, len(view))
            self._sink.data(view[:taken])
            self._left -= taken
            self._held += view[taken:]
            if self._left:
                return
            self._leave_part()
        else:
            self._held += piece
        while self._state():
            pass

    def close(self) -> None:
        """Say that the body has ended.

        Raises
        ------
        MultipartError
            If it ended too early.
        """
        if not self.finished:
            raise MultipartError("the answer was cut short")

    # States: each consumes from `_held` and says whether there may be more to do at once

    def _preamble(self) -> bool:
        at = self._held.find(self._delimiter)
        if at < 0:
            del self._held[: max(0, len(self._held) - len(self._delimiter))]
            return False
        del self._held[: at + len(self._delimiter)]
        self._state = self._after_delimiter
        return True

    def _after_delimiter(self) -> bool:
        if len(self._held) < 2:
            return False
        if self._held[:2] == b"--":
            self.finished = True
            self._state = self._epilogue
            return True
        at = self._held.find(b"\r\n")
        if at < 0:
            if len(self._held) > _LONGEST_HEADER:
                raise MultipartError("a boundary has no end")
            return False
        del self._held[:at]
        self._state = self._header
        return True

    def _header(self) -> bool:
        at = self._held.find(b"\r\n\r\n")
        if at < 0:
            if len(self._held) > _LONGEST_HEADER:
                raise MultipartError("a part's header has no end")
            return False
        length = re.search(rb"(?i)\r\ncontent-length:[ \t]*(\d+)", self._held[:at])
        del self._held[: at + 4]
        self._sink.begin()
        if length is None:
            self._state = self._searched
        else:
            self._left = int(length.group(1))
            self._state = self._known_length
        return True

    def _known_length(self) -> bool:
        taken = min(self._left, len(self._held))
        self._pass_on(taken)
        self._left -= taken
        if self._left:
            return False
        self._leave_part()
        return True

    def _leave_part(self) -> None:
        self._sink.end()
        self._state = self._preamble

    def _searched(self) -> bool:
        at = self._held.find(self._delimiter)
        if at < 0:
            self._pass_on(max(0, len(self._held) - len(self._delimiter)))
            return False
        self._pass_on(at)
        self._leave_part()
        return True

    def _epilogue(self) -> bool:
        self._held.clear()
        return False

    def _pass_on(self, count: int) -> None:
        with memoryview(self._held) as view:
            self._sink.data(view[:count])
        del self._held[:count]
