"""What the Queue keeps in memory, and the few things it does with it: wait, match, run, settle.

Waiting jobs are in core/fairness; those granted or with the bot are kept here as stored (`jobs`). The store is always
ahead of this: a move is committed first, and what follows from it is done in the continuation.
"""

from __future__ import annotations

from collections.abc import Callable

from sortedcontainers import SortedDict

from actors.monitor_messages import Observed
from actors.queue_messages import Demand, JobSettled, Next
from actors.store_client import StoreAsker
from core.config import DEFAULT_PLAN, Plan
from core.estimate import Estimate
from core.fairness import FairQueue, Waiting
from core.job import State
from storage.operations import Applied, Grant, ImageRecord, JobRecord, QueuedJob, Settle, Written

#: The order in which an attempt goes on.
COURSE = (State.GRANTED, State.SUBMITTING, State.UNDECIDED, State.DRAWING, State.KEEPING)


class QueueLedger(StoreAsker):
    """Base of the Queue: its state and what keeps it consistent."""

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
        self.epoch = 0
        #: The latest job's id: the next one sorts after it, so that order outlives a clock that is set back.
        self.newest = ""
        self.estimate = Estimate()

    # --- waiting ---------------------------------------------------------------------------------------------

    def plan_of(self, user: str) -> Plan:
        """The user's plan as it was at their latest job."""
        return self.process.config.plan(self.plans.get(user, DEFAULT_PLAN))

    def wait(self, job: JobRecord | QueuedJob, *, taken: bool) -> None:
        """The job is queued: at the end of its lane, or back at its head when it had been `taken` from there."""
        self.jobs.pop(job.id, None)
        self.plans[job.user] = job.plan
        plan = self.plan_of(job.user)
        waiting = Waiting(job.id, job.user, job.mode, job.affinity, job.attempt)
        counted = self.running.pop(job.id, None) is not None
        if taken and counted:
            self.fair.put_back(waiting, weight=plan.weight, concurrent=plan.concurrent)
        else:
            self.fair.add(waiting, weight=plan.weight, concurrent=plan.concurrent)

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
        return True

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
        """Give every standing place its fair next job, as long as there are any of both."""
        for demand in list(self.demands.values()):
            if self.fair.is_stalled:
                return
            waiting = self.fair.take(demand.account, demand.modes)
            if waiting is not None:
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
                if demand.epoch == self.epoch:
                    self.ask(demand)
                self.match()

        self.store.commit(grant, granted)

    # --- ending ----------------------------------------------------------------------------------------------

    def settle(
        self,
        job: JobRecord,
        states: tuple[State, ...],
        state: State,
        *,
        code: str | None = None,
        message: str | None = None,
        charged: bool,
        images: tuple[ImageRecord, ...] = (),
        then: Callable[[Written], None] | None = None,
    ) -> None:
        """End the attempt if it is in one of `states`; tell the user once it is stored, then call `then(outcome)`."""
        settle = Settle(
            job.id, job.attempt, tuple(map(str, states)), str(state), code, message, charged, images, self.wall()
        )

        def settled(outcome: Written) -> None:
            if isinstance(outcome, Applied):
                self.told_the_end(outcome)
            if then is not None:
                then(outcome)

        self.store.commit(settle, settled)

    def told_the_end(self, outcome: Applied) -> None:
        """A terminal state is stored: forget the job, tell its user, count it, and let the next one begin."""
        job = outcome.job
        if job is None or outcome.seq is None:
            raise ValueError("a terminal write must answer with its job and seq")
        self.jobs.pop(job.id, None)
        self.fair.remove(job.id)
        self.release(job.id)
        self.tell("lobby", JobSettled(job.user, job, outcome.seq))
        self.tell("monitor", Observed("limner_jobs_total", labels=(job.code or job.state,)))
        self.tell("monitor", Observed("limner_job_seconds", self.wall() - job.created_at))
        self.observe_depth()
        self.match()

    def observe_depth(self) -> None:
        """Tell how many wait."""
        self.tell("monitor", Observed("limner_queue_depth", len(self.fair)))
