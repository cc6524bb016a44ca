"""Paired: what two ways differ by, from pairs of short blocks of each, one right after the other. Pure.

A machine's speed drifts and jumps by more than what is looked for, but two blocks side by side have it in common: so
only the ratio within a pair counts. Of the ratios' logarithms the estimate is Hodges' and Lehmann's, the median of the
means of all pairs of values: one bad value moves it as little as a median, and it needs hardly more values than a mean
does. Its interval is that of Wilcoxon's signed rank test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

#: 95 of 100 such intervals hold what is true.
NORMAL_95 = 1.96


class Difference(msgspec.Struct, frozen=True):
    """By which share the first of a pair is more than the second (-0.02: 2 % less), with the ends of the interval."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:+.2%} ({self.low:+.2%} to {self.high:+.2%})"


def difference(pairs: Sequence[tuple[float, float]]) -> Difference:
    """Of the first to the second of each pair; all values above 0, two pairs at least."""
    return Difference(*(math.expm1(log) for log in _hodges_lehmann([math.log(one / other) for one, other in pairs])))


def _hodges_lehmann(values: Sequence[float]) -> tuple[float, float, float]:
    count = len(values)
    means = sorted((values[i] + values[j]) / 2 for i in range(count) for j in range(i, count))
    spread = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    outside = max(0, math.floor(count * (count + 1) / 4 - NORMAL_95 * spread))
    return median(means), means[outside], means[-1 - outside]


def order(pairs: int) -> tuple[bool, ...]:
    """A B, B A, A B, …: what drifts steadily favours nobody."""
    return tuple(first if pair % 2 == 0 else not first for pair in range(pairs) for first in (True, False))


def quantile(values: Iterable[float], share: float) -> float:
    """The least value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def value_at(points: Sequence[tuple[float, float]], at: float) -> float:
    """Of a counter that was read now and then, as (moment, value), at a moment: on a straight line between readings."""
    after = next((number for number, (moment, _) in enumerate(points) if moment >= at), len(points) - 1)
    (then, low), (later, high) = points[max(0, after - 1)], points[after]
    share = (at - then) / (later - then) if later > then else 1.0
    return low + (high - low) * min(1.0, max(0.0, share))
