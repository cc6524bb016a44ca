"""What the gateway's close codes mean for the next connection.

Source: discord-api-docs, developers/topics/opcodes-and-status-codes.mdx. The documents list 4000-4003, 4005 and
4007-4009 as codes after which a client reconnects, state a new session for 4007 and 4009, and the others as final.
"""

from __future__ import annotations

from enum import Enum

import msgspec


class Then(Enum):
    """What may follow a close."""

    RESUME = "resume"
    IDENTIFY = "identify"
    FATAL = "fatal"


class Close(msgspec.Struct, frozen=True):
    then: Then
    reason: str


CLOSE_CODES: dict[int, Close] = {
    4000: Close(Then.RESUME, "unknown error"),
    4001: Close(Then.RESUME, "unknown opcode"),
    4002: Close(Then.RESUME, "decode error"),
    # Sent before identifying, or for a session that was invalidated: only a new session can help.
    4003: Close(Then.IDENTIFY, "not authenticated"),
    4004: Close(Then.FATAL, "authentication failed: the token is wrong or was reset"),
    4005: Close(Then.RESUME, "already authenticated"),
    4007: Close(Then.IDENTIFY, "invalid sequence"),
    4008: Close(Then.RESUME, "rate limited"),
    4009: Close(Then.IDENTIFY, "session timed out"),
    4010: Close(Then.FATAL, "invalid shard"),
    4011: Close(Then.FATAL, "sharding required"),
    4012: Close(Then.FATAL, "invalid API version"),
    4013: Close(Then.FATAL, "invalid intents"),
    4014: Close(Then.FATAL, "disallowed intents: enable them for the application"),
}

# No code at all, the codes of RFC 6455, and codes unknown to us: the session may live, and RESUMEs are bounded.
UNKNOWN_CLOSE = Close(Then.RESUME, "connection lost")


def meaning_of(code: int | None) -> Close:
    """The meaning of a close code; None is a connection that ended without one."""
    return UNKNOWN_CLOSE if code is None else CLOSE_CODES.get(code, UNKNOWN_CLOSE)
