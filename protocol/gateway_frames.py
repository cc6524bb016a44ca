"""What the gateway's documents look like: opcodes, the envelope, and the data that the machine itself reads.

Source: discord-api-docs, developers/topics/opcodes-and-status-codes.mdx and events/gateway-events.mdx.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocol.tolerant import Reader

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every document is. Nothing about it is trusted to have its documented type."""

    op: Any = None
    s: Any = None
    t: Any = None
    d: msgspec.Raw = msgspec.Raw(b"null")


class Hello(msgspec.Struct, frozen=True):
    heartbeat_interval: float | None = None


class Welcome(msgspec.Struct, frozen=True):
    """READY's data: of a user account it has megabytes, of which no more is read."""

    session_id: str | None = None
    resume_gateway_url: str | None = None


ENVELOPE = msgspec.json.Decoder(Envelope)
HELLO_DATA = Reader(Hello)
READY_DATA = Reader(Welcome)
TRUE = msgspec.Raw(b"true")
