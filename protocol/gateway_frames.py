"""What the gateway's documents look like: opcodes, the envelope, and the data that the machine itself reads.

Source: discord-api-docs, developers/topics/opcodes-and-status-codes.mdx and events/gateway-events.mdx.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from protocol.tolerant import UNREADABLE, Reader

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11
#: What the stores can hold.
SEQ_MAX = (1 << 63) - 1
#: A session's id comes back in a RESUME, which may have 4096 bytes.
SESSION_ID_CHARS_MAX = 512
URL_CHARS_MAX = 2_048
#: Discord's is 41,250 ms. Of a longer wait than an hour no death of a connection would be known.
HEARTBEAT_MS_MAX = 3_600_000


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every document is. Nothing about it is trusted to have its documented type."""

    op: Any = None
    s: Any = None
    t: Any = None
    d: msgspec.Raw = msgspec.Raw(b"null")


class Hello(msgspec.Struct, frozen=True):
    heartbeat_interval: Annotated[float, Meta(gt=0, le=HEARTBEAT_MS_MAX)] | None = None


class Welcome(msgspec.Struct, frozen=True):
    """READY's data: of a user account it has megabytes, of which no more is read."""

    session_id: Annotated[str, Meta(min_length=1, max_length=SESSION_ID_CHARS_MAX)] | None = None
    resume_gateway_url: Annotated[str, Meta(max_length=URL_CHARS_MAX)] | None = None


ENVELOPE = msgspec.json.Decoder(Envelope)
HELLO_DATA = Reader(Hello)
READY_DATA = Reader(Welcome)
TRUE = msgspec.Raw(b"true")
#: Documents that keep a connection alive and say nothing else are this short.
PULSE_BYTES_MAX = 64


def is_pulse(document: bytes) -> bool:
    """Whether the document only asks for a heartbeat or acknowledges one: it changes no session and makes no event."""
    if len(document) > PULSE_BYTES_MAX:
        return False
    try:
        return ENVELOPE.decode(document).op in (HEARTBEAT, HEARTBEAT_ACK)
    except (msgspec.ValidationError, *UNREADABLE):
        return False


def is_ack(pulse: bytes) -> bool:
    """Whether a document that `is_pulse` acknowledges a heartbeat."""
    return bool(ENVELOPE.decode(pulse).op == HEARTBEAT_ACK)


def is_seq(value: Any) -> bool:
    """Whether it can number an event."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SEQ_MAX
