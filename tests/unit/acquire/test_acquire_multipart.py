"""The streamed multipart parser: any cut of the stream gives the same parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quadphase.acquire.web.multipart import MultipartError, MultipartParser, boundary_of


class Parts:
    def __init__(self) -> None:
        self.whole: list[bytes] = []
        self._now = bytearray()

    def begin(self) -> None:
        self._now = bytearray()

    def data(self, piece: memoryview) -> None:
        self._now += piece

    def end(self) -> None:
        self.whole.append(bytes(self._now))


def body(parts: list[bytes], *, lengths: bool, preamble: bytes = b"") -> bytes:
    text = preamble
    for part in parts:
        length = f"Content-Length: {len(part)}\r\n".encode() if lengths else b""
        text += b"\r\n--BB\r\nContent-Type: application/dicom\r\n" + length + b"\r\n" + part
    text += b"\r\n--BB--\r\n"
    return text if preamble else text[2:]


def parse(pieces: list[bytes]) -> list[bytes]:
    parts = Parts()
    parser = MultipartParser(b"BB", parts)
    for piece in pieces:
        parser.feed(piece)
    parser.close()
    return parts.whole


@given(
    parts=st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"--BB", b"....")), min_size=1, max_size=4),
    lengths=st.booleans(),
    preamble=st.sampled_from([b"", b"ignored"]),
    cuts=st.lists(st.integers(1, 40), max_size=30),
)
def test_any_cut_gives_the_same_parts(parts: list[bytes], lengths: bool, preamble: bytes, cuts: list[int]) -> None:
    whole = body(parts, lengths=lengths, preamble=preamble)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(whole[at : at + cut])
        at += cut
    pieces.append(whole[at:])
    assert parse(pieces) == parts


def test_boundary_inside_a_part_of_known_length_is_data() -> None:
    tricky = b"x\r\n--BB\r\nContent-Type: no\r\n\r\ny"
    assert parse([body([tricky], lengths=True)]) == [tricky]


@pytest.mark.parametrize("lengths", [True, False])
def test_cut_short_is_an_error(lengths: bool) -> None:
    whole = body([b"a" * 50, b"b" * 50], lengths=lengths)
    for length in range(len(whole) - 5):
        with pytest.raises(MultipartError):
            parse([whole[:length]])


def test_boundary_parameter() -> None:
    assert boundary_of('multipart/related; type="application/dicom"; boundary="a b"') == b"a b"
    assert boundary_of("multipart/related; boundary=xyz; charset=u") == b"xyz"
    with pytest.raises(MultipartError):
        boundary_of("text/html")
