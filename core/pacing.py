"""Pacing: how much to take on, learned from what came of it. Up by a little while all is well, down by half when not.

Two paces are kept so (additive increase, multiplicative decrease, as in TCP): how many drawings an account holds at
once, within its slots, and which share of new wishes is let in. One look an interval; what is between well and bad
changes nothing, so that a value at the edge does not make the pace swing. Pure: every change downwards comes with its
reason, in words.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

#: Of a pace that met trouble, this much is left.
DECREASE = 0.5
#: An account's pace grows by so many places an interval, or by this part of its slots, if that is more: an account of a
#: hundred slots is back at its full pace as soon as one of ten.
PLACES_MORE = 0.25
PLACES_MORE_OF_SLOTS = 1 / 40
#: What is always allowed: one drawing shows whether it is well again.
PLACES_MIN = 1.0
#: The share of wishes let in grows by so much an interval, and is never less than that.
SHARE_MORE = 0.1
SHARE_MIN = 0.05
#: What is below its limit by this much is well; between the two it is neither well nor bad.
MARGIN = 0.8
#: Of an account, in one interval: failures that are not its users' fault, connections that had to be made again, and
#: how long a heartbeat may take. Discord asks for a new connection now and then: one says nothing.
FAILURES_MAX = 2
RECONNECTS_MAX = 2
ROUND_TRIP_S_MAX = 2.0


class Verdict(StrEnum):
    """How a measured value stands to its limit."""

    WELL = "well"
    BETWEEN = "between"
    BAD = "bad"


def over(value: float | None, limit: float, margin: float = MARGIN) -> Verdict:
    """Of what should stay below `limit`. A limit of 0 is none; of what was not seen (None) nothing bad is known."""
    if value is None or limit <= 0 or value < limit * margin:
        return Verdict.WELL
    return Verdict.BAD if value > limit else Verdict.BETWEEN


def under(value: float | None, limit: float, margin: float = MARGIN) -> Verdict:
    """Of what should stay above `limit`, as room on a disk."""
    if value is None or limit <= 0 or value > limit / margin:
        return Verdict.WELL
    return Verdict.BAD if value < limit else Verdict.BETWEEN


class Seen(Struct, frozen=True):
    """What was seen of an account in one interval.

    `limited`: answers of 429; `failed`: failures that are its own fault or Discord's; `done`: pictures; `round_trip_s`:
    of the slowest heartbeat, None when none was due; `up`: whether it could draw at all.
    """

    limited: int = 0
    failed: int = 0
    done: int = 0
    reconnects: int = 0
    round_trip_s: float | None = None
    up: bool = True

    @property
    def trouble(self) -> str | None:
        """Why it should draw less at once, for people."""
        if self.limited:
            return f"{self.limited} answer{'s' * (self.limited > 1)} of 429"
        if self.failed >= FAILURES_MAX and self.failed >= self.done:
            return f"{self.failed} failures, {self.done} done"
        if self.reconnects >= RECONNECTS_MAX:
            return f"{self.reconnects} connections lost"
        if self.round_trip_s is not None and self.round_trip_s > ROUND_TRIP_S_MAX:
            return f"a heartbeat took {self.round_trip_s:.1f} s"
        return None


def next_pace(pace: float, slots: int, seen: Seen) -> tuple[float, str | None]:
    """An account's pace after this interval, in places of its `slots`; and why, if it was slowed down.

    While it is down nothing is learned: the pace stays.
    """
    if slots <= PLACES_MIN:
        return PLACES_MIN, None
    pace = min(max(pace, PLACES_MIN), slots)
    trouble = seen.trouble
    if trouble is not None:
        return max(PLACES_MIN, pace * DECREASE), trouble
    if not seen.up:
        return pace, None
    return min(float(slots), pace + max(PLACES_MORE, slots * PLACES_MORE_OF_SLOTS)), None


def places(pace: float, slots: int) -> int:
    """How many drawings at once this pace allows: from 1 to `slots`."""
    return max(1, min(slots, int(pace)))


class Reading(Struct, frozen=True):
    """How one part of the service stands, and `words` that say so."""

    verdict: Verdict
    words: str


def next_share(share: float, readings: Iterable[Reading]) -> tuple[float, str | None]:
    """The share of wishes to let in after this interval, of SHARE_MIN to 1; and why, if it was lowered."""
    all_readings = tuple(readings)
    bad = [reading.words for reading in all_readings if reading.verdict is Verdict.BAD]
    if bad:
        return max(SHARE_MIN, share * DECREASE), "; ".join(bad)
    if any(reading.verdict is Verdict.BETWEEN for reading in all_readings):
        return share, None
    return min(1.0, share + SHARE_MORE), None


class Sluice:
    """Lets a share of what comes through, evenly: of a share of 0.7 seven of ten, not the first seven of a thousand."""

    __slots__ = ("_credit", "share")

    def __init__(self) -> None:
        self.share = 1.0
        self._credit = 0.0

    def lets_in(self) -> bool:
        """Whether the next one may come in."""
        if self.share >= 1.0:
            self._credit = 0.0
            return True
        self._credit += self.share
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
