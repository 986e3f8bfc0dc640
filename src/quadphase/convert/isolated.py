"""Native decoders in processes of their own: damaged pixels may end a decoder, never the conversion.

Fuzzing showed why: on one file in twenty thousand GDCM throws through its own border and aborts the process, and older
CharLS spins. A decoding process answers one slice at a time over its pipes, is ended when it takes too long, and is
replaced when it dies. Processes are kept for the next slice and the next stack, because starting one costs half a
second; two of them decode twice as fast as two threads, which the decoders do not let run together.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
from functools import cache
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.header import SliceHeader
from quadphase.errors import UnsupportedDataError

__all__ = ["decode_apart", "serve"]

SLICE_S: Final = 9.0
"""A slice that decodes takes a twentieth of a second; one that takes this long never ends."""
START_S: Final = 60.0
READY: Final = b"ready"
TOO_SLOW: Final = "the decoder did not come to an end"


class _EndedError(Exception):
    """The process died or was too slow; what to tell is its argument."""


class _Decoder:
    """One decoding process."""

    def __init__(self) -> None:
        # The path is handed over so that the child finds the same quadphase, installed or not.
        code = f"import sys; sys.path[:] = {sys.path!r}; from quadphase.convert.isolated import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            if self._read(within_s=START_S) != READY:
                raise _EndedError("the decoder did not start")
        except _EndedError:
            self.end()
            raise

    def ask(self, header: SliceHeader) -> NDArray[Any]:
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 - opened as a pipe above
        try:
            _send(stream, pickle.dumps(header))
        except OSError:
            raise _EndedError("the decoder crashed") from None
        kind, value = pickle.loads(self._read(within_s=SLICE_S))  # noqa: S301 - written by our own process
        if kind == "refused":
            raise UnsupportedDataError(*value)
        dtype, shape, raw = value
        return np.frombuffer(raw, dtype).reshape(shape)

    def _read(self, *, within_s: float) -> bytes:
        deadline = time.monotonic() + within_s
        (size,) = struct.unpack("<Q", self._exactly(8, deadline))
        return self._exactly(size, deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - opened as a pipe above
        pieces, descriptor = [], stream.fileno()
        while count:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise _EndedError(TOO_SLOW)
            piece = os.read(descriptor, min(count, 1 << 20))
            if not piece:
                raise _EndedError("the decoder crashed")
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Pool:
    """Idle decoding processes of this process."""

    def __init__(self) -> None:
        self._idle: list[_Decoder] = []
        self._lock = threading.Lock()
        atexit.register(self.close)

    def decode(self, header: SliceHeader) -> NDArray[Any]:
        with self._lock:
            used = self._idle.pop() if self._idle else None
        try:
            return self._ask(used or _Decoder(), header)
        except _EndedError as error:
            last = error
        if used is not None and str(last) != TOO_SLOW:
            # It may have been ended from outside while it was idle: a fresh one tells whether the slice is to blame.
            try:
                return self._ask(_Decoder(), header)
            except _EndedError as error:
                last = error
        raise UnsupportedDataError("undecodable-pixels", str(last), "Export or copy the file again")

    def _ask(self, decoder: _Decoder, header: SliceHeader) -> NDArray[Any]:
        """Ask, and keep the process for the next slice only after a whole answer: half of one would answer that."""
        answered = False
        try:
            stored = decoder.ask(header)
            answered = True
        except UnsupportedDataError:
            answered = True
            raise
        finally:
            if answered and decoder.is_alive:
                with self._lock:
                    self._idle.append(decoder)
            else:
                decoder.end()
        return stored

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.end()


@cache
def _pool(_process: int) -> _Pool:
    return _Pool()


def decode_apart(header: SliceHeader) -> NDArray[Any]:
    """`codec.decode` in another process.

    Raises
    ------
    UnsupportedDataError
        ``"undecodable-pixels"``, also when the decoder crashes or does not end; ``"unsupported-encoding"``.
    """
    return _pool(os.getpid()).decode(header)  # a forked child must not talk over its parent's pipes


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(struct.pack("<Q", len(message)) + message)
    stream.flush()


def serve() -> None:
    """Answer slices until standard input ends: what a decoding process runs."""
    import resource
    import warnings

    from quadphase.convert.codec import decode

    warnings.simplefilter("ignore")  # pydicom warns of values it then repairs; sizes are checked in `decode`
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not fall between the answers
    _send(answers, READY)
    while len(head := requests.read(8)) == 8:
        header = pickle.loads(requests.read(struct.unpack("<Q", head)[0]))  # noqa: S301 - written by our own process
        answer: tuple[str, Any]
        try:
            stored = np.ascontiguousarray(decode(header))
            answer = ("stored", (stored.dtype.str, stored.shape, stored.tobytes()))
        except UnsupportedDataError as error:
            answer = ("refused", (error.code, error.message, error.hint))
        except BaseException as error:  # a panic of a compiled decoder is no Exception
            text = f"pixels cannot be decoded ({type(error).__name__})"
            answer = ("refused", ("undecodable-pixels", text, "Export or copy the file again"))
        _send(answers, pickle.dumps(answer))
