"""`Source`: the bytes of a file, read through a window; `Bytes`: the same of bytes that are in memory already."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["Bytes", "Source"]

WINDOW: Final = 16 * 1024
"""Bytes read at once; the header of a CT slice is 2 to 10 KiB."""


class Source:
    """Bytes of a file from its start, read on demand; `data` holds the window ``base <= offset < base + len(data)``."""

    __slots__ = ("_descriptor", "base", "data", "size")

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size
        self.base = 0
        self.data = os.pread(descriptor, WINDOW, 0)
        if len(self.data) < min(WINDOW, size):
            self.size = len(self.data)

    def at(self, position: int, count: int) -> int:
        """Index within `data` of `count` bytes at `position`, refilled when needed; -1 at the end of the file."""
        index = position - self.base
        if index >= 0 and index + count <= len(self.data):
            return index
        if position + count > self.size or self._descriptor < 0:
            return -1
        self.data = os.pread(self._descriptor, max(WINDOW, count), position)
        self.base = position
        return 0 if len(self.data) >= count else -1

    def everything(self, start: int) -> bytes:
        return os.pread(self._descriptor, max(self.size - start, 0), start)


class Bytes(Source):
    """Bytes that are in memory already."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        self._descriptor = -1
        self.data = data
        self.base = 0
        self.size = len(data)

    def everything(self, start: int) -> bytes:
        return self.data[start:]
