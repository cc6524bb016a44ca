"""What a user's WebSocket is set up with, and what it tells its shell (the machine is in websocket.py)."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from protocol.client import LIMITS
from protocol.frames import ClientFrame
from protocol.outbox import OUTBOX_BYTES_MAX


class Settings(msgspec.Struct, frozen=True):
    """What connections share. `allowed_origins` are those a browser may come from; no Origin is no browser."""

    allowed_origins: frozenset[str] = frozenset()
    path: str = "/ws"
    frame_bytes: int = LIMITS.frame_bytes
    prompt_chars: int = LIMITS.prompt_chars
    frames_per_min: int = LIMITS.frames_per_min
    auth_s: float = LIMITS.auth_s
    handshake_s: float = 10.0
    ping_s: float = 30.0
    pong_s: float = 20.0
    slow_s: float = 30.0
    close_s: float = 5.0
    outbox_bytes: int = OUTBOX_BYTES_MAX


class Opened(msgspec.Struct, frozen=True):
    """The upgrade was accepted. With a `bearer` key or a `cookie` header the shell checks it, then says
    `authenticated` or `refuse_key`; without, an `Auth` frame must come."""

    subprotocol: str
    bearer: str | None
    cookie: str | None

    def __repr__(self) -> str:
        return f"Opened(subprotocol={self.subprotocol!r})"


class FrameReceived(msgspec.Struct, frozen=True):
    """A known frame. `Auth` comes only while a key is wanted, all others only after `authenticated`."""

    frame: ClientFrame


class Closed(msgspec.Struct, frozen=True):
    """The connection is over; the last event. `code` 1006 means it ended without a close."""

    code: int


Event: TypeAlias = Opened | FrameReceived | Closed
