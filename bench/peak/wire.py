"""Wire: as little WebSocket (RFC 6455) as a load client needs, because its CPU is taken from what it measures. Pure.

It trusts the server it measures: whole, unmasked, unfragmented frames. Its own mask may be any; zeros cost nothing.
"""

from __future__ import annotations

from typing import Any

import msgpack

BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A  # FIN and opcode
MASKED = 0x80
MASK = b"\x00\x00\x00\x00"
#: Every map of the server begins with its `type`; then the name, whose length is in the low bits of its first byte.
TYPE_FIRST = b"\xa4type"
NAME_AT = 2 + len("type")


def masked(payload: bytes, opcode: int = BINARY) -> bytes:
    """A whole frame to the server. Payloads are shorter than 64 KiB."""
    length = len(payload)
    if length < 126:
        return bytes((opcode, MASKED | length)) + MASK + payload
    return bytes((opcode, MASKED | 126)) + length.to_bytes(2, "big") + MASK + payload


def said(frame: dict[str, Any]) -> bytes:
    """A frame of limner.v1.msgpack, ready to be written."""
    return masked(msgpack.packb(frame))


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames in `data` as (first byte, payload), and what is left of one that is not whole yet."""
    frames: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while end - at >= 2:
        length, begin = data[at + 1], at + 2
        if length >= 126:
            begin += 2 if length == 126 else 8
            if begin > end:
                break
            length = int.from_bytes(data[at + 2 : begin], "big")
        if begin + length > end:
            break
        frames.append((data[at], data[begin : begin + length]))
        at = begin + length
    return frames, data[at:]


def type_of(payload: bytes) -> bytes:
    """The `type` of a frame of limner.v1.msgpack, without decoding the rest."""
    if payload[1:NAME_AT] != TYPE_FIRST:
        return str(msgpack.unpackb(payload)["type"]).encode()
    return payload[NAME_AT + 1 : NAME_AT + 1 + (payload[NAME_AT] & 0x1F)]


def upgrade_request(port: int, key: str) -> bytes:
    """The opening request of a WebSocket, with the user's key."""
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: limner.v1.msgpack\r\nAuthorization: Bearer {key}\r\n\r\n"
    ).encode()
