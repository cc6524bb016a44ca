"""Steps: a run cut into equal parts of its time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

STEPS = 120
STEP_S_MIN = 1.0
Points = list[tuple[float, float]]


class Steps:
    """The run in steps of equal length, at most STEPS and none shorter than STEP_S_MIN."""

    def __init__(self, begun: float, last: float) -> None:
        self.begun, self.length_s = begun, max(STEP_S_MIN, (last - begun) / STEPS)
        self.count = max(1, math.ceil((last - begun) / self.length_s))

    def of(self, at: float) -> int | None:
        """The step of a moment; None when it never came, or came too late."""
        if math.isnan(at):
            return None
        step = int((at - self.begun) / self.length_s)
        return step if 0 <= step < self.count else None

    def counted(self, moments: Iterable[float]) -> list[int]:
        """How many moments are in each step."""
        counts = [0] * self.count
        for at in moments:
            if (step := self.of(at)) is not None:
                counts[step] += 1
        return counts

    def points(self, values: Iterable[float]) -> Points:
        """A value a step, in the middle of it."""
        return [((step + 0.5) * self.length_s, value) for step, value in enumerate(values)]
