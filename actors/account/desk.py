"""The part of an account that carries drawings, whatever draws them: from the token to the fact that ends the attempt.

What an account does for a job is its *driver*: a subclass (midjourney.py for the drawing bot, images.py for an image
API). Here is what all drivers share: tokens are leases; nothing is submitted before the Queue has stored that it
will be; facts are told until they are stored; only then is a place free. The order of the hooks in a drawing's life:

    may_begin(token) → Begin → Go → may_submit(job) → submit(work, job) … end(work, fact)
                                                        after a restart instead: take_up(work, job)

A driver is never asked to submit an attempt twice, and must not by itself: what may have arrived is not sent again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter, OrderedDict
from typing import Any, ClassVar

from actors.account.health import AccountHealth
from actors.account.messages import FreshPicture, Perform
from actors.account.work import Step, Work
from actors.queue.messages import (
    Acknowledged,
    Begin,
    Drawn,
    Failed,
    Go,
    Holdings,
    NoGo,
    Returned,
    Stop,
)
from actors.scheduler import Renew, SlotFree
from core.job import State
from core.reconcile import GRACE_S, patience_s
from storage.operations import JobRecord
from system.message import Message

LEASE_RENEW_S = 20.0
#: Neither Go nor NoGo for this long: the word was lost. Longer than the scheduler waits for a lease to begin.
BEGIN_S_MAX = 15.0
#: A token may wait this long for a rate limit and still begin in time.
HOLD_S_MAX = 5.0
#: Timers count microseconds.
HOLD_S_MIN = 0.001
POSTED_MAX = 10_000
CANCELLED_TEXT = "Cancelled while it was drawn."
OUT_OF_WORK_TEXT = "the account was taken out of work before it was submitted"


class AccountDesk(AccountHealth):
    """Base of all drivers. See the module's docstring."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(Perform, Go, NoGo, Acknowledged, Holdings, Stop),
        FreshPicture,
    )

    def __init__(self) -> None:
        super().__init__()
        #: Attempts of this life whose POST may have left us: never given back for want of a Go.
        self.posted: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.renewed_at = 0.0

    # --- from token to submission ----------------------------------------------------------------------------

    def receiveMsg_Perform(self, token: Perform, sender: Any) -> None:
        work = self.works.get(token.job)
        if work is not None and work.attempt >= token.attempt:
            return
        if self.why_down() is not None:
            return  # the lease does not begin: it is void soon, and the job goes elsewhere
        if work is None and len(self.works) >= self.slots:
            return  # a token of a scheduler that did not know all we hold
        wait_s = self.hold_s()
        if wait_s > 0:
            if wait_s < HOLD_S_MAX:
                self.after(max(wait_s, HOLD_S_MIN), token)
            else:
                self.hold_back(wait_s)
            return
        session_id, now = self.session_id(), self.now()
        self.works[token.job] = Work(
            token.job, token.user, token.attempt, token.lease, Step.BEGINNING, now, session_id=session_id
        )
        self.tell("queue", Begin(self.subject, token.job, token.attempt, token.lease, session_id))

    def receiveMsg_NoGo(self, refusal: NoGo, sender: Any) -> None:
        work = self.work_of(refusal.job, refusal.attempt)
        if work is not None and work.step is Step.BEGINNING:
            self.let_go(work)

    def receiveMsg_Go(self, go: Go, sender: Any) -> None:
        job = go.job
        work = self.work_of(job.id, job.attempt)
        self.debug("a drawing may be submitted", job=job.id, user=job.user, attempt=job.attempt, nonce=job.nonce)
        if (job.id, job.attempt) in self.posted:
            return
        why_not = "it came too late" if work is None else self.why_not_submit(job)
        if work is None or why_not is not None:
            self.give_back(job, why_not or "")
        elif work.stop_wanted:
            self.end(work, self.cancelled(work, charged=False))
        else:
            work.job, work.step, work.since, work.go_at = job, Step.SUBMITTING, self.now(), self.now()
            work.refusals = go.refusals
            work.due_at = work.go_at + self.process.config.limits.drawing_s
            self._remember_posted(job)
            self._renew(work)
            self.submit(work, job)

    def why_not_submit(self, job: JobRecord) -> str | None:
        """Why a drawing that may be submitted must be given back instead; None: it need not be."""
        return OUT_OF_WORK_TEXT if self.health.needs_a_person else None

    def give_back(self, job: JobRecord, why: str) -> None:
        """It surely was not submitted."""
        self.outbox.put(Returned(self.subject, job.id, job.attempt, why), None)
        work = self.work_of(job.id, job.attempt)
        if work is not None:
            self.let_go(work)
        elif job.lease is not None:
            self.tell("scheduler", SlotFree(self.subject, job.lease))

    # --- ends ------------------------------------------------------------------------------------------------

    def end(self, work: Work, fact: Drawn | Failed | Returned) -> None:
        """The fact that ends the attempt, told until it is stored; then the place is free."""
        self.outbox.put(fact, self.event_seq())
        self.let_go(work)

    def let_go(self, work: Work) -> None:
        """The place is free."""
        if self.works.get(work.job_id) is work:
            del self.works[work.job_id]
        if work.lease is not None:
            self.tell("scheduler", SlotFree(self.subject, work.lease))

    def cancelled(self, work: Work, charged: bool) -> Failed:
        """The fact of a stop."""
        return Failed(self.subject, work.job_id, work.attempt, "cancelled", "cancelled", CANCELLED_TEXT, charged)

    def overdue(self, work: Work) -> Failed:
        """The fact of a drawing that took too long."""
        text = f"It was not drawn within {self.process.config.limits.drawing_s:g} s."
        return Failed(self.subject, work.job_id, work.attempt, "failed", "upstream_timeout", text, charged=False)

    def receiveMsg_Acknowledged(self, told: Acknowledged, sender: Any) -> None:
        self.debug("what was told is stored", job=told.job, attempt=told.attempt, what=told.fact)
        self.outbox.acknowledge(told)

    def receiveMsg_Stop(self, stop: Stop, sender: Any) -> None:
        work = self.works.get(stop.job)
        if work is not None:
            work.stop_wanted = True
            self.stop(work)

    # --- after a restart -------------------------------------------------------------------------------------

    def receiveMsg_Holdings(self, holdings: Holdings, sender: Any) -> None:
        starting = "holdings" in self.waits_for
        for job in holdings.jobs:
            if self.work_of(job.id, job.attempt) is not None or (job.id, job.attempt) in self.posted:
                continue
            if job.state == State.DRAWING or starting:
                self._take_up(job)
            elif job.nonce is not None:
                self.give_back(job, "it was never submitted")
        if starting:
            self.on_taken_up()
        self.arrived("holdings")

    def _take_up(self, job: JobRecord) -> None:
        """A drawing that an earlier life of this account began, which may have submitted it."""
        now, limits = self.now(), self.process.config.limits
        submitted_at = self.wall() if job.submitted_at is None else job.submitted_at
        # The clock may have been set since: however old it seems, there is time to find what became of it.
        patience = max(patience_s(submitted_at, self.wall(), limits.drawing_s), min(GRACE_S, limits.drawing_s))
        work = Work(
            *(job.id, job.user, job.attempt, job.lease, Step.WITH_BOT, now),
            go_at=now,
            due_at=now + patience,
            heard_at=now,
            job=job,
            session_id=job.gateway_session,
            interaction_id=job.interaction_id,
            hash=job.job_hash,
            sighted=job.state == State.DRAWING,
            stop_wanted=job.cancel_asked_at is not None,
        )
        self.works[job.id] = work
        self._remember_posted(job)
        self.take_up(work, job)

    # --- time ------------------------------------------------------------------------------------------------

    def on_tick(self, now: float) -> None:
        for work in tuple(self.works.values()):
            if work.step is not Step.BEGINNING:
                self.look_after(work, now)
            elif now - work.since >= BEGIN_S_MAX:
                self.let_go(work)  # its Begin or Go was lost: the Queue says what it made of it
                self.ask_holdings()
        if now - self.renewed_at >= LEASE_RENEW_S:
            self.renewed_at = now
            for work in self.works.values():
                self._renew(work)

    def _renew(self, work: Work) -> None:
        if work.lease is not None and work.step is not Step.BEGINNING:
            self.tell("scheduler", Renew(self.subject, work.lease))

    def work_of(self, job_id: str, attempt: int) -> Work | None:
        """The work on this very attempt."""
        work = self.works.get(job_id)
        return work if work is not None and work.attempt == attempt else None

    def _remember_posted(self, job: JobRecord) -> None:
        self.posted[job.id, job.attempt] = None
        if len(self.posted) > POSTED_MAX:
            self.posted.popitem(last=False)

    def summary(self) -> dict[str, Any]:
        worst = self.health.worst
        return {
            "state": self.health.state,
            "cause": worst.cause if worst is not None else None,
            "starting": ", ".join(sorted(self.waits_for)) or None,
            "slots": self.slots,
            "pace": self.pace,
            "holding": sorted(self.works),
            "steps": dict(Counter(work.step.name.lower() for work in self.works.values())),
            "to_be_stored": len(self.outbox),
        }

    # --- what a driver adds ----------------------------------------------------------------------------------

    def hold_s(self) -> float:
        """How long a token must wait before it may begin."""
        return 0.0

    def session_id(self) -> str | None:
        """In which session of the driver's a drawing would begin now; it is stored with the submission."""
        return None

    def event_seq(self) -> int | None:
        """Which event of the driver's is being handled, so that it is replayed until its effects are stored."""
        return None

    @abstractmethod
    def submit(self, work: Work, job: JobRecord) -> None:
        """Begin the one submission of this attempt. Its outcome comes back as a message of the driver's own."""

    @abstractmethod
    def take_up(self, work: Work, job: JobRecord) -> None:
        """Go on with a drawing that an earlier life may have submitted. It is not submitted again."""

    @abstractmethod
    def look_after(self, work: Work, now: float) -> None:
        """Time has passed for a drawing that may have been submitted."""

    @abstractmethod
    def stop(self, work: Work) -> None:
        """The drawing is not wanted any more. Nothing needs to come of it."""

    def on_taken_up(self) -> None:
        """All that an earlier life held is taken up."""

    @abstractmethod
    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        """Answer with PictureAt."""
