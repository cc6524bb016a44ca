"""A watch on the Queue's fairness: the bound of DESIGN, for every pair of users while both have work that may begin.

|Sᵢ/wᵢ − Sⱼ/wⱼ| ≤ 1/wᵢ + 1/wⱼ, S jobs begun. A job given back was not begun: its user is owed the turn, and may be as
many turns further ahead as it is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.fairness import FairQueue, Waiting

ROUNDING = 1e-6


@dataclass
class Race:
    """Two users since both have had work: how far the first is ahead, at least and at most; `slack` for owed turns."""

    lead: float = 0.0
    least: float = 0.0
    most: float = 0.0
    slack: float = 0.0

    def move(self, by: float) -> None:
        self.lead += by
        self.least, self.most = min(self.least, self.lead), max(self.most, self.lead)


class WatchedFairQueue(FairQueue):
    """A FairQueue that is looked at. `broken` is set by the city."""

    broken: Callable[[str], None]

    def __init__(self) -> None:
        super().__init__()
        self.races: dict[tuple[str, str], Race] = {}

    def add(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        super().add(waiting, weight=weight, concurrent=concurrent)
        self._look()

    def put_back(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        super().put_back(waiting, weight=weight, concurrent=concurrent)
        self._move(waiting.user, -1.0 / weight, slack=1.0 / weight)
        self._look()

    def hold(self, user: str, *, weight: float, concurrent: int) -> None:
        super().hold(user, weight=weight, concurrent=concurrent)
        self._look()

    def take(self, account: str, modes: Iterable[str]) -> Waiting | None:
        taken = super().take(account, modes)
        if taken is not None:
            self._move(taken.user, 1.0 / self._flows[taken.user].weight)
            self._look()
        return taken

    def ended(self, user: str) -> None:
        super().ended(user)
        self._look()

    def remove(self, job: str) -> Waiting | None:
        waiting = super().remove(job)
        self._look()
        return waiting

    def _move(self, user: str, by: float, slack: float = 0.0) -> None:
        for (first, second), race in self.races.items():
            if user in (first, second):
                race.move(by if user == first else -by)
                race.slack += slack
                bound = 1.0 / self._flows[first].weight + 1.0 / self._flows[second].weight
                if race.most - race.least > bound + race.slack + ROUNDING:
                    type(self).broken(f"{first} and {second} are {race} apart, the bound is {bound}")

    def _look(self) -> None:
        """Races begin and end. Who waits for one account alone may have to wait for it: that is no race."""
        able = [flow.user for flow in self._flows.values() if flow.is_eligible and self._may_draw_anywhere(flow.user)]
        pairs = {(first, second) for first in able for second in able if first < second}
        self.races = {pair: race for pair, race in self.races.items() if pair in pairs}
        for pair in sorted(pairs - self.races.keys()):
            flows = [self._flows[user] for user in pair]
            self.races[pair] = Race(slack=sum(flow.owed / flow.weight for flow in flows))

    def _may_draw_anywhere(self, user: str) -> bool:
        return any(account is None and jobs for (_, account), jobs in self._flows[user].lanes.items())
