"""What the Queue keeps in memory, and the few things it does with it: wait, match, run, settle.

Waiting jobs are in core/fairness; those granted or with the bot are kept here as stored (`jobs`). The store is always
ahead of this: a move is committed first, and what follows from it is done in the continuation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from sortedcontainers import SortedDict

from actors.monitor.messages import JobEnded
from actors.queue.messages import Demand, JobSettled, Next
from actors.store_client import StoreAsker
from actors.tracer import JobOver
from core.config import DEFAULT_PLAN, AccountConfig, Plan
from core.estimate import Estimate
from core.fairness import FairQueue, Waiting
from core.job import NEXT, WAITING, State
from core.skills import Skills, mode_of
from storage.operations import (
    Applied,
    AskCancel,
    Doubt,
    Gather,
    GiveBack,
    Grant,
    ImageRecord,
    JobRecord,
    QueuedJob,
    Refused,
    Settle,
    Track,
    Ungrant,
    Written,
)
from system.message import Message

Move: TypeAlias = Grant | Ungrant | GiveBack | Doubt | Track | Gather | Settle | AskCancel

#: A move that the Store refuses for a fault of ours or of the database's is tried again, each time after twice as long.
MOVE_TRIES_MAX = 5
MOVE_AGAIN_S = 1.0
#: Where even the end of a job cannot be stored, it is tried for ever, and said each time.
STRANDED_AGAIN_S = 60.0
NO_ACCOUNT_TEXT = "The account that this was drawn with is not here any more, and no other can go on with it."
STRANDED_TEXT = "Something broke on our side, and the drawing was given up."

#: The order in which an attempt goes on.
COURSE = (State.GRANTED, State.SUBMITTING, State.UNDECIDED, State.DRAWING, State.KEEPING)


class MoveAgain(Message, frozen=True):
    """Time to try again what the Store refused."""

    number: int


class QueueLedger(StoreAsker):
    """Base of the Queue: its state and what keeps it consistent."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (MoveAgain,)

    def __init__(self) -> None:
        super().__init__()
        self.fair = FairQueue()
        #: Granted jobs and those with the bot, as stored.
        self.jobs: dict[str, JobRecord] = {}
        #: Those of them that count against their user's concurrency.
        self.running: dict[str, str] = {}
        #: Free places that wait for a job, the least loaded first.
        self.demands: SortedDict = SortedDict()
        self.demand_keys: dict[str, tuple[float, str]] = {}
        self.plans: dict[str, str] = {}
        #: No drawing begins: the operator said so.
        self.paused = False
        #: Jobs with the bot that their users no longer want.
        self.unwanted: set[str] = set()
        #: What is to be tried again, by its number.
        self.tries: dict[int, Callable[[], None]] = {}
        self.try_count = 0
        self.epoch = 0
        #: The latest job's id: the next one sorts after it, so that order outlives a clock that is set back.
        self.newest = ""
        self.estimate = Estimate()
        #: What each account that is up draws, and what any of them does.
        self.ready: dict[str, tuple[str, ...]] = {}
        self.ready_modes: frozenset[str] = frozenset()
        self._accounts: tuple[AccountConfig, ...] = ()
        self._skills = Skills()

    @property
    def skills(self) -> Skills:
        """What the accounts of the config can draw, up or not; as the config is now."""
        accounts = self.process.accounts
        if accounts is not self._accounts:
            self._accounts, self._skills = accounts, Skills(accounts, self._skills.is_mixed)
        return self._skills

    @property
    def modes(self) -> dict[str, tuple[str, ...]]:
        """In which modes each account of the config draws."""
        return self.skills.modes

    def summary(self) -> dict[str, Any]:
        return {
            "waiting": len(self.fair),
            "paused": self.paused,
            "under_way": dict(Counter(job.state for job in self.jobs.values())),
            "unwanted": len(self.unwanted),
            "free_places": len(self.demands),
            "accounts_up": len(self.ready),
            "tried_again": len(self.tries),
            "epoch": self.epoch,
        }

    # --- waiting ---------------------------------------------------------------------------------------------

    def plan_of(self, user: str) -> Plan:
        """The user's plan as it was at their latest job."""
        return self.process.config.plan(self.plans.get(user, DEFAULT_PLAN))

    def wait(self, job: JobRecord | QueuedJob, *, taken: bool) -> None:
        """The job is queued: at the end of its lane, or back at its head when it had been `taken` from there.

        One that only an account could draw which is no longer in the config would wait for ever, and ends instead.
        """
        if job.affinity is not None and job.affinity not in self.modes:
            self.settle_without_account(job, tuple(WAITING))
            return
        self.jobs.pop(job.id, None)
        self.plans[job.user] = job.plan
        plan = self.plan_of(job.user)
        lane = self.skills.lane(job.mode, job.kind, job.has_images, job.affinity)
        waiting = Waiting(job.id, job.user, lane, job.affinity, job.attempt)
        counted = self.running.pop(job.id, None) is not None
        if taken and counted:
            self.fair.put_back(waiting, weight=plan.weight, concurrent=plan.concurrent)
        else:
            self.fair.add(waiting, weight=plan.weight, concurrent=plan.concurrent)

    def eta_s(self, waiting: Waiting, place: int, held: float = 0.0) -> float | None:
        """When a job at this place is drawn (core.estimate); None also while paused, and while no account that could
        draw it is up."""
        if self.paused:
            return None
        modes = self.ready_modes if waiting.account is None else self.ready.get(waiting.account, ())
        return self.estimate.eta_s(place, held) if mode_of(waiting.mode) in modes else None

    def hold(self, job: JobRecord) -> None:
        """The job was found with the bot after a restart: it counts as running."""
        self.plans[job.user] = job.plan
        plan = self.plan_of(job.user)
        self.fair.hold(job.user, weight=plan.weight, concurrent=plan.concurrent)
        self.running[job.id] = job.user
        self.jobs[job.id] = job

    def learn(self, job: JobRecord) -> bool:
        """Keep the job as stored; False, and nothing changes, when later news of it came first.

        A Store that dies may have committed without an answer; sent again, the write is answered as it was then.
        """
        known = self.jobs.get(job.id)
        if known is None or (known.attempt, COURSE.index(known.state)) > (job.attempt, COURSE.index(job.state)):
            return False
        self.jobs[job.id] = job
        self._said("a job has moved", job)
        return True

    def _said(self, what: str, job: JobRecord) -> None:
        about = {"job": job.id, "user": job.user, "account": job.account, "attempt": job.attempt}
        self.debug(what, **about, state=job.state, code=job.code)

    def release(self, job: str) -> None:
        """The job draws no longer: its user may have another one begun."""
        user = self.running.pop(job, None)
        if user is not None:
            self.fair.ended(user)

    # --- matching --------------------------------------------------------------------------------------------

    def ask(self, demand: Demand) -> None:
        """A free place stands until it is matched or withdrawn; asked twice it stands once."""
        self.withdraw(demand.lease)
        key = (demand.load, demand.lease)
        self.demands[key] = demand
        self.demand_keys[demand.lease] = key

    def withdraw(self, lease: str) -> None:
        """The place is gone."""
        key = self.demand_keys.pop(lease, None)
        if key is not None:
            del self.demands[key]

    def forget_demands(self) -> None:
        """A new scheduler's epoch: what the old one asked for is void."""
        self.demands.clear()
        self.demand_keys.clear()

    def match(self) -> None:
        """Give every standing place its fair next job, as long as there are any of both; paused, none."""
        if self.paused:
            return
        matched: list[tuple[Waiting, Demand]] = []
        skills = self.skills
        for demand in self.demands.values():
            if self.fair.is_stalled:
                break
            waiting = self.fair.take(demand.account, skills.lanes(demand.account, demand.modes))
            if waiting is not None:
                matched.append((waiting, demand))
        for waiting, demand in matched:
            self.withdraw(demand.lease)
            self._grant(waiting, demand)

    def _grant(self, waiting: Waiting, demand: Demand) -> None:
        self.running[waiting.job] = waiting.user
        grant = Grant(waiting.job, waiting.attempt + 1, demand.lease, demand.account, self.wall())

        def granted(outcome: Written) -> None:
            has_ended = waiting.job not in self.running  # cancelled, before this answer was sent again
            if isinstance(outcome, Applied) and outcome.job is not None and not has_ended:
                self.jobs[waiting.job] = outcome.job
                self.tell(
                    "scheduler",
                    Next(demand.lease, demand.epoch, waiting.user, waiting.job, grant.attempt, demand.account),
                )
            else:  # cancelled in between: the place is still free
                self.release(waiting.job)
                give_up()
                self.match()

        def give_up() -> None:
            if demand.epoch == self.epoch:
                self.ask(demand)

        def refused() -> None:
            give_up()
            self.strand(waiting.job)

        self.move(grant, granted, refused)

    # --- moving ----------------------------------------------------------------------------------------------

    def move(
        self,
        write: Move,
        then: Callable[[Written], None],
        refused: Callable[[], None],
        tries: int = 1,
        put_off: Callable[[str], None] | None = None,
    ) -> None:
        """Commit a move of a job, then `then(outcome)`; a Store that refuses it again and again ends in `refused()`.

        With `put_off`, a database that takes nothing now ends it there; without, it is waited for.
        """

        def written(outcome: Written) -> None:
            if not isinstance(outcome, Refused):
                then(outcome)
            elif tries < MOVE_TRIES_MAX:
                self._later(
                    MOVE_AGAIN_S * 2 ** (tries - 1), lambda: self.move(write, then, refused, tries + 1, put_off)
                )
            else:
                self.log.error("the store refuses a move of a job", job=write.job, move=type(write).__name__)
                refused()

        self.store.commit(write, written, put_off)

    def strand(self, job: str) -> None:
        """A job that cannot be moved on ends here, refunded; as long as not even that can be stored, it is tried."""
        settle = Settle(
            job, None, tuple(map(str, NEXT)), State.FAILED, "internal", STRANDED_TEXT, False, (), self.wall()
        )

        def settled(outcome: Written) -> None:
            if isinstance(outcome, Applied):
                self.told_the_end(outcome)
            elif isinstance(outcome, Refused):
                self.log.error("the store refuses the end of a job", job=job)
                self._later(STRANDED_AGAIN_S, lambda: self.strand(job))

        self.store.commit(settle, settled)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self.try_count += 1
        self.tries[self.try_count] = what
        self.after(seconds, MoveAgain(self.try_count))

    def receiveMsg_MoveAgain(self, again: MoveAgain, sender: Any) -> None:
        self.tries.pop(again.number)()

    # --- ending ----------------------------------------------------------------------------------------------

    def settle(
        self,
        job: JobRecord | QueuedJob,
        states: tuple[State, ...],
        state: State,
        *,
        code: str | None = None,
        message: str | None = None,
        charged: bool,
        images: tuple[ImageRecord, ...] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """End the attempt if it is in one of `states`; tell the user once it is stored, then call `then()`."""
        settle = Settle(
            job.id, job.attempt, tuple(map(str, states)), str(state), code, message, charged, images, self.wall()
        )

        def settled(outcome: Written) -> None:
            if isinstance(outcome, Applied):
                self.told_the_end(outcome)
            if then is not None:
                then()

        def refused() -> None:
            self.strand(job.id)
            if then is not None:
                then()

        self.move(settle, settled, refused)

    def settle_without_account(self, job: JobRecord | QueuedJob, states: tuple[State, ...]) -> None:
        """Only an account that is not there any more could draw it, or hear how it ends."""
        self.settle(job, states, State.FAILED, code="no_account", message=NO_ACCOUNT_TEXT, charged=False)

    def told_the_end(self, outcome: Applied) -> None:
        """A terminal state is stored: forget the job, tell its user, count it, and let the next one begin."""
        job = outcome.job
        if job is None or outcome.seq is None:
            raise ValueError("a terminal write must answer with its job and seq")
        self.jobs.pop(job.id, None)
        self.unwanted.discard(job.id)
        self.fair.remove(job.id)
        self.release(job.id)
        self.tell("lobby", JobSettled(job.user, job, outcome.seq))
        self._said("a job has ended", job)
        now = self.wall()
        drawing_s = None if job.submitted_at is None else now - job.submitted_at
        ended = JobEnded(job.code or job.state, job.account, now - job.created_at, drawing_s, job.finished_at or now)
        self.tell("monitor", ended)
        if self.process.traces is not None:
            self.tell("tracer", JobOver(job.id))
        self.match()
