"""Horizon: which stamps of a wall clock are surely old, though the clock may have been set, back or forth, meanwhile.

A stamp alone does not tell its age: made while the clock was an hour behind, it looks an hour old once the clock is
right again. So the earliest reading of the last `span_s` (by a clock that nobody sets) is kept; what bears an earlier
stamp was made before.
"""

from __future__ import annotations

from collections import deque

#: The readings are kept in so many parts of the span, the earliest of each.
PARTS = 10


class Horizon:
    """One a maker of stamps; it knows nothing of those made before it was."""

    def __init__(self, span_s: float, now: float) -> None:
        self._span_s, self._born = span_s, now
        self._parts: deque[tuple[float, float]] = deque()

    def note(self, now: float, wall: float) -> None:
        """Something is stamped with `wall`. `now` never decreases."""
        if self._parts and now - self._parts[-1][0] < self._span_s / PARTS:
            began, earliest = self._parts[-1]
            self._parts[-1] = (began, min(earliest, wall))
        else:
            self._parts.append((now, wall))
        while len(self._parts) > 1 and self._parts[1][0] <= now - self._span_s:
            self._parts.popleft()

    def before(self, now: float, wall: float) -> float | None:
        """Stamps before this are older than the span; None while it is not known of any."""
        self.note(now, wall)
        return min(earliest for _, earliest in self._parts) if now - self._born >= self._span_s else None
