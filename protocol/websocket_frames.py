"""Frames of RFC 6455 as a server hears and says them, one at a time: nothing is kept between two of them.

The library's own machine for a connection (`websockets.protocol.Protocol`) keeps a reader, two suspended generators,
lists and an id: 1.1 KB a peer, also of peers that say nothing, who are nearly all. Here the library reads a frame once
all of its bytes are there, by its own rules; those about their sequence are kept by protocol/websocket.py.
"""

from __future__ import annotations

import struct
from collections.abc import Generator

from websockets.frames import Frame, Opcode

FIN = 0x80
#: The lengths that fit the second byte; those of two bytes more; else eight.
SHORT_MAX, MEDIUM_MAX = 125, 0xFFFF


def read_frame(data: bytes, begin: int, payload_bytes_max: int) -> tuple[Frame, int] | None:
    """The client's frame that begins there, and where it ends; None while bytes of it are missing.

    Raises the library's ProtocolError and PayloadTooBig as soon as its head shows them.
    """
    at = begin

    def read_exact(count: int) -> Generator[None, None, bytes]:
        nonlocal at
        if at + count > len(data):
            yield  # never gone on with: it is read from its begin when more has come
        at += count
        return data[at - count : at]

    try:
        next(Frame.parse(read_exact, mask=True, max_size=payload_bytes_max))
    except StopIteration as done:
        return done.value, at
    return None


def write_frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole message, or a control frame, as a server sends it."""
    length = len(payload)
    if length <= SHORT_MAX:
        return bytes((FIN | opcode, length)) + payload
    if length <= MEDIUM_MAX:
        return struct.pack("!BBH", FIN | opcode, 126, length) + payload
    return struct.pack("!BBQ", FIN | opcode, 127, length) + payload
