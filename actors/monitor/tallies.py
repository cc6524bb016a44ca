"""Tallies: what the Monitor remembers of the last minutes, of today, and of each account's last hour.

Telling costs the same whatever there is already; what costs more is done when somebody asks, or once an interval.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from actors.monitor.messages import JobEnded
from core.pacing import Seen
from core.recent import RecentCount, RecentSpread

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0
WAITS_S = 300.0
#: Of how many of an account's latest drawings the median time is told.
DRAWINGS_REMEMBERED = 200
#: Ends of jobs that are an account's or Discord's fault, and no user's.
FAULTS = frozenset({"upstream_timeout", "upstream_blocked", "undecided"})
#: Ends that are no failure.
DONE, CANCELLED = "done", "cancelled"
FINE = frozenset({DONE, CANCELLED})
LIMITED, FAILED, RECONNECTS = "limited", "failed", "reconnects"
#: A status of an answer that never came.
BROKEN = "broken"


class AccountTally:
    """Of one account: its last hour, and the interval under way."""

    def __init__(self) -> None:
        self.hour = RecentCount(HOUR_S, 60)
        self.drawings: deque[tuple[float, float]] = deque(maxlen=DRAWINGS_REMEMBERED)
        self.round_trip_s: float | None = None
        self._interval: dict[str, int] = {}
        self._slowest_s: float | None = None
        #: What was told last, and in which second: several of a console's questions need it at once.
        self._told: tuple[int, dict[str, object]] | None = None

    def answered(self, status: str, now: float) -> None:
        """Discord has answered a call of its."""
        self._told = None
        if status == "429":
            self.hour.add(LIMITED, now)
            self._note(LIMITED)
        elif status == BROKEN or status.startswith("5"):
            self._note(FAILED)

    def reconnected(self, now: float) -> None:
        """Its gateway connection had to be made anew."""
        self._told = None
        self.hour.add(RECONNECTS, now)
        self._note(RECONNECTS)

    def beat(self, seconds: float) -> None:
        """A heartbeat was acknowledged."""
        self._told = None
        self.round_trip_s = seconds
        self._slowest_s = max(seconds, self._slowest_s or 0.0)

    def ended(self, job: JobEnded, now: float) -> None:
        """A drawing of its has ended."""
        self._told = None
        if job.outcome == DONE:
            self.hour.add(DONE, now)
            self._note(DONE)
            if job.drawing_s is not None:
                self.drawings.append((now, max(0.0, job.drawing_s)))
        elif job.outcome not in FINE:
            self.hour.add(FAILED, now)
            if job.outcome in FAULTS:
                self._note(FAILED)

    def _note(self, what: str) -> None:
        self._interval[what] = self._interval.get(what, 0) + 1

    def seen(self, up: bool) -> Seen:
        """What was seen in the interval that ends now."""
        interval, self._interval = self._interval, {}
        slowest_s, self._slowest_s = self._slowest_s, None
        limited, failed, done, lost = (interval.get(what, 0) for what in (LIMITED, FAILED, DONE, RECONNECTS))
        return Seen(limited, failed, done, lost, slowest_s, up)

    def told(self, now: float) -> dict[str, object]:
        """The last hour, in the words of docs/ADMIN.md."""
        if self._told is None or self._told[0] != int(now):
            self._told = int(now), self._summed(now)
        return self._told[1]

    def _summed(self, now: float) -> dict[str, object]:
        hour = self.hour.totals(now)
        seconds = [seconds for at, seconds in self.drawings if now - at <= HOUR_S]
        counts = {what: hour[what] for what in (DONE, FAILED, LIMITED, RECONNECTS)}
        return {**counts, "seconds": median(seconds) if seconds else None, "round_trip_s": self.round_trip_s}


class Today:
    """How many jobs ended on a day, midnight to midnight UTC.

    Those that end from `since` on (Unix s) are told one by one; how many had ended before, who reads them says later.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self.midnight = since - since % DAY_S
        self.counts = {DONE: 0, FAILED: 0}
        #: Nothing ended before midnight. Else it is not known until it is `read`.
        self.is_known = since == self.midnight

    def ended(self, outcome: str, at: float) -> None:
        """A job has ended so."""
        if at >= self.since and outcome != CANCELLED:
            self.counts[DONE if outcome == DONE else FAILED] += 1

    def read(self, done: int, failed: int) -> None:
        """So many had ended before `since`."""
        self.is_known = True
        self.counts[DONE] += done
        self.counts[FAILED] += failed

    def told(self) -> dict[str, int | None]:
        """In the words of docs/ADMIN.md."""
        return {f"{what}_today": count if self.is_known else None for what, count in self.counts.items()}


class Tallies:
    """Of the whole service."""

    def __init__(self, wall: float) -> None:
        """`wall`: from which moment on (Unix s) it will be told of each job that ends."""
        self.accounts: dict[str, AccountTally] = {}
        self.commit_s: float | None = None
        self.jain = 1.0
        self.today = Today(wall)
        self.queue_depth = 0
        self._ends = RecentCount(MINUTE_S, 12)
        self._waits = RecentSpread(WAITS_S, 20)
        self._commits: list[float] = [0, 0.0]
        self._under_way_s = 0.0
        self._lateness: list[float] = []

    def account(self, name: str) -> AccountTally:
        """The tally of this account, made when it is first spoken of."""
        tally = self.accounts.get(name)
        if tally is None:
            tally = self.accounts[name] = AccountTally()
        return tally

    def ended(self, job: JobEnded, now: float, wall: float) -> None:
        """A job has ended."""
        self._ends.add(DONE, now)
        self._turn_day(wall)
        self.today.ended(job.outcome, job.at)
        if job.account is not None:
            self.account(job.account).ended(job, now)

    def _turn_day(self, wall: float) -> None:
        midnight = wall - wall % DAY_S
        if midnight != self.today.midnight:
            self.today = Today(midnight)

    def waited(self, seconds: float, now: float) -> None:
        """A job has begun, so long after it was accepted."""
        self._waits.add(max(0.0, seconds), now)

    def committed(self, seconds: float) -> None:
        """The store has committed a group."""
        self._commits[0] += 1
        self._commits[1] += seconds
        self._under_way_s = 0.0

    def commits_still(self, seconds: float) -> None:
        """The store has been committing for so long."""
        self._under_way_s = seconds

    def late(self, seconds: float) -> None:
        """A message to the Monitor itself came so late."""
        self._lateness.append(max(0.0, seconds))

    def interval(self) -> tuple[float | None, float]:
        """Of the interval that ends now: what a commit took on average, or takes already (None: there was none), and
        how late messages were, half of them at least."""
        count, total = self._commits
        taken_s = max(total / count if count else 0.0, self._under_way_s)
        lateness, self._lateness = self._lateness, []
        self._commits, self._under_way_s = [0, 0.0], 0.0
        if count or taken_s:
            self.commit_s = taken_s
        return (taken_s if count or taken_s else None), (median(lateness) if lateness else 0.0)

    def told(self, now: float, wall: float) -> dict[str, object]:
        """What docs/ADMIN.md says of jobs and waits."""
        self._turn_day(wall)
        p50_s, p99_s = self._waits.quantiles(now, 0.5, 0.99)
        per_s = self._ends.totals(now)[DONE] / MINUTE_S
        return {"jobs": {"per_s": round(per_s, 3), **self.today.told()}, "wait": {"p50_s": p50_s, "p99_s": p99_s}}
