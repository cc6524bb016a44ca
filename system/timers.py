"""Wakeups of all actors of a base: one heap, and one timer of the event loop for its head.

Thespian's wakeups cannot be cancelled, so those of the dead must vanish by themselves: they are skipped when due, and
as soon as they are more than half of the heap it is rebuilt without them. Memory held for the dead is thus at most
that held for the living, plus STALE_MIN entries.
"""

import asyncio
import heapq
import math
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from system.record import ActorRecord

STALE_MIN = 64

Entry = tuple[float, int, "ActorRecord", timedelta | float, Any]


class Timers:
    """`deliver(record, period, payload, late_s)` is called on the loop for each wakeup that is due, in order of
    time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[["ActorRecord", timedelta | float, Any, float], None],
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._heap: list[Entry] = []
        self._serial = 0
        self._stale = 0
        self._armed: asyncio.Handle | None = None
        self._armed_for = math.inf

    def __len__(self) -> int:
        return len(self._heap) - self._stale

    def add(self, record: "ActorRecord", period: timedelta | float, payload: Any) -> None:
        """A wakeup for this actor in `period` (s, or a timedelta); equal times come in the order of these calls."""
        seconds = period.total_seconds() if isinstance(period, timedelta) else period
        when = self._loop.time() + max(0.0, seconds)
        self._serial += 1
        heapq.heappush(self._heap, (when, self._serial, record, period, payload))
        record.timers += 1
        if when < self._armed_for:
            self._arm()

    def forget(self, record: "ActorRecord") -> None:
        """The actor died: its wakeups are stale from now on."""
        self._stale += record.timers
        record.timers = 0
        if self._stale > STALE_MIN and self._stale > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry[2].instance is not None]
            heapq.heapify(self._heap)
            self._stale = 0
            self._arm()

    def of(self, record: "ActorRecord") -> list[float]:
        """Seconds left until each wakeup of one actor; O(all wakeups), for status requests only."""
        now = self._loop.time()
        return sorted(max(0.0, entry[0] - now) for entry in self._heap if entry[2] is record)

    def close(self) -> None:
        self._heap.clear()
        self._stale = 0
        self._arm()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
        if self._heap:
            # uvloop answers a time that is almost now with a plain handle, which cannot say when: hence _armed_for.
            self._armed_for = self._heap[0][0]
            self._armed = self._loop.call_at(self._armed_for, self._fire)
        else:
            self._armed_for = math.inf
            self._armed = None

    def _fire(self) -> None:
        self._armed = None
        now = self._loop.time()
        heap = self._heap
        while heap and heap[0][0] <= now:
            when, _, record, period, payload = heapq.heappop(heap)
            if record.instance is None:
                self._stale -= 1
                continue
            record.timers -= 1
            self._deliver(record, period, payload, now - when)
        self._arm()
