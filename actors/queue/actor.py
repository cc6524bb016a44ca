"""Queue: the ledger of jobs. Every move of a job goes through it, is stored before it is told, and is told once.

Takes   Enqueue, Cancel, AskPlaces, Drain (sessions, runtime);  Demand, Withdraw, Capacity, LeaseVoid (scheduler);
        PauseQueue, PlanChanged, CancelWaiting, Reconfigured, AskQueue, AskStandings (console);
        Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings, AccountShut, AccountsChanged (accounts);
        Kept, NotKept (gallery);  SetIntake (monitor);  Committed, NotCommitted, LookedUp (store);  ResendDue,
        UndecidedOverdue, StopsDue, KeepAgain, MoveAgain, BoundDue, OffersDue, SharesDue (itself)
Sends   JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled -> lobby;  Keep -> gallery;
        LedgerOpen, Next, LeaseVoided, Outdated -> scheduler;  Go, NoGo, Acknowledged, Holdings, Stop -> account/NAME;
        QueuePaused, WaitingCancelled, QueueStands, Standings, and what it asked for -> console;
        Commit, Lookup -> store;  Observed, JobEnded -> monitor
Crash   rebuilt from the store; leases unknown to it are refused at Begin; accounts send their outcomes again

In seven parts, one actor: queue/ledger.py (what it keeps and its primitives), queue/course.py (a drawing's course with
account and gallery), queue/cancels.py, queue/oversight.py (its operator), queue/shut.py (accounts that wait for a
person), queue/intake.py (what pacing lets in), and here users and scheduler. What reaches the Queue while it is being
rebuilt waits, in order.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from actors.monitor.messages import Observed
from actors.queue.intake import QueueIntake
from actors.queue.ledger import NO_ACCOUNT_TEXT
from actors.queue.messages import (
    LOBBY,
    PLACES_TOLD_MAX,
    AskPlaces,
    Capacity,
    Demand,
    Drain,
    Enqueue,
    JobAccepted,
    JobRefused,
    LeaseVoid,
    LeaseVoided,
    LedgerOpen,
    Outdated,
    Place,
    Places,
    Withdraw,
)
from actors.store_client import StoreClient
from core.fairness import Waiting
from core.ids import new_id, time_of
from core.jain import jain
from core.job import WITH_THE_BOT, State, charge_of
from core.quota import day_of, never_before, resets_at
from storage.operations import (
    AcceptJob,
    Applied,
    Backlog,
    Fence,
    Found,
    JobFound,
    JobRecord,
    ReadBacklog,
    ReadJob,
    Refused,
    Replayed,
    Written,
)
from system.message import Message

#: Jobs read at once when the Queue is rebuilt.
LOAD_PAGE = 1000
#: How often is looked whether those who wait have had so many turns that one more or less says little: then it is told
#: how equally they were served, and looked anew.
SHARES_EACH_S = 5.0
SHARES_TURNS = 10
#: Messages that may wait while the Queue is rebuilt; beyond it they are dropped (most are sent again anyway).
HELD_MAX = 100_000
#: A Store that has not answered for this long: no new jobs until it does.
STORE_STUCK_S = 5.0
RETRY_SOON_S = 5.0
RETRY_FULL_S = 60.0

STORE_TEXT = "The job could not be stored just now, nothing was kept of it; try again in a moment."


def digest_of(wish: Enqueue) -> str:
    """What makes two requests under one ref the same: everything asked for, nothing else."""
    body = (wish.kind, wish.prompt, wish.mode, wish.images, wish.action, wish.index, wish.parent)
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


class SharesDue(Message, frozen=True):
    """Time to tell how many wait, and whether they have been served equally."""


class Queue(QueueIntake):
    """See the module's docstring."""

    ACCEPTS = (
        *(Enqueue, AskPlaces, Drain),
        *(Demand, Withdraw, Capacity, LeaseVoid),
        SharesDue,
    )

    def __init__(self) -> None:
        super().__init__()
        self.rebuilding = True
        self.draining = False
        self.held: list[tuple[Message, Any]] = []

    # --- being rebuilt ---------------------------------------------------------------------------------------

    def on_start(self) -> None:
        super().on_start()
        # What an earlier Queue wrote last may still be on its way to the disk: read only after it.
        self.store.commit(Fence(self.wall()), lambda outcome: self._load(None))

    def receiveMessage(self, message: Any, sender: Any) -> None:
        """As every actor, but while the Queue is being rebuilt all but the Store's answers wait, in order."""
        if self.rebuilding and type(message) in self._handlers and not isinstance(message, StoreClient.TAKES):
            if len(self.held) < HELD_MAX:
                self.held.append((message, sender))
            return
        super().receiveMessage(message, sender)

    def _load(self, after: str | None) -> None:
        def loaded(found: Found) -> None:
            if not isinstance(found, Backlog):
                raise TypeError(f"the store answered {type(found).__name__} for the backlog")
            self.newest, self.paused = max(self.newest, found.newest), found.paused
            if found.next is not None:
                self._load(found.next)  # is read while these are taken up
            for waiting in found.queued:
                self.wait(waiting, taken=False)
            for job in found.begun:
                self._take_up(job)
            if found.next is None:
                self._open()

        self.store.lookup(ReadBacklog(after, LOAD_PAGE), loaded)

    def _take_up(self, job: JobRecord) -> None:
        """One unfinished job that had left the queue, as the crash table of DESIGN says."""
        if job.cancel_asked_at is not None:
            self.unwant(job.id)
        match State(job.state):
            case State.GRANTED:
                self.jobs[job.id] = job
                self.ungrant(job)
            case State.SUBMITTING:
                self.hold(job)
                self._doubt(job, None)
            case State.KEEPING:
                self.jobs[job.id] = job
                self._keep(job)
            case State.UNDECIDED:
                self.hold(job)
                self.await_evidence(job)
            case State.DRAWING if job.account not in self.modes:  # nobody is left who could hear how it ends
                self.hold(job)
                self.settle_without_account(job, (State.DRAWING,))
            case _:
                self.hold(job)

    def _open(self) -> None:
        self.rebuilding = False
        self.tell("scheduler", LedgerOpen())
        self._tell_depth()
        self.after(SHARES_EACH_S, SharesDue())
        held, self.held = self.held, []
        for message, sender in held:
            if not isinstance(message, Demand):  # LedgerOpen has the scheduler ask again, under new leases
                self.receiveMessage(message, sender)

    # --- users -----------------------------------------------------------------------------------------------

    def receiveMsg_Enqueue(self, wish: Enqueue, sender: Any) -> None:
        if not self.is_let_in(wish):
            return
        if wish.parent is None:
            self._consider(wish, None)
        elif not self._is_refused(wish, None):  # an act waits for its parent's account
            self.store.lookup(
                ReadJob(wish.parent, wish.user),
                lambda found: self._consider(wish, found.job.account if isinstance(found, JobFound) else None),
                lambda why: self._refuse_unstored(wish),
            )

    def _consider(self, wish: Enqueue, affinity: str | None) -> None:
        if not self._is_refused(wish, affinity):
            self._accept(wish, affinity)

    def _accept(self, wish: Enqueue, affinity: str | None) -> None:
        plan = self.process.config.plan(wish.plan)
        now = self.wall()
        self.newest = new_id("j", now, self.dice, self.newest)
        lane = self.skills.lane(wish.mode, wish.kind, bool(wish.images), affinity)
        waiting = Waiting(self.newest, wish.user, lane, affinity)
        place = self.fair.expect(waiting, weight=plan.weight, concurrent=plan.concurrent)
        charged_at = never_before(time_of(self.newest), now)
        write = AcceptJob(
            job=self.newest,
            user=wish.user,
            plan=wish.plan,
            ref=wish.ref,
            digest=digest_of(wish),
            kind=wish.kind,
            prompt=wish.prompt,
            mode=wish.mode,
            images_in=wish.images,
            action=wish.action,
            index=wish.index,
            parent=wish.parent,
            charge=charge_of(wish.kind, wish.action),
            day=day_of(charged_at, plan.timezone),
            resets_at=resets_at(charged_at, plan.timezone),
            daily=plan.daily,
            queued=plan.queued,
            position=place.place,
            eta_s=self.eta_s(waiting, place.place, place.held),
            at=now,
        )

        def answered(outcome: Written) -> None:
            self._answer(wish, write, outcome)
            self.fair.unexpect(write.job)

        def refused(why: str) -> None:
            self.fair.unexpect(write.job)
            self._refuse_unstored(wish)

        self.store.commit(write, answered, refused)

    def _refuse_unstored(self, wish: Enqueue) -> None:
        self.tell(wish.reply_to, JobRefused(wish.user, wish.request_id, "draining", STORE_TEXT, RETRY_SOON_S))

    def _is_refused(self, wish: Enqueue, affinity: str | None) -> bool:
        """Whether nobody could draw it, or not now; then its user is told."""
        refusal = self._refusal_of(wish, affinity)
        if refusal is not None:
            self.tell(wish.reply_to, JobRefused(wish.user, wish.request_id, *refusal))
        return refusal is not None

    def _refusal_of(self, wish: Enqueue, affinity: str | None) -> tuple[str, str, float | None] | None:
        if self.draining:
            return "draining", "Limner is about to restart; try again in a moment.", RETRY_SOON_S
        if self.store.stuck_s > STORE_STUCK_S:
            return "draining", STORE_TEXT, RETRY_SOON_S
        if len(self.fair) + self.fair.expected >= self.process.config.limits.queue_max:
            return "queue_full", "The queue is full; try again in a minute.", RETRY_FULL_S
        if affinity is not None and affinity not in self.modes:
            return "no_account", NO_ACCOUNT_TEXT, RETRY_FULL_S
        words = self.nobody_draws(wish.mode, wish.kind, bool(wish.images), affinity)
        return None if words is None else ("no_account", words, RETRY_FULL_S)

    def _answer(self, wish: Enqueue, write: AcceptJob, outcome: Written) -> None:
        match outcome:
            case Applied(job=JobRecord() as job, seq=int() as seq):
                self.wait(job, taken=False)
                told = JobAccepted(wish.user, wish.request_id, job, seq, write.position, write.eta_s, replayed=False)
                for name in dict.fromkeys((LOBBY, wish.reply_to)):
                    self.tell(name, told)
                self.match()
            case Replayed(job=job, seq=seq):
                place, waiting = self.fair.place(job.id), self.fair.waiting(job.id)
                eta_s = self.eta_s(waiting, place) if place and waiting else None
                told = JobAccepted(wish.user, wish.request_id, job, seq, place, eta_s, replayed=True)
                self.tell(wish.reply_to, told)
            case Refused(code=code, message=message, retry_after_s=retry_after_s):
                self.tell(wish.reply_to, JobRefused(wish.user, wish.request_id, code, message, retry_after_s))
            case _:
                raise TypeError(f"the store answered {type(outcome).__name__} to AcceptJob")

    def receiveMsg_AskPlaces(self, ask: AskPlaces, sender: Any) -> None:
        places = tuple(
            Place(standing.job, standing.place, self.eta_s(waiting, standing.place, standing.held))
            for standing in self.fair.standings(ask.user, min(ask.most, PLACES_TOLD_MAX))
            if (waiting := self.fair.waiting(standing.job)) is not None
        )
        self.tell("lobby", Places(ask.user, places))

    def _tell_depth(self) -> None:
        self.tell("monitor", Observed("limner_queue_depth", len(self.fair)))

    def receiveMsg_SharesDue(self, due: SharesDue, sender: Any) -> None:
        self._tell_depth()
        shares = self.fair.shares()
        if len(shares) < 2 or sum(shares) >= SHARES_TURNS * len(shares):
            self.tell("monitor", Observed("limner_fairness_jain", jain(shares)))
            self.fair.look_anew()
        self.after(SHARES_EACH_S, SharesDue())

    def receiveMsg_Drain(self, drain: Drain, sender: Any) -> None:
        self.draining = True

    # --- the scheduler ---------------------------------------------------------------------------------------

    def receiveMsg_Demand(self, demand: Demand, sender: Any) -> None:
        if demand.epoch < self.epoch:
            self.tell("scheduler", Outdated(self.epoch))
            return
        if demand.epoch > self.epoch:
            self.epoch = demand.epoch
            self.forget_demands()
            for job in [job for job in self.jobs.values() if job.state == State.GRANTED]:
                self.ungrant(job)
        self.ask(demand)
        self.match()

    def receiveMsg_Withdraw(self, gone: Withdraw, sender: Any) -> None:
        self.withdraw(gone.lease)

    def receiveMsg_Capacity(self, capacity: Capacity, sender: Any) -> None:
        self.estimate = self.estimate.with_slots(capacity.slots)
        self.ready = capacity.modes
        self.ready_modes = frozenset(mode for modes in capacity.modes.values() for mode in modes)

    def receiveMsg_LeaseVoid(self, void: LeaseVoid, sender: Any) -> None:
        job = self.jobs.get(void.job)
        if job is not None and job.attempt == void.attempt and job.state == State.GRANTED:
            self.ungrant(job, void.lease)
        else:
            begun = job is not None and job.attempt == void.attempt and job.state in WITH_THE_BOT
            self.tell("scheduler", LeaseVoided(void.lease, begun))
