"""The C-STORE receiver: whatever way the bytes are cut, instances come whole and other messages are passed on."""

from __future__ import annotations

import socket
import struct
from queue import Queue
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quadphase.acquire.dimse.intake import Intake
from quadphase.acquire.dimse.messages import command_elements, file_meta, store_response
from quadphase.errors import OutputError

CT = b"1.2.840.10008.5.1.4.1.1.2\0"


class Landed:
    def __init__(self, kept: dict[str, bytes]) -> None:
        self._kept, self._data = kept, bytearray()

    def write(self, piece: Any) -> None:
        self._data += piece

    def keep(self, sop_instance_uid: str) -> None:
        self._kept[sop_instance_uid] = bytes(self._data)

    def drop(self) -> None:
        self._data.clear()


def command(field: int, uid: bytes = b"", **extra: int) -> bytes:
    elements = {0x0100: struct.pack("<H", field), 0x0110: struct.pack("<H", 7), 0x0800: struct.pack("<H", 1)}
    if uid:
        elements |= {0x0002: CT, 0x1000: uid}
    elements |= {int(key[1:], 16): struct.pack("<H", value) for key, value in extra.items()}
    body = b"".join(struct.pack("<HHI", 0, e, len(v)) + v for e, v in sorted(elements.items()))
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def unit(*values: tuple[int, bytes]) -> bytes:
    """A P-DATA-TF unit of (message control header, fragment) values on context 5."""
    body = b"".join(struct.pack(">IBB", len(v) + 2, 5, header) + v for header, v in values)
    return struct.pack(">BBI", 4, 0, len(body)) + body


def fragments(data: bytes, sizes: list[int], last: int, header: int) -> list[tuple[int, bytes]]:
    pieces, at = [], 0
    for size in sizes:
        if at + size >= len(data):
            break
        pieces.append((header, data[at : at + size]))
        at += size
    return [*pieces, (header | last, data[at:])]


class Quiet(socket.socket):
    """One end of a socket pair, which knows no TCP options."""

    def setsockopt(self, *_: Any) -> None:
        """Not for this kind of socket."""


class Peer:
    """An association as pynetdicom holds it, with a real socket pair behind."""

    def __init__(self, landing: Any) -> None:
        near, self.far = socket.socketpair()
        quiet = Quiet(fileno=near.detach())
        self.passed: list[bytes] = []
        self.dul = SimpleNamespace(
            _is_transport_event=lambda: False,
            _decode_pdu=lambda pdu: (self.passed.append(bytes(pdu)), "Evt10"),
            _recv_pdu=Queue(),
            event_queue=Queue(),
            to_provider_queue=Queue(),
            state_machine=SimpleNamespace(current_state="Sta6"),
            _kill_thread=False,
            _idle_timer=SimpleNamespace(restart=lambda: None),
            socket=SimpleNamespace(socket=quiet, send=quiet.sendall),
        )
        syntax = SimpleNamespace(transfer_syntax=["1.2.840.10008.1.2.1"])
        self.intake = Intake(landing, lambda: None)
        assert self.intake.attach(SimpleNamespace(dul=self.dul, _accepted_cx={5: syntax}))

    def take(self, data: bytes, cuts: list[int]) -> None:
        at = 0
        for cut in [*cuts, len(data)]:
            piece = data[at : at + cut]
            at += len(piece)
            if piece:
                self.far.sendall(piece)
                while self.dul._is_transport_event():
                    pass

    def answers(self, count: int) -> list[dict[int, bytes]]:
        """Command elements of the next answers."""
        self.far.settimeout(2)
        found = []
        for _ in range(count):
            head = self.far.recv(6, socket.MSG_WAITALL)
            body = self.far.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)
            found.append(command_elements(body[6:]))
        return found

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.dul.socket.socket.close()
        self.far.close()


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 300), max_size=8),
    cuts=st.lists(st.integers(1, 400), max_size=10),
    together=st.booleans(),
)
def test_any_cut_gives_the_same_files(sizes: list[int], cuts: list[int], together: bool) -> None:
    kept: dict[str, bytes] = {}
    datasets = {b"1.2.3\0": b"a" * 700, b"1.2.44": b"bc" * 333}
    stream = b""
    for uid, data in datasets.items():
        values = [*fragments(command(0x0001, uid), sizes, 2, 1), *fragments(data, sizes, 2, 0)]
        stream += unit(*values) if together else b"".join(unit(value) for value in values)
    with Peer(lambda _: Landed(kept)) as peer:
        peer.take(stream, cuts)
        for uid, data in datasets.items():
            name = uid.decode().strip("\0")
            assert kept[name] == file_meta(CT.decode().strip("\0"), name, "1.2.840.10008.1.2.1") + data
        assert peer.passed == []
        assert [answer[0x1000] for answer in peer.answers(2)] == list(datasets)


def test_other_messages_are_passed_on_and_pending_answers_swallowed() -> None:
    final = unit((3, command(0x8010, x0800=0x0101, x0900=0)))
    pending = unit((3, command(0x8010, x0800=0x0101, x0900=0xFF00)))
    with_list = unit((3, command(0x8010, x0900=0xFF00)))  # has a data set: not ours to swallow
    whole = command(0x8010, x0800=0x0101, x0900=0)
    in_two = unit((1, whole[:9])) + unit((3, whole[9:]))
    release = struct.pack(">BBII", 5, 0, 4, 0)
    with Peer(lambda _: Landed({})) as peer:
        peer.take(pending + final + with_list + in_two + release, [])
        assert peer.passed == [final, with_list, final, release]


def test_refused_instance_is_answered_and_the_next_one_kept() -> None:
    kept: dict[str, bytes] = {}
    calls: list[int] = []

    def landing(_: dict[int, bytes]) -> Landed:
        calls.append(1)
        if len(calls) == 1:
            raise OutputError("disk-full", "No space left", "")
        return Landed(kept)

    stream = b"".join(unit((3, command(0x0001, uid)), (2, b"data")) for uid in (b"1.1\0", b"1.22"))
    with Peer(landing) as peer:
        peer.take(stream, [])
        assert list(kept) == ["1.22"]
        assert [answer[0x0900] for answer in peer.answers(2)] == [b"\x00\xa7", b"\x00\x00"]
        assert peer.intake.failure is not None


def test_lost_connection_drops_the_half_instance() -> None:
    kept: dict[str, bytes] = {}
    with Peer(lambda _: Landed(kept)) as peer:
        peer.take(unit((3, command(0x0001, b"1.2.3\0")), (0, b"half")), [])
        peer.far.close()
        assert peer.dul._is_transport_event()
        assert peer.dul.event_queue.get_nowait() == "Evt17"
        assert kept == {}


def test_answer_is_a_c_store_response() -> None:
    request = command_elements(command(0x0001, b"1.2.3\0"))
    answer = store_response(5, request, 0)
    elements = command_elements(answer[12:])
    assert answer[10:12] == b"\x05\x03"
    assert elements[0x0100] == b"\x01\x80"
    assert elements[0x0120] == request[0x0110]
    assert elements[0x0000] == struct.pack("<I", len(answer) - 12 - 12)
