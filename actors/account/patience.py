"""Patience: how long an account leaves those alone who say that it asks too often.

They say how long to wait, and are believed the first time. Who is refused again after that wait waits twice as long as
told, then four times: each refused attempt is a stored one. The first that is taken ends it. Times are monotonic s.
"""

from __future__ import annotations

import math

#: Also those who say "at once" (`Retry-After: 0`) are left alone for so long.
WAIT_S_MIN = 1.0
#: Never longer than told by more than this: a limit that has passed keeps no drawing for long.
BEYOND_S_MAX = 15.0
#: From here on doubling changes nothing any more.
DOUBLINGS_MAX = 10


class Patience:
    """One an account."""

    __slots__ = ("_doublings", "_refused_at")

    def __init__(self) -> None:
        self._doublings = 0
        self._refused_at = -math.inf

    def refused(self, told_s: float, asked_at: float, now: float) -> float:
        """How long to wait after this refusal. What was asked before the one before is of the same burst."""
        if asked_at > self._refused_at:
            self._doublings = 0 if self._refused_at == -math.inf else min(self._doublings + 1, DOUBLINGS_MAX)
            self._refused_at = now
        wait_s = max(told_s, WAIT_S_MIN)
        return min(wait_s * 2.0**self._doublings, wait_s + BEYOND_S_MAX)

    def taken(self, asked_at: float) -> None:
        """Something was taken that was asked after the last refusal: the limit has passed."""
        if asked_at > self._refused_at:
            self._doublings, self._refused_at = 0, -math.inf
