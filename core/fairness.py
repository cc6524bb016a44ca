"""Who is next: start-time fair queueing among users, with lanes, affinity and a bound on each user's drawings at once.

Every user has a *start tag* in virtual time. The eligible user with the smallest one is served, and pays 1/weight for
it; virtual time is the tag last served. A user who comes (back) starts at virtual time, so idling earns nothing, and
the tag of one who leaves is remembered until virtual time has passed it, so leaving earns nothing either. Hence
for any two users with eligible work all through an interval |Sᵢ/wᵢ − Sⱼ/wⱼ| ≤ 1/wᵢ + 1/wⱼ (Goyal, Vin and Cheng,
"Start-time Fair Queuing", 1996, theorem 1 with unit costs). Virtual time is whole numbers, so nothing drifts.

A *lane* is (mode, account): jobs that any account with the mode may draw are in (mode, None), follow-ups that must run
where their parent was drawn in (mode, that account). A user has one tag in all lanes, so spreading earns nothing.
Operations are O(log n) in the users who wait; a user's own waiting jobs are in the order they came.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sortedcontainers import SortedSet

Lane = tuple[str, str | None]

#: Virtual time that one job costs a user of weight 1.
TURN = 1 << 32


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits for a place. `account`: where it must run, if anywhere; `attempt`: its grants so far."""

    job: str
    user: str
    mode: str
    account: str | None = None
    attempt: int = 0

    @property
    def lane(self) -> Lane:
        """Where it waits."""
        return (self.mode, self.account)


@dataclass(slots=True)
class Flow:
    """One user: the start tag, what waits by lane, and how many run. `order` breaks ties by who came first."""

    user: str
    order: int
    weight: float
    concurrent: int
    start: int
    running: int = 0
    lanes: dict[Lane, OrderedDict[str, Waiting]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int, str]:
        """The place among the users of a lane."""
        return (self.start, self.order, self.user)

    @property
    def cost(self) -> int:
        """What one job costs this user in virtual time."""
        return max(1, round(TURN / self.weight))

    @property
    def is_eligible(self) -> bool:
        """Whether another of the user's jobs may run now."""
        return self.running < self.concurrent


class FairQueue:
    """The waiting jobs of all users. An ordinary mutable object: each method computes first and changes last."""

    def __init__(self) -> None:
        self.virtual = 0
        self._flows: dict[str, Flow] = {}
        self._lanes: dict[Lane, SortedSet] = {}
        self._where: dict[str, Flow] = {}
        self._jobs: dict[str, Waiting] = {}
        self._idle: list[tuple[int, str]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: str) -> bool:
        return job in self._jobs

    def add(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        """A new job, at the end of its user's lane. Adding one that waits already is a mistake: ValueError."""
        if waiting.job in self._jobs:
            raise ValueError(f"{waiting.job} waits already")
        flow = self._flow(waiting.user, weight, concurrent)
        self._enter(flow, waiting, last=True)

    def put_back(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        """A job that was taken and did not begin: to the head of its lane; its user gets the turn back.

        But as everybody, nobody is put before those who came meanwhile: turns that were taken when nobody else waited
        and are given back all at once would be served in a row.
        """
        if waiting.job in self._jobs:
            raise ValueError(f"{waiting.job} waits already")
        flow = self._flow(waiting.user, weight, concurrent)
        self._withdraw(flow)
        flow.running = max(0, flow.running - 1)
        flow.start = max(flow.start - flow.cost, min(flow.start, self.virtual))
        self._offer(flow)
        self._enter(flow, waiting, last=False)

    def hold(self, user: str, *, weight: float, concurrent: int) -> None:
        """One more of the user's jobs runs without having been taken here (found running after a restart)."""
        flow = self._flow(user, weight, concurrent)
        self._withdraw(flow)
        flow.running += 1
        self._offer(flow)

    def take(self, account: str, modes: Iterable[str]) -> Waiting | None:
        """The fair next job that this account may draw, which then counts as running; None when there is none."""
        heads = [
            (users[0], lane)
            for mode in modes
            for lane in ((mode, None), (mode, account))
            if (users := self._lanes.get(lane))
        ]
        if not heads:
            return None
        (start, _, user), lane = min(heads, key=lambda head: (head[0], head[1][1] is None))
        flow = self._flows[user]
        waiting = next(iter(flow.lanes[lane].values()))
        self._withdraw(flow)
        self._leave(flow, waiting)
        self.virtual = max(self.virtual, start)
        flow.running += 1
        flow.start = start + flow.cost
        self._offer(flow)
        self._forget_the_past()
        return waiting

    def ended(self, user: str) -> None:
        """One of the user's running jobs has ended, however it did."""
        flow = self._flows.get(user)
        if flow is None or flow.running == 0:
            return
        was_eligible = flow.is_eligible
        self._withdraw(flow)
        flow.running -= 1
        if not was_eligible and flow.lanes:
            flow.start = max(flow.start, self.virtual)
        self._offer(flow)
        self._rest(flow)

    def remove(self, job: str) -> Waiting | None:
        """Take a waiting job out (cancelled); None when it does not wait here."""
        waiting = self._jobs.get(job)
        if waiting is None:
            return None
        flow = self._where[job]
        self._withdraw(flow)
        self._leave(flow, waiting)
        self._offer(flow)
        self._rest(flow)
        return waiting

    def jobs_of(self, user: str) -> tuple[str, ...]:
        """The user's waiting jobs, lane by lane, each lane in order."""
        flow = self._flows.get(user)
        return tuple(job for jobs in flow.lanes.values() for job in jobs) if flow else ()

    def place(self, job: str) -> int | None:
        """The job's place (from 1) among those of its mode, if nothing changes; None when it does not wait."""
        waiting = self._jobs.get(job)
        if waiting is None:
            return None
        flow = self._where[job]
        before = 0
        for other in flow.lanes[waiting.lane]:
            if other == job:
                break
            before += 1
        return 1 + before + self._served_before(waiting, flow, self._tag(flow) + before * flow.cost)

    def place_of_new(self, user: str, mode: str, account: str | None, weight: float) -> int:
        """The place that a job would get if it were added now."""
        flow = self._flows.get(user) or Flow(user, self._arrivals + 1, weight, 1, self.virtual)
        waiting = Waiting("", user, mode, account)
        before = len(flow.lanes.get(waiting.lane, ()))
        return 1 + before + self._served_before(waiting, flow, self._tag(flow) + before * flow.cost)

    def _served_before(self, waiting: Waiting, flow: Flow, tag: int) -> int:
        """How many jobs of other users of this mode have smaller tags."""
        total = 0
        for other in self._flows.values():
            if other is flow:
                continue
            waits = sum(len(jobs) for lane, jobs in other.lanes.items() if lane[0] == waiting.mode)
            if not waits:
                continue
            turns, rest = divmod(tag - self._tag(other), other.cost)
            if turns >= 0:
                comes_later = rest == 0 and other.order > flow.order
                total += min(waits, turns + (0 if comes_later else 1))
        return total

    def _tag(self, flow: Flow) -> int:
        return flow.start if flow.is_eligible and flow.lanes else max(flow.start, self.virtual)

    # --- keeping the structure -------------------------------------------------------------------------------

    def _flow(self, user: str, weight: float, concurrent: int) -> Flow:
        flow = self._flows.get(user)
        if flow is None:
            self._arrivals += 1
            flow = self._flows[user] = Flow(user, self._arrivals, weight, concurrent, self.virtual)
        elif (flow.weight, flow.concurrent) != (weight, concurrent):
            self._withdraw(flow)
            flow.weight, flow.concurrent = weight, concurrent
            self._offer(flow)
        return flow

    def _enter(self, flow: Flow, waiting: Waiting, *, last: bool) -> None:
        self._withdraw(flow)
        if not flow.lanes and last:
            flow.start = max(flow.start, self.virtual)
        jobs = flow.lanes.setdefault(waiting.lane, OrderedDict())
        jobs[waiting.job] = waiting
        jobs.move_to_end(waiting.job, last=last)
        self._jobs[waiting.job] = waiting
        self._where[waiting.job] = flow
        self._offer(flow)

    def _leave(self, flow: Flow, waiting: Waiting) -> None:
        jobs = flow.lanes[waiting.lane]
        del jobs[waiting.job]
        if not jobs:
            del flow.lanes[waiting.lane]
        del self._jobs[waiting.job]
        del self._where[waiting.job]

    def _offer(self, flow: Flow) -> None:
        """Enter an eligible user in the lanes where something of theirs waits."""
        if flow.is_eligible:
            for lane in flow.lanes:
                self._lanes.setdefault(lane, SortedSet()).add(flow.key)

    def _withdraw(self, flow: Flow) -> None:
        """Take the user out of all lanes, before their tag or eligibility changes."""
        for lane in flow.lanes:
            users = self._lanes.get(lane)
            if users is not None:
                users.discard(flow.key)
                if not users:
                    del self._lanes[lane]

    def _rest(self, flow: Flow) -> None:
        """A user with nothing here is remembered until virtual time has passed their tag."""
        if not flow.lanes and flow.running == 0:
            heappush(self._idle, (flow.start, flow.user))
            self._forget_the_past()

    def _forget_the_past(self) -> None:
        while self._idle and self._idle[0][0] <= self.virtual:
            _, user = heappop(self._idle)
            flow = self._flows.get(user)
            if flow is not None and not flow.lanes and flow.running == 0 and flow.start <= self.virtual:
                del self._flows[user]
