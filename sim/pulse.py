"""Pulse: when clients came to the gateway, how, and how late their heartbeats were. For those who measure a client."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal, TypeAlias

import msgspec

ARRIVALS_MAX = 10_000
How: TypeAlias = Literal["identify", "resume"]


class Arrival(msgspec.Struct, frozen=True):
    """An IDENTIFY or RESUME at `at` (Unix s); not `taken`: it was answered with op 9."""

    at: float
    account: str
    how: How
    taken: bool


class Pulse:
    """Of all connections since the start, or since it was forgotten; arrivals only the last ARRIVALS_MAX."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.arrivals: deque[Arrival] = deque(maxlen=ARRIVALS_MAX)
        self.beats = 0
        self.late_s_max = 0.0

    def arrived(self, account: str, how: How, taken: bool) -> None:
        """An IDENTIFY or RESUME was judged."""
        self.arrivals.append(Arrival(time.time(), account, how, taken))

    def beat(self, late_s: float) -> None:
        """A heartbeat came so long after it was due; before it was due: less than 0."""
        self.beats += 1
        self.late_s_max = max(self.late_s_max, late_s)
