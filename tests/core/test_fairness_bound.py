"""No sequence of events takes two users further apart than the bound: hypothesis looks for one, over all intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from core.fairness import FairQueue, Waiting

USERS = ("ana", "ben", "cem", "dot")
WEIGHTS = st.sampled_from((0.3, 0.5, 1.0, 1.7, 2.0, 5.0))
LIMITS = st.sampled_from((1, 3, 90, 90))
ROUNDING = 1e-6


class Users(RuleBasedStateMachine):
    """Users who come and go as they like, and what is known of them from outside."""

    #: What each account draws.
    accounts: dict[str, tuple[str, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue()
        self.plans: dict[str, tuple[float, int]] = {}
        self.waiting: dict[str, Waiting] = {}
        self.running: dict[str, Waiting] = {}
        #: Turns given back that have not been used.
        self.owed: Counter[str] = Counter()
        self.made = 0

    @initialize(plans=st.fixed_dictionaries({user: st.tuples(WEIGHTS, LIMITS) for user in USERS}))
    def begin(self, plans: dict[str, tuple[float, int]]) -> None:
        self.plans = dict(plans)

    def plan(self, user: str) -> dict[str, Any]:
        weight, concurrent = self.plans[user]
        return {"weight": weight, "concurrent": concurrent}

    def may_begin(self, user: str) -> bool:
        """Below the user's limit."""
        return sum(job.user == user for job in self.running.values()) < self.plans[user][1]

    def able(self, account: str | None) -> set[str]:
        """Who may be given a place of this account now (None: of every account)."""
        modes = self.accounts[account] if account else {mode for modes in self.accounts.values() for mode in modes}
        jobs = self.waiting.values()
        fit = {job.user for job in jobs if job.mode in modes and job.account in (None, account)}
        return {user for user in fit if self.may_begin(user)}

    @rule(user=st.sampled_from(USERS), count=st.integers(1, 10), mode=st.integers(0, 1), account=st.integers(0, 5))
    def add(self, user: str, count: int, mode: int, account: int) -> None:
        everywhere = sorted({mode for modes in self.accounts.values() for mode in modes})
        names = sorted(self.accounts)
        for _ in range(count):
            self.made += 1
            where = names[account] if account < len(names) else None
            job = Waiting(f"j{self.made}", user, everywhere[mode % len(everywhere)], where)
            self.queue.add(job, **self.plan(user))
            self.waiting[job.job] = job
        self.look()

    @rule(number=st.integers(0, 5), count=st.integers(1, 15))
    def ask(self, number: int, count: int) -> None:
        """The same account again and again: others fall behind."""
        account = sorted(self.accounts)[number % len(self.accounts)]
        for _ in range(count):
            able = self.able(account)
            taken = self.queue.take(account, self.accounts[account])
            assert (taken is not None) == bool(able)
            if taken is None:
                continue
            assert taken.user in able
            self.owed[taken.user] = max(0, self.owed[taken.user] - 1)
            self.running[taken.job] = self.waiting.pop(taken.job)
            self.served(taken.user, able)
            self.look()

    @precondition(lambda self: self.running)
    @rule(dice=st.randoms(use_true_random=False), count=st.integers(1, 4))
    def end(self, dice: Any, count: int) -> None:
        for _ in range(min(count, len(self.running))):
            job = self.running.pop(dice.choice(sorted(self.running)))
            self.queue.ended(job.user)
            self.look()

    @precondition(lambda self: self.running)
    @rule(dice=st.randoms(use_true_random=False))
    def give_back(self, dice: Any) -> None:
        job = self.running.pop(dice.choice(sorted(self.running)))
        self.queue.put_back(job, **self.plan(job.user))
        self.waiting[job.job] = job
        self.owed[job.user] += 1
        self.given_back(job.user)
        self.look()

    @precondition(lambda self: self.waiting)
    @rule(dice=st.randoms(use_true_random=False))
    def cancel(self, dice: Any) -> None:
        job = self.waiting.pop(dice.choice(sorted(self.waiting)))
        assert self.queue.remove(job.job) == job
        self.look()

    @rule(user=st.sampled_from(USERS), weight=WEIGHTS, limit=LIMITS)
    def change_plan(self, user: str, weight: float, limit: int) -> None:
        """It counts from the user's next job on."""
        self.plans[user] = (weight, limit)
        self.forget(user)
        self.add(user, 1, 0, 5)

    def look(self) -> None:
        """Something has changed."""
        for user in USERS:
            if not any(job.user == user for job in self.waiting.values()):
                self.owed[user] = 0

    def served(self, user: str, able: set[str]) -> None:
        """An account asked, these were able, this one was served."""

    def given_back(self, user: str) -> None:
        """One of the user's jobs did not begin."""

    def forget(self, user: str) -> None:
        """From now on the user counts as another."""


@dataclass
class Race:
    """Two users since both have been able: by how much the first has led, at least and at most."""

    slack: float
    lead: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def move(self, by: float) -> None:
        self.lead += by
        self.least, self.most = min(self.least, self.lead), max(self.most, self.lead)


class TheBound(Users):
    """Accounts that all draw the same: any two users whom all may draw for, over any interval."""

    accounts = {"fox": ("fast", "relax"), "owl": ("fast", "relax")}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.races: dict[tuple[str, str], Race] = {}

    def share(self, user: str) -> float:
        return 1 / self.plans[user][0]

    def move(self, user: str, by: float, slack: float = 0.0) -> None:
        for (first, second), race in self.races.items():
            if user in (first, second):
                race.move(by if user == first else -by)
                race.slack += slack
                bound = self.share(first) + self.share(second) + race.slack
                assert race.most - race.least <= bound + ROUNDING, (first, second, race)

    def served(self, user: str, able: set[str]) -> None:
        self.move(user, self.share(user))

    def given_back(self, user: str) -> None:
        self.move(user, -self.share(user), self.share(user))

    def forget(self, user: str) -> None:
        self.races = {pair: race for pair, race in self.races.items() if user not in pair}

    def look(self) -> None:
        super().look()
        pairs = set(combinations(sorted(self.able(None)), 2))
        self.races = {pair: race for pair, race in self.races.items() if pair in pairs}
        for pair in sorted(pairs - self.races.keys()):
            self.races[pair] = Race(sum(self.owed[user] * self.share(user) for user in pair))


class NobodyStarves(Users):
    """Accounts that draw different things: whoever asks, nobody is passed over more often than the weights say.

    Between two turns of a user another one gets at most 2 + wⱼ/wᵢ of the places that the first could have had, and as
    many more as were given back to them. A user who waits for something new, or below a limit anew, begins to wait.
    """

    accounts = {"fox": ("fast",), "owl": ("relax",), "yak": ("fast", "relax")}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.passed: dict[str, Counter[str]] = {user: Counter() for user in USERS}
        #: Turns ever given back to a user.
        self.spare: Counter[str] = Counter()
        self.lines: dict[str, set[str]] = {user: set() for user in USERS}

    def served(self, user: str, able: set[str]) -> None:
        self.passed[user].clear()
        for other in sorted(able - {user}):
            self.passed[other][user] += 1
            allowed = 2 + self.plans[user][0] / self.plans[other][0]
            assert self.passed[other][user] <= allowed + self.spare[user] + ROUNDING, (other, user)

    def given_back(self, user: str) -> None:
        self.spare[user] += 1

    def forget(self, user: str) -> None:
        self.passed[user].clear()
        for counts in self.passed.values():
            del counts[user]

    def look(self) -> None:
        super().look()
        for user in USERS:
            jobs = [job for job in self.waiting.values() if job.user == user]
            lines = {job.mode for job in jobs if job.account is None}
            if lines - self.lines[user] or not jobs or not self.may_begin(user):
                self.passed[user].clear()
            self.lines[user] = lines


SEARCH = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
TestTheBound = TheBound.TestCase
TestTheBound.settings = SEARCH
TestNobodyStarves = NobodyStarves.TestCase
TestNobodyStarves.settings = SEARCH
