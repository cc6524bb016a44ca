"""Who is next: start-time fair queueing among users, with lanes, affinity and a bound on each user's drawings at once.

Every user has a *start tag* in virtual time. The eligible user with the smallest one is served, and pays 1/weight for
it; virtual time is the greatest tag served. Who comes (back) starts at virtual time, so idling earns nothing, and
the tag of one who leaves is remembered until virtual time has passed it, so leaving earns nothing either. All who are
eligible then have tags from virtual time to one turn later, hence for any two of them, all through an interval,
|Sᵢ/wᵢ − Sⱼ/wⱼ| ≤ 1/wᵢ + 1/wⱼ (Goyal, Vin and Cheng, "Start-time Fair Queuing", 1996, theorem 1 with unit costs). A job
put back was not begun, and its turn is given back: it may come on top. Virtual time is whole, so nothing drifts.

A *lane* is (mode, account): jobs that any account with the mode may draw are in (mode, None), follow-ups that must run
where their parent was drawn in (mode, that account). A user has one tag in all lanes, so spreading earns nothing. Where
accounts serve different lanes, a user whose accounts do not ask falls behind virtual time. That is made up for by one
turn and not hoarded: who is served is then at virtual time at least. So whatever the lanes and whoever asks, between
two turns of a user nobody else is given more than 2 + wⱼ/wᵢ of the places that the user could have had; in a lane that
gets less than its share all the time, users take turns, whatever their weights.

A user at the limit of drawings at once keeps the place that they would have if one of these ended now, which makes the
places told to others the latest ones; how long the limit holds up a job is told beside its place (`Standing.held`).
Operations are O(log n) in the jobs that wait; a user's own jobs in a lane are in the order they came.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice

from msgspec import Struct
from sortedcontainers import SortedSet

from core.places import Places, whole_turns

Lane = tuple[str, str | None]

#: Virtual time that one job costs a user of weight 1.
TURN = 1 << 32


class Waiting(Struct, frozen=True, gc=False):
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


class Standing(Struct, frozen=True):
    """Where a waiting job stands: its place, from 1, among those of its mode, if nothing changes.

    `held`: drawings' times that must pass before the user's own limit lets it begin, be the place what it may.
    """

    job: str
    place: int
    held: float


@dataclass(slots=True)
class Flow:
    """One user: the start tag, what waits by lane and by mode, and how many run. `order` tells equal tags apart.

    `expects`: how many jobs are expected, by lane. `owed`: turns given back and not used yet. `began`: jobs begun since
    `since`, the span of time that is looked at.
    """

    user: str
    order: int
    weight: float
    concurrent: int
    start: int
    running: int = 0
    owed: int = 0
    began: int = 0
    since: int = -1
    lanes: dict[Lane, deque[str]] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    expects: Counter[Lane] = field(default_factory=Counter)

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

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing of the user waits, runs or is expected."""
        return not self.lanes and self.running == 0 and not self.expects

    def comes_after(self, lane: Lane) -> int:
        """How many of the user's own jobs come before another one in this lane, expected ones with them."""
        return len(self.lanes.get(lane, ())) + self.expects[lane]

    def held(self, before: int) -> float:
        """How many drawings' times the user's limit holds up a job with `before` of their own before it."""
        return max(0, self.running + before + 1 - self.concurrent) / max(1, self.concurrent)


class FairQueue:
    """The waiting jobs of all users. An ordinary mutable object: each method computes first and changes last."""

    def __init__(self) -> None:
        self.virtual = 0
        self._flows: dict[str, Flow] = {}
        self._lanes: dict[Lane, SortedSet] = {}
        self._places: dict[str, Places] = {}
        self._jobs: dict[str, Waiting] = {}
        #: Jobs that are expected, each with the turn that its place was told by.
        self._expected: dict[str, tuple[Waiting, int]] = {}
        self._idle: list[tuple[int, str]] = []
        self._arrivals = 0
        self._span = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: str) -> bool:
        return job in self._jobs

    @property
    def is_stalled(self) -> bool:
        """Whether nothing waits, save jobs of users at their limit."""
        return not self._lanes

    def add(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        """A new job, at the end of its user's lane. Adding one that waits already is a mistake: ValueError."""
        if waiting.job in self._jobs:
            raise ValueError(f"{waiting.job} waits already")
        flow = self._flow(waiting.user, weight, concurrent)
        jobs = flow.lanes.get(waiting.lane)
        if jobs is not None:  # one more turn, after the user's others: nothing else changes
            jobs.append(waiting.job)
            self._count(flow, waiting)
            self._places[waiting.mode].add(flow.order)
            return
        self._withdraw(flow)
        if not flow.lanes:
            flow.start, flow.owed = max(flow.start, self.virtual), 0
        elif waiting.account is None:
            self._make_up(flow)
        flow.lanes[waiting.lane] = deque((waiting.job,))
        self._count(flow, waiting)
        self._offer(flow)

    def put_back(self, waiting: Waiting, *, weight: float, concurrent: int) -> None:
        """A job that was taken and did not begin: to the head of its lane; its user gets the turn back."""
        if waiting.job in self._jobs:
            raise ValueError(f"{waiting.job} waits already")
        flow = self._flow(waiting.user, weight, concurrent)
        self._withdraw(flow)
        flow.running = max(0, flow.running - 1)
        flow.owed = flow.owed + 1 if flow.lanes else 1
        flow.start -= flow.cost
        self._make_up(flow)
        flow.began -= 1
        flow.lanes.setdefault(waiting.lane, deque()).appendleft(waiting.job)
        self._count(flow, waiting)
        self._offer(flow)

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
        waiting = self._jobs[flow.lanes[lane][0]]
        self._withdraw(flow)
        self._discount(flow, waiting)
        self.virtual = max(self.virtual, start)
        flow.running += 1
        flow.began += 1
        flow.start = start + flow.cost
        flow.owed = max(0, flow.owed - 1)
        self._make_up(flow)
        self._offer(flow)
        self._forget_the_past()
        return waiting

    def ended(self, user: str) -> None:
        """One of the user's running jobs has ended, however it did."""
        flow = self._flows.get(user)
        if flow is None or flow.running == 0:
            return
        self._withdraw(flow)
        was_eligible = flow.is_eligible
        flow.running -= 1
        if flow.is_eligible and not was_eligible:
            self._make_up(flow)
        self._offer(flow)
        self._rest(flow)

    def remove(self, job: str) -> Waiting | None:
        """Take a waiting job out (cancelled); None when it does not wait. Linear in the user's jobs of its lane."""
        waiting = self._jobs.get(job)
        if waiting is None:
            return None
        flow = self._flows[waiting.user]
        self._withdraw(flow)
        self._discount(flow, waiting)
        self._offer(flow)
        self._rest(flow)
        return waiting

    # --- what is expected ------------------------------------------------------------------------------------

    @property
    def expected(self) -> int:
        """How many jobs are expected."""
        return len(self._expected)

    def expect(self, waiting: Waiting, *, weight: float, concurrent: int) -> Standing:
        """Where the job will stand if it is added soon. Until `unexpect`, those that come after it reckon with it."""
        flow = self._flows.get(waiting.user) or self._flow(waiting.user, weight, concurrent)
        standing = self.standing_of_new(waiting.user, waiting.mode, waiting.account, weight, concurrent)
        turn = self._turn_of_new(flow, waiting.lane)
        self._places[waiting.mode].expect(turn)
        flow.expects[waiting.lane] += 1
        self._expected[waiting.job] = (waiting, turn)
        return standing

    def unexpect(self, job: str) -> None:
        """The job was added, or will not be. Harmless when it was not expected."""
        if job not in self._expected:
            return
        waiting, turn = self._expected.pop(job)
        self._places[waiting.mode].unexpect(turn)
        flow = self._flows[waiting.user]
        flow.expects[waiting.lane] -= 1
        if not flow.expects[waiting.lane]:
            del flow.expects[waiting.lane]
        self._rest(flow)

    # --- what is told ----------------------------------------------------------------------------------------

    def standings(self, user: str, limit: int) -> tuple[Standing, ...]:
        """Where the user's waiting jobs stand, the first `limit` of them: lane by lane, each lane in order."""
        flow = self._flows.get(user)
        return tuple(islice(self._standings(flow), limit)) if flow is not None else ()

    def waiting(self, job: str) -> Waiting | None:
        """What waits under this id."""
        return self._jobs.get(job)

    def bound_elsewhere(self, accounts: Container[str]) -> tuple[Waiting, ...]:
        """What waits for an account that is none of these. Linear in all that waits."""
        return tuple(job for job in self.all_waiting() if job.account is not None and job.account not in accounts)

    def all_waiting(self) -> Iterable[Waiting]:
        return self._jobs.values()

    def place(self, job: str) -> int | None:
        """The job's place, None when it does not wait. Linear in the user's jobs of its lane."""
        waiting = self._jobs.get(job)
        if waiting is None:
            return None
        flow = self._flows[waiting.user]
        return self._caught_up(waiting.mode).place(flow.order, flow.lanes[waiting.lane].index(job))

    def standing_of_new(self, user: str, mode: str, account: str | None, weight: float, concurrent: int) -> Standing:
        """Where a job would stand if it were added now, after those that are expected."""
        flow = self._flows.get(user) or Flow(user, self._arrivals + 1, weight, concurrent, self.virtual)
        turn = self._turn_of_new(flow, (mode, account))
        return Standing("", self._places[mode].place_of_new(turn), flow.held(flow.comes_after((mode, account))))

    def shares(self) -> list[float]:
        """Jobs begun by weight, of each user who could have begun more all the time since `look_anew`."""
        return [flow.began / flow.weight for flow in self._flows.values() if flow.since == self._span]

    def look_anew(self) -> None:
        """Begin a new span of time for `shares`, with those who could begin a job now."""
        self._span += 1
        for flow in self._flows.values():
            if flow.lanes and flow.is_eligible:
                flow.since, flow.began = self._span, 0

    def flows(self) -> Iterable[Flow]:
        """All users who have something here, or had lately: for who only looks."""
        return self._flows.values()

    def adjust(self, user: str, *, weight: float, concurrent: int) -> None:
        """A user who is here has another weight or bound from now on."""
        if user in self._flows:
            self._flow(user, weight, concurrent)

    def _turn_of_new(self, flow: Flow, lane: Lane) -> int:
        start = max(flow.start, self.virtual)
        return self._caught_up(lane[0]).turn_of_new(flow.order, start, flow.cost, flow.comes_after(lane))

    def _standings(self, flow: Flow) -> Iterator[Standing]:
        for (mode, _), jobs in flow.lanes.items():
            places = self._caught_up(mode)
            for before, job in enumerate(jobs):
                yield Standing(job, places.place(flow.order, before), flow.held(before))

    def _caught_up(self, mode: str) -> Places:
        places = self._places.setdefault(mode, Places())
        places.catch_up(self.virtual)
        return places

    # --- keeping the structure -------------------------------------------------------------------------------

    def _flow(self, user: str, weight: float, concurrent: int) -> Flow:
        flow = self._flows.get(user)
        if flow is None:
            self._arrivals += 1
            flow = self._flows[user] = Flow(user, self._arrivals, weight, concurrent, self.virtual)
        elif flow.weight != weight or flow.concurrent != concurrent:
            self._withdraw(flow)
            flow.weight, flow.concurrent, flow.since = weight, concurrent, -1
            flow.start = min(flow.start, self.virtual + flow.cost)
            self._make_up(flow)
            self._offer(flow)
        return flow

    def _make_up(self, flow: Flow) -> None:
        """Who has fallen behind virtual time goes on from there, or as much before it as there are turns given back."""
        behind = self.virtual - flow.owed * flow.cost - flow.start
        flow.start += whole_turns(behind, flow.cost) * flow.cost

    def _count(self, flow: Flow, waiting: Waiting) -> None:
        self._jobs[waiting.job] = waiting
        flow.waits[waiting.mode] = flow.waits.get(waiting.mode, 0) + 1

    def _discount(self, flow: Flow, waiting: Waiting) -> None:
        """The job waits no longer."""
        jobs = flow.lanes[waiting.lane]
        jobs.remove(waiting.job)
        if not jobs:
            del flow.lanes[waiting.lane]
        del self._jobs[waiting.job]
        flow.waits[waiting.mode] -= 1

    def _offer(self, flow: Flow) -> None:
        """Enter an eligible user in the lanes where something of theirs waits, and everyone's turns in the places."""
        if flow.is_eligible:
            for lane in flow.lanes:
                self._lanes.setdefault(lane, SortedSet()).add(flow.key)
        if not flow.lanes or not flow.is_eligible:
            flow.since = -1
        self._show(flow)

    def _show(self, flow: Flow) -> None:
        for mode, count in flow.waits.items():
            places = self._places.setdefault(mode, Places())
            places.put(flow.order, flow.start, flow.cost, count, fixed=flow.owed > 0)
        if 0 in flow.waits.values():
            flow.waits = {mode: count for mode, count in flow.waits.items() if count}

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
        if flow.is_at_rest:
            heappush(self._idle, (flow.start, flow.user))
            self._forget_the_past()

    def _forget_the_past(self) -> None:
        while self._idle and self._idle[0][0] <= self.virtual:
            _, user = heappop(self._idle)
            flow = self._flows.get(user)
            if flow is not None and flow.is_at_rest and flow.start <= self.virtual:
                del self._flows[user]
