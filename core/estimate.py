"""How long a job will wait, as far as one can tell: its place, the slots there are, and how long drawings took.

Two things hold a job up: the jobs before it, of which as many end at once as there are slots, and its own user's limit
of drawings at once. Whichever takes longer is the wait.
"""

from __future__ import annotations

from dataclasses import dataclass

#: How much the newest drawing's time counts in the running mean.
NEWEST_SHARE = 0.1
#: No drawing takes longer, nor less than no time: such a figure tells of a clock that was set, and is not counted.
DRAWING_S_MAX = 3600.0


@dataclass(frozen=True)
class Estimate:
    """The running mean of a drawing's seconds (None: none seen yet) and how many can be drawn at once."""

    drawing_s: float | None = None
    slots: int = 0

    def drew(self, seconds: float) -> Estimate:
        """With one more drawing seen."""
        if not 0.0 <= seconds <= DRAWING_S_MAX:
            return self
        if self.drawing_s is None:
            return Estimate(seconds, self.slots)
        return Estimate(self.drawing_s + NEWEST_SHARE * (seconds - self.drawing_s), self.slots)

    def with_slots(self, slots: int) -> Estimate:
        """With another capacity."""
        return Estimate(self.drawing_s, slots)

    def eta_s(self, place: int, held: float = 0.0) -> float | None:
        """Seconds until the job at `place` (from 1) is drawn: its own drawing after those before it. None: unknown.

        `held`: how many drawings' times its user's own limit holds it up (core.fairness.Standing).
        """
        if self.drawing_s is None or self.slots < 1:
            return None
        return round(self.drawing_s * (1 + max((place - 1) / self.slots, held)), 1)
