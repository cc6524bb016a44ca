"""What one gateway connection may send: 120 payloads a minute of 4096 bytes at most, and heartbeats always fit.

Over the first limit Discord closes with 4008, over the second with 4002 (discord-api-docs,
developers/events/gateway.mdx, "Rate Limiting" and "Sending Events"). A few places of each minute are kept for
heartbeats: what callers send waits for its turn, a heartbeat never waits behind it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

SEND_COUNT_MAX = 120
SEND_RESERVE = 5
SEND_WINDOW_S = 60.0
SEND_QUEUE_LENGTH_MAX = 1_000
PAYLOAD_BYTES_MAX = 4096


class Sends:
    """A sliding log of one connection's sends, and the payloads that wait. `now`: seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._sent_at: deque[float] = deque()
        self._waiting: deque[dict[str, Any]] = deque()
        self._out: list[dict[str, Any]] = []

    def take(self) -> list[dict[str, Any]]:
        """The payloads to send now, in order; they are not given again."""
        out, self._out = self._out, []
        return out

    def put(self, payload: dict[str, Any], now: float) -> None:
        """Sends it now, whatever waits: the first payloads of a connection."""
        self._sent_at.append(now)
        self._out.append(payload)

    def put_beat(self, payload: dict[str, Any], now: float) -> bool:
        """Sends a heartbeat now; False if even the reserve is used up (a server that floods us with op 1)."""
        self._forget(now)
        if len(self._sent_at) >= SEND_COUNT_MAX:
            return False
        self.put(payload, now)
        return True

    def wait(self, payload: dict[str, Any], now: float) -> bool:
        """Sends it once the limit allows; False if it is too large, or too many wait."""
        if len(self._waiting) >= SEND_QUEUE_LENGTH_MAX or len(msgspec.json.encode(payload)) > PAYLOAD_BYTES_MAX:
            return False
        self._waiting.append(payload)
        self.release(now)
        return True

    def release(self, now: float) -> None:
        """Time has passed: as many of the waiting ones go as the limit allows."""
        self._forget(now)
        while self._waiting and len(self._sent_at) < SEND_COUNT_MAX - SEND_RESERVE:
            self.put(self._waiting.popleft(), now)

    def opens_at(self) -> float | None:
        """When the first waiting one may go; None when none waits."""
        if not self._waiting:
            return None
        return self._sent_at[max(0, len(self._sent_at) - (SEND_COUNT_MAX - SEND_RESERVE))] + SEND_WINDOW_S

    def beat_opens_at(self) -> float:
        """When a heartbeat that found no place will find one."""
        return self._sent_at[0] + SEND_WINDOW_S

    def _forget(self, now: float) -> None:
        while self._sent_at and self._sent_at[0] <= now - SEND_WINDOW_S:
            self._sent_at.popleft()
