"""Frames against the library's own: what it writes we read, what we write it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from protocol.websocket_frames import read_frame, write_frame

PAYLOADS = st.one_of(st.binary(max_size=300), st.integers(65_530, 65_540).map(bytes))


@given(PAYLOADS, st.binary(max_size=20))
def test_a_frame_is_read_to_its_end_and_not_further(payload: bytes, before: bytes) -> None:
    wire = Frame(Opcode.BINARY, payload).serialize(mask=True)
    assert read_frame(before + wire + b"rest", len(before), 1 << 20) == (
        Frame(Opcode.BINARY, payload),
        len(before + wire),
    )


@given(st.binary(max_size=300), st.floats(0, 1, exclude_max=True))
def test_no_part_of_a_frame_is_a_frame(payload: bytes, part: float) -> None:
    wire = Frame(Opcode.TEXT, payload).serialize(mask=True)
    assert read_frame(wire[: int(part * len(wire))], 0, 1 << 20) is None


@given(PAYLOADS)
def test_the_library_reads_what_we_write(payload: bytes) -> None:
    client = Protocol(Side.CLIENT, max_size=None)
    client.receive_data(write_frame(Opcode.BINARY, payload))
    assert client.events_received() == [Frame(Opcode.BINARY, payload)]


def test_an_offence_shows_before_its_payload_has_come() -> None:
    too_long = Frame(Opcode.BINARY, bytes(2_000)).serialize(mask=True)
    with pytest.raises(PayloadTooBig):
        read_frame(too_long[:8], 0, 1_000)
    with pytest.raises(ProtocolError):
        read_frame(Frame(Opcode.TEXT, b"unmasked").serialize(mask=False)[:2], 0, 1_000)
