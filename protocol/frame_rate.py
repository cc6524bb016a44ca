"""Frame rates: so many frames a minute, each kept as one number, not a time a frame.

The number is when the frames heard so far would have been due at an even pace (GCRA, as in ATM's traffic contracts):
whoever was silent for a minute may send a minute's worth at once, and goes on at the even pace.
"""

from __future__ import annotations

MINUTE_S = 60.0
NEVER = float("-inf")
# A limit that does not divide the minute must not cost a frame by rounding.
SLACK_S = 1e-6


def paced(until: float, now: float, per_min: int) -> float | None:
    """The number after one more frame; None when that is one too many, and `until` stays. At first it is NEVER."""
    later = max(until, now - MINUTE_S) + MINUTE_S / max(per_min, 1)
    return later if later <= now + SLACK_S else None


class FrameRates:
    """The rates of many (users, addresses), by name. Whoever was silent for a minute is forgotten, which is all one."""

    def __init__(self, per_min: int) -> None:
        self.per_min = per_min
        self._until: dict[str, float] = {}
        self._forget_at = NEVER

    def __len__(self) -> int:
        return len(self._until)

    def takes(self, name: str, now: float) -> bool:
        """Whether this one may send a frame now, which is counted then."""
        if now >= self._forget_at:
            self._forget_at = now + MINUTE_S
            self._until = {each: until for each, until in self._until.items() if until > now - MINUTE_S}
        until = paced(self._until.get(name, NEVER), now, self.per_min)
        if until is not None:
            self._until[name] = until
        return until is not None
