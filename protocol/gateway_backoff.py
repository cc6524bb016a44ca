"""How long the gateway machine waits before it connects again: never in a hurry, and never longer than it must.

Full jitter below a cap that doubles with each failure, so that many who were dropped together come back apart. The cap
is also never longer than the trouble has lasted: who was away for T is back within T of its end, where doubling alone
would have it sit out a minute after an outage of ten seconds. A mere connect proves nothing: only a session that held
makes an end of the trouble (clients in the wild forgot their back-off on each connect, and looped).
"""

from __future__ import annotations

import random

BACKOFF_S_BASE = 1.0
BACKOFF_S_MAX = 60.0
#: A session must hold this long before earlier failures are forgotten.
STABLE_S = 60.0
#: From here on doubling changes nothing any more.
DOUBLINGS_MAX = 16


class Backoff:
    """One a machine. All `now` are seconds of one monotonic clock."""

    __slots__ = ("_failures", "_since")

    def __init__(self) -> None:
        self._failures = 0
        self._since = 0.0

    def held(self, live_s: float) -> None:
        """A session has ended that was live for so long (0: it never was)."""
        if live_s >= STABLE_S:
            self._failures = 0

    def failed(self, now: float) -> None:
        """A connection has come to nothing, or to an end that nobody asked for."""
        if self._failures == 0:
            self._since = now
        self._failures += 1

    def wait_s(self, now: float, rng: random.Random) -> float:
        """How long until the next connection."""
        doubled_s = BACKOFF_S_BASE * 2.0 ** min(max(self._failures - 1, 0), DOUBLINGS_MAX)
        lasted_s = now - self._since if self._failures else 0.0
        return rng.uniform(0.0, min(BACKOFF_S_MAX, doubled_s, max(BACKOFF_S_BASE, lasted_s)))
