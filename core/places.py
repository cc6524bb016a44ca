"""Which place a waiting job has: all turns to come of one mode, in one sorted list.

A user with the start tag `s` and `n` waiting jobs that cost `c` each has turns at s, s+c, … s+(n−1)c. Being served
moves the tag by one cost and the jobs by one, so the other turns stay where they are: a service is one deletion, an
arrival one insertion, a place one bisection. Turns move only with users who have fallen behind virtual time (they are
at their limit, or no account that may draw for them has asked). Those move by whole turns (core/fairness.py does the
same with their tags), so that only as many turns change as they have missed.

A turn is one whole number: its tag, and in the low bits the `order` that tells users of equal tags apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice

from sortedcontainers import SortedList

#: Bits of a turn that hold its user's order.
ORDER_BITS = 40
ORDER_MASK = (1 << ORDER_BITS) - 1
#: How many turns of users who have fallen behind are looked at when places are asked for.
CATCH_UP_MAX = 64


def whole_turns(behind: int, cost: int) -> int:
    """How many turns of this cost must pass to make up for `behind`, at least: none when nothing is behind."""
    return max(0, -(-behind // cost))


@dataclass(slots=True)
class Row:
    """One user's turns in the list: `count` of them from `first`, `step` apart. `fixed`: they may stay behind."""

    first: int
    step: int
    count: int
    fixed: bool


class Places:
    """The turns to come of one mode. Users are known by their order. O(log n) in the jobs that wait."""

    def __init__(self) -> None:
        self._turns: SortedList = SortedList()
        #: Turns of jobs that may come any moment. They stay where they were told to be, for as short as they are here.
        self._expected: SortedList = SortedList()
        self._rows: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, order: int, tag: int, cost: int, count: int, *, fixed: bool = False) -> None:
        """The user's turns are `count`, from `tag` on, and no longer where they were.

        A user whom we let catch up with virtual time already stays there: the tag follows when the turn comes. With
        `fixed` neither is done: they were given a turn back, and it is earlier than virtual time by right.
        """
        first, step = tag << ORDER_BITS | order, cost << ORDER_BITS
        row = self._rows.get(order)
        if row is None:
            if count:
                self._rows[order] = Row(first, step, count, fixed)
                self._turns.update(first + turn * step for turn in range(count))
            return
        if row.step != step or (first - row.first) % step:
            self._turns_of(row, range(row.count), add=False)
            row.first, row.step, row.count = first, step, 0
        elif first < row.first and not fixed and not row.fixed:
            first = row.first
        self._shift(row, first, count)
        row.fixed = fixed
        if not count:
            del self._rows[order]

    def add(self, order: int) -> None:
        """One more turn, after the others of a user who has some here."""
        row = self._rows[order]
        self._turns.add(row.first + row.count * row.step)
        row.count += 1

    def catch_up(self, virtual: int) -> None:
        """Move those who are a whole turn or more behind virtual time, up to CATCH_UP_MAX of them, up to it."""
        now = virtual << ORDER_BITS
        for turn in list(islice(self._turns, CATCH_UP_MAX)):
            if turn >= now:
                break
            row = self._rows[turn & ORDER_MASK]
            if not row.fixed and row.first + row.step <= now:
                missed = whole_turns(virtual - (row.first >> ORDER_BITS), row.step >> ORDER_BITS)
                self._shift(row, row.first + missed * row.step, row.count)

    def place(self, order: int, before: int) -> int:
        """The place, from 1, of the user's job that has `before` of their own before it."""
        row = self._rows[order]
        return int(self._turns.bisect_right(row.first + before * row.step))

    def turn_of_new(self, order: int, tag: int, cost: int, before: int) -> int:
        """The turn that one more job of the user would get, with `before` of their own before it.

        `tag` and `cost` are theirs if none of their jobs is here yet.
        """
        row = self._rows.get(order)
        return row.first + before * row.step if row else (tag + before * cost) << ORDER_BITS | order

    def place_of_new(self, turn: int) -> int:
        """The place of a job that would get this turn, when those have come that are expected before it."""
        return 1 + int(self._turns.bisect_left(turn) + self._expected.bisect_left(turn))

    def expect(self, turn: int) -> None:
        """A job with this turn may come any moment."""
        self._expected.add(turn)

    def unexpect(self, turn: int) -> None:
        """It has come, or will not."""
        self._expected.remove(turn)

    def _shift(self, row: Row, first: int, count: int) -> None:
        """Make the row `count` turns from `first` on, which is a whole number of steps away."""
        begin = (first - row.first) // row.step
        end, old_end = begin + count, row.count
        self._turns_of(row, chain(range(min(begin, old_end)), range(max(end, 0), old_end)), add=False)
        self._turns_of(row, chain(range(begin, min(end, 0)), range(max(begin, old_end), end)), add=True)
        row.first, row.count = first, count

    def _turns_of(self, row: Row, turns: chain[int] | range, *, add: bool) -> None:
        change = self._turns.add if add else self._turns.remove
        for turn in turns:
            change(row.first + turn * row.step)
