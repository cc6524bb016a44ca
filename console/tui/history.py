"""History: what the last looks saw, by their time, so that a chart tells when. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: One sample in so many seconds: of the looks within them the last.
STEP_S = 2.0
SAMPLES_MAX = 300
#: A look that came late leaves no hole; a daemon that was away does.
LATE_STEPS = 3


class Series:
    """One figure over time. What was not known is a hole."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque(maxlen=SAMPLES_MAX)

    def add(self, value: Any, now: float) -> None:
        """`now`: s; what is no number leaves a hole."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        step = int(now // STEP_S)
        if self._samples and self._samples[-1][0] >= step:
            self._samples.pop()
        elif self._samples and step - self._samples[-1][0] <= LATE_STEPS:
            last, held = self._samples[-1]
            self._samples.extend((between, held) for between in range(last + 1, step))
        self._samples.append((step, float(value)))

    def last(self, count: int) -> list[float | None]:
        """The last steps, the newest last: none before the first one, None for those that nobody knows."""
        if not self._samples or count <= 0:
            return []
        end = self._samples[-1][0]
        begin = max(self._samples[0][0], end - count + 1)
        known = dict(self._samples)
        return [known.get(step) for step in range(begin, end + 1)]


@dataclass
class History:
    """The figures of status that charts show."""

    per_s: Series = field(default_factory=Series)
    queued: Series = field(default_factory=Series)
    wait: Series = field(default_factory=Series)
    lag: Series = field(default_factory=Series)

    def add(self, status: Mapping[str, Any], now: float) -> None:
        """Remembers what one look saw; `now`: s."""
        jobs, wait = (status.get(name) or {} for name in ("jobs", "wait"))
        self.per_s.add(jobs.get("per_s"), now)
        self.queued.add(jobs.get("queued"), now)
        self.wait.add(wait.get("p50_s"), now)
        self.lag.add(status.get("loop_lag_s"), now)
