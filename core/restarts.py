"""Whether, when and how often a dead child is started again: the rules of Erlang/OTP's `supervisor`, with backoff.

Pure: time and dice are arguments. A supervisor keeps one `Restarts` for all its children and one attempt count a child.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

BACKOFF_S_FIRST = 0.05
BACKOFF_S_MAX = 30.0
#: A child that lived this long starts over with the first backoff.
STEADY_S = 60.0


class Restart(Enum):
    """When a child is started again: always, only after an abnormal end, or never."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


def is_due(restart: Restart, normal: bool) -> bool:
    """Whether a child of this kind is started again after an end that was `normal` or not."""
    return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and not normal)


@dataclass(frozen=True)
class Restarts:
    """The restarts inside a sliding window; more than `intensity` of them in `period_s` mean: give up, upward."""

    intensity: int
    period_s: float
    moments: tuple[float, ...] = ()

    def add(self, now: float) -> Restarts:
        """With one more restart, at `now`; those that left the window are forgotten."""
        kept = tuple(moment for moment in self.moments if now - moment < self.period_s)
        return Restarts(self.intensity, self.period_s, (*kept, now))

    @property
    def too_many(self) -> bool:
        """Whether the last `add` went over the intensity."""
        return len(self.moments) > self.intensity


def backoff_s(attempt: int, rng: random.Random) -> float:
    """Seconds to wait before restart `attempt` (from 0) in a row: none at first, then full jitter below a doubling cap.

    Full jitter (a uniform draw from zero to the cap) keeps many children that died together from coming back together.
    """
    if attempt <= 0:
        return 0.0
    cap = min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2.0 ** min(attempt, 32))
    return rng.uniform(0.0, cap)


def next_attempt(attempt: int, lived_s: float) -> int:
    """The attempt number of the restart after a life of `lived_s`: a steady life starts the count anew."""
    return 0 if lived_s >= STEADY_S else attempt + 1
