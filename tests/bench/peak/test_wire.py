"""The load client's WebSocket, against the library that the daemon trusts."""

from __future__ import annotations

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from bench.peak.wire import BINARY, masked, said, split, type_of
from protocol.client import Accepted, Progress, encode

PAYLOADS = st.binary(max_size=300)


def read_as_a_server(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True)
    try:
        next(parsing)
    except StopIteration as end:
        return end.value
    raise AssertionError("the frame is not whole")


@given(PAYLOADS)
def test_a_server_reads_what_a_client_has_masked(payload):
    frame = read_as_a_server(masked(payload))
    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.BINARY, payload, True)


@given(st.lists(st.one_of(st.integers(0, 300), st.integers(65_000, 70_000)), max_size=5), st.integers(50, 90_000))
def test_frames_are_the_same_however_the_network_cuts_them(lengths, cut):
    payloads = [bytes([length % 256]) * length for length in lengths]
    stream = b"".join(Frame(Opcode.BINARY, payload).serialize(mask=False) for payload in payloads)
    frames, rest = [], b""
    for at in range(0, len(stream), cut):
        found, rest = split(rest + stream[at : at + cut])
        frames += found
    assert frames == [(BINARY, payload) for payload in payloads]
    assert rest == b""


def test_the_type_of_a_frame_of_the_daemon_is_read_without_decoding_it():
    for frame, name in (
        (Progress(7, "j1", 31, None), b"progress"),
        (Accepted(8, "r1", "j1", 3, None), b"accepted"),
    ):
        data = encode(frame, "limner.v1.msgpack")
        assert isinstance(data, bytes)
        assert type_of(data) == name


def test_the_type_of_a_frame_is_found_wherever_it_stands():
    assert type_of(msgpack.packb({"seq": 1, "type": "done"})) == b"done"


def test_what_is_said_is_a_map():
    frame = read_as_a_server(said({"type": "ping"}))
    assert msgpack.unpackb(frame.data) == {"type": "ping"}
