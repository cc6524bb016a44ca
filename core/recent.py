"""What happened lately: counts and spreads over a sliding span, in slices, so that neither telling nor asking costs
more with more that happens. Pure: `now` is monotonic seconds and never goes back.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Generic, Protocol, TypeVar

#: Two values that differ by less are one to a spread.
PRECISION = 0.05
_STEP = math.log1p(PRECISION)
#: What is shorter than this is as good as nothing.
LEAST = 0.001


class _Clearable(Protocol):
    def clear(self) -> object: ...


Slice = TypeVar("Slice", bound=_Clearable)


class _Ring(Generic[Slice]):
    """The slices of a span: `present` is the one of this moment, those that are too old are emptied."""

    def __init__(self, span_s: float, slices: tuple[Slice, ...]) -> None:
        self.slices = slices
        self._each_s = span_s / len(slices)
        self._turn: int | None = None

    def present(self, now: float) -> Slice:
        turn, length = int(now / self._each_s), len(self.slices)
        if self._turn is None:
            self._turn = turn
        for old in range(self._turn + 1, min(turn, self._turn + length) + 1):
            self.slices[old % length].clear()
        if turn > self._turn + length:
            for each in self.slices:
                each.clear()
        self._turn = max(turn, self._turn)
        return self.slices[self._turn % length]


class RecentCount:
    """How much of what happened within `span_s`, of each kind; right to one part in `slices`."""

    def __init__(self, span_s: float, slices: int) -> None:
        self._ring: _Ring[Counter[str]] = _Ring(span_s, tuple(Counter() for _ in range(slices)))

    def add(self, kind: str, now: float, amount: int = 1) -> None:
        """It happened."""
        self._ring.present(now)[kind] += amount

    def totals(self, now: float) -> Counter[str]:
        """By kind."""
        self._ring.present(now)
        totals: Counter[str] = Counter()
        for each in self._ring.slices:
            for kind, amount in each.items():
                totals[kind] += amount
        return totals


class RecentSpread:
    """How values were spread within `span_s`; right to PRECISION, and to one part in `slices` of the time."""

    def __init__(self, span_s: float, slices: int) -> None:
        self._ring: _Ring[Counter[int]] = _Ring(span_s, tuple(Counter() for _ in range(slices)))

    def add(self, value: float, now: float) -> None:
        """One value, from 0."""
        self._ring.present(now)[0 if value <= LEAST else 1 + int(math.log(value / LEAST) / _STEP)] += 1

    def quantiles(self, now: float, *shares: float) -> tuple[float | None, ...]:
        """The values below which these shares (0 to 1) of all are; None when there was none."""
        self._ring.present(now)
        steps: Counter[int] = sum(self._ring.slices, Counter())
        return tuple(_quantile(steps, share) for share in shares)


def _quantile(steps: Counter[int], share: float) -> float | None:
    left = share * steps.total()
    for step in sorted(steps):
        left -= steps[step]
        if left <= 0:
            return 0.0 if step == 0 else LEAST * math.exp((step - 0.5) * _STEP)
    return None
