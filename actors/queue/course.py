"""The Queue's half that follows a drawing: begun, submitted, drawing, drawn, kept. The other half is in queue.py.

Every handler does the same three things: look whether the fact is about the attempt we know, commit the move, and in
the continuation tell those concerned. Facts of accounts are sent again until acknowledged, so each is harmless twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from actors.monitor.messages import Observed
from actors.queue.ledger import QueueLedger
from actors.queue.messages import (
    AccountsChanged,
    Acknowledged,
    AskHoldings,
    Begin,
    Doubtful,
    Drawn,
    Fact,
    Failed,
    Go,
    Holdings,
    JobMoved,
    Keep,
    Kept,
    LeaseVoided,
    NoGo,
    NotKept,
    Returned,
    Sighted,
    Stop,
)
from core.ids import new_nonce
from core.job import ACT, WAITING, WITH_THE_BOT, State
from core.reconcile import patience_s
from storage.moving import NONCE_TAKEN
from storage.operations import (
    Applied,
    Doubt,
    Gather,
    GiveBack,
    JobRecord,
    QueuedJob,
    Refused,
    Submit,
    Track,
    Ungrant,
    Written,
)
from system.message import Message

#: The Gallery is reminded of a picture it has not answered for.
KEEP_AGAIN_S = 60.0

#: A job whose submission cannot be stored under so many nonces, or in so many attempts, is given up.
SUBMIT_TRIES_MAX = 5
#: The account is reminded of a drawing that is not wanted any more, as long as it goes on.
STOP_AGAIN_S = 15.0

CANCELLED_TEXT = "Cancelled before it was drawn."
DRAWING_STATES = (State.SUBMITTING, State.UNDECIDED, State.DRAWING)
UNDECIDED_TEXT = "It could not be learnt whether the drawing bot took this job, so it was not sent again."


class UndecidedOverdue(Message, frozen=True):
    """The evidence did not come in time (undecided_s)."""

    job: str
    attempt: int


class StopsDue(Message, frozen=True):
    """Are there drawings that are not wanted any more and go on?"""


class KeepAgain(Message, frozen=True):
    """Has the Gallery answered for this job?"""

    job: str


class QueueCourse(QueueLedger):
    """The course of jobs that have left the waiting line."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings, AccountsChanged),
        *(Kept, NotKept),
        *(UndecidedOverdue, StopsDue, KeepAgain),
    )

    def __init__(self) -> None:
        super().__init__()
        #: The latest nonce: the next one is greater, so that no two of a moment are the same.
        self.nonce = ""
        #: How often each unfinished job was refused, in this life of ours. A later one forgets it: no harm is done by
        #: asking a few times more, and a column would be written for every job.
        self.refusals: dict[str, int] = {}

    # --- accounts --------------------------------------------------------------------------------------------

    def receiveMsg_Begin(self, begin: Begin, sender: Any) -> None:
        job = self.jobs.get(begin.job)
        if job is None or job.state != State.GRANTED or (job.attempt, job.lease) != (begin.attempt, begin.lease):
            self.tell(f"account/{begin.account}", NoGo(begin.account, begin.job, begin.attempt))
            return
        if self.paused:
            self.tell(f"account/{begin.account}", NoGo(begin.account, begin.job, begin.attempt))
            self.ungrant(job, begin.lease)
            return
        self._submit(begin, job)

    def _submit(self, begin: Begin, job: JobRecord, tries: int = 1) -> None:
        now = self.wall()
        self.nonce = new_nonce(now, self.dice, self.nonce)

        def submitted(outcome: Written) -> None:
            if isinstance(outcome, Applied) and outcome.job is not None and self.learn(outcome.job):
                self.tell(f"account/{begin.account}", Go(begin.account, outcome.job, self.refusals.get(job.id, 0)))
                self.tell("lobby", JobMoved(job.user, outcome.job, None))
                self.tell("monitor", Observed("limner_queue_wait_seconds", now - job.created_at))
                return
            if isinstance(outcome, Refused) and outcome.code == NONCE_TAKEN and tries < SUBMIT_TRIES_MAX:
                self._submit(begin, job, tries + 1)  # by an earlier life of ours, in the same millisecond
                return
            self.tell(f"account/{begin.account}", NoGo(begin.account, begin.job, begin.attempt))
            if isinstance(outcome, Refused):
                about = {"job": job.id, "user": job.user, "account": begin.account}
                self.log.error("the store refuses a submission", **about, attempt=begin.attempt)
                if begin.attempt < SUBMIT_TRIES_MAX:
                    self.ungrant(job)
                else:
                    self.strand(job.id)

        write = Submit(job.id, begin.attempt, begin.lease, self.nonce, begin.gateway_session, now)
        self.store.commit(write, submitted)

    def ungrant(self, job: JobRecord, lease: str | None = None) -> None:
        """What was granted and not begun waits again at its head; the lease, if it was asked for, is void."""

        def ungranted(outcome: Written) -> None:
            if isinstance(outcome, Applied) and outcome.job is not None:
                self.wait(outcome.job, taken=True)
            void(begun=getattr(getattr(outcome, "job", None), "state", None) in WITH_THE_BOT)

        def refused() -> None:
            self.strand(job.id)
            void(begun=False)

        def void(begun: bool) -> None:
            if lease is not None:
                self.tell("scheduler", LeaseVoided(lease, begun))
            self.match()

        self.move(Ungrant(job.id, job.attempt, self.wall()), ungranted, refused)

    def receiveMsg_Returned(self, returned: Returned, sender: Any) -> None:
        known = self.jobs.get(returned.job)
        if known is not None and known.attempt == returned.attempt and known.id in self.unwanted:
            self.settle(
                *(known, DRAWING_STATES, State.CANCELLED),
                code="cancelled",
                message=CANCELLED_TEXT,
                charged=False,
                then=lambda: self._acknowledge(returned),
            )
            return

        def given_back(job: JobRecord, seq: int | None) -> None:
            if returned.refusals:
                self.refusals[job.id] = returned.refusals
            self.wait(job, taken=True)
            self.tell("lobby", JobMoved(job.user, job, None))
            self.match()

        self._store_fact(returned, GiveBack(returned.job, returned.attempt, returned.why, self.wall()), given_back)

    def receiveMsg_Doubtful(self, doubtful: Doubtful, sender: Any) -> None:
        job = self.jobs.get(doubtful.job)
        if job is None or job.attempt != doubtful.attempt:
            self._acknowledge(doubtful)
        else:
            self._doubt(job, doubtful)

    def _doubt(self, job: JobRecord, fact: Doubtful | None) -> None:
        def doubted(outcome: Written) -> None:
            if isinstance(outcome, Applied) and outcome.job is not None and self.learn(outcome.job):
                self.tell("lobby", JobMoved(job.user, outcome.job, None))
                self.await_evidence(outcome.job)
            if fact is not None:
                self._acknowledge(fact)

        def refused() -> None:
            self.strand(job.id)
            if fact is not None:
                self._acknowledge(fact)

        self.move(Doubt(job.id, job.attempt, self.wall(), fact.cut_off if fact else None), doubted, refused)

    def await_evidence(self, job: JobRecord) -> None:
        """The job is undecided, maybe since an earlier life of ours: that counts."""
        since = self.wall() if job.undecided_at is None else job.undecided_at
        wait_s = patience_s(since, self.wall(), self.process.config.limits.undecided_s)
        self.after(wait_s, UndecidedOverdue(job.id, job.attempt))

    def receiveMsg_UndecidedOverdue(self, overdue: UndecidedOverdue, sender: Any) -> None:
        job = self.jobs.get(overdue.job)
        if job is None or job.attempt != overdue.attempt or job.state != State.UNDECIDED:
            return
        self.settle(job, (State.UNDECIDED,), State.FAILED, code="undecided", message=UNDECIDED_TEXT, charged=False)

    def receiveMsg_Sighted(self, sighted: Sighted, sender: Any) -> None:
        def tracked(job: JobRecord, seq: int | None) -> None:
            self.learn(job)
            if seq is not None and job.id in self.jobs:
                self.tell("lobby", JobMoved(job.user, self.jobs[job.id], seq))

        track = Track(
            *(sighted.job, sighted.attempt, sighted.interaction_id, sighted.start_message_id, sighted.job_hash),
            self.wall(),
        )
        self._store_fact(sighted, track, tracked)

    def receiveMsg_Drawn(self, drawn: Drawn, sender: Any) -> None:
        def gathered(job: JobRecord, seq: int | None) -> None:
            if not self.learn(job):
                return
            if job.submitted_at is not None:
                self.estimate = self.estimate.drew(self.wall() - job.submitted_at)
            self.tell("lobby", JobMoved(job.user, job, None))
            self._keep(job)
            self.match()

        self._draws_no_longer(drawn)
        gather = Gather(
            *(drawn.job, drawn.attempt, drawn.message_id, drawn.picture_url, drawn.job_hash, drawn.offers, drawn.text),
            self.wall(),
        )
        self._store_fact(drawn, gather, gathered)

    def receiveMsg_Failed(self, failed: Failed, sender: Any) -> None:
        job = self.jobs.get(failed.job)
        if job is None or job.attempt != failed.attempt:
            self._acknowledge(failed)
            return
        self._draws_no_longer(failed)
        self.settle(
            *(job, DRAWING_STATES, State(failed.state)),
            code=failed.code,
            message=failed.message,
            charged=failed.charged,
            then=lambda: self._acknowledge(failed),
        )

    def _draws_no_longer(self, end: Drawn | Failed) -> None:
        """The account's place is free already, and may be asked for before the end is stored: not so its user's limit
        would keep them from a place that is theirs by weight. Should the end prove stale, nothing is lost by this.
        """
        job = self.jobs.get(end.job)
        if job is not None and job.attempt == end.attempt and job.state in DRAWING_STATES:
            self.release(job.id)

    def told_the_end(self, outcome: Applied) -> None:
        super().told_the_end(outcome)
        if outcome.job is not None:
            self.refusals.pop(outcome.job.id, None)

    def unwant(self, job: str) -> None:
        """The user no longer wants it: what comes back is not drawn again; the account is told until it has ended."""
        if not self.unwanted:
            self.after(STOP_AGAIN_S, StopsDue())
        self.unwanted.add(job)

    def tell_to_stop(self, job: JobRecord) -> None:
        """Ask the account, which asks the bot, which may."""
        self.tell(f"account/{job.account}", Stop(job.account or "", job.id))

    def receiveMsg_StopsDue(self, due: StopsDue, sender: Any) -> None:
        for job_id in sorted(self.unwanted):
            job = self.jobs.get(job_id)
            if job is not None and job.state in DRAWING_STATES:
                self.tell_to_stop(job)
        if self.unwanted:
            self.after(STOP_AGAIN_S, due)

    def receiveMsg_AskHoldings(self, ask: AskHoldings, sender: Any) -> None:
        held = tuple(job for job in self.jobs.values() if job.account == ask.account and job.state in DRAWING_STATES)
        self.tell(f"account/{ask.account}", Holdings(ask.account, held))

    def receiveMsg_AccountsChanged(self, changed: AccountsChanged, sender: Any) -> None:
        """What only an account that is gone could go on with does not wait for it: as when the Queue is rebuilt."""
        for waiting in self.fair.bound_elsewhere(self.modes):
            plan = self.plans[waiting.user]
            job = QueuedJob(waiting.job, waiting.user, plan, waiting.mode, waiting.account, waiting.attempt, ACT)
            self.settle_without_account(job, tuple(WAITING))
        for begun in [job for job in self.jobs.values() if job.account not in self.modes]:
            if begun.state == State.DRAWING:
                self.settle_without_account(begun, (State.DRAWING,))
            elif begun.state == State.SUBMITTING:
                self._doubt(begun, None)

    def _store_fact(
        self, fact: Fact, write: GiveBack | Track | Gather, then: Callable[[JobRecord, int | None], None]
    ) -> None:
        """Commit what an account tells; `then(job, seq)` when it changed something; acknowledged in any case.

        A fact about an attempt that is over is stale in the store (compare-and-set), which is the judge of that.
        """

        def written(outcome: Written) -> None:
            if isinstance(outcome, Applied) and outcome.job is not None:
                then(outcome.job, outcome.seq)
            self._acknowledge(fact)

        def refused() -> None:
            if not isinstance(write, Track):  # without these links the drawing may still end well
                self.strand(fact.job)
            self._acknowledge(fact)

        self.move(write, written, refused)

    def _acknowledge(self, fact: Fact) -> None:
        told = Acknowledged(fact.account, fact.job, fact.attempt, type(fact).__name__)
        self.tell(f"account/{fact.account}", told)

    # --- the gallery -----------------------------------------------------------------------------------------

    def _keep(self, job: JobRecord) -> None:
        self.tell("gallery", Keep(job))
        self.after(KEEP_AGAIN_S, KeepAgain(job.id))

    def receiveMsg_KeepAgain(self, again: KeepAgain, sender: Any) -> None:
        job = self.jobs.get(again.job)
        if job is not None and job.state == State.KEEPING:
            self._keep(job)

    def receiveMsg_Kept(self, kept: Kept, sender: Any) -> None:
        job = self.jobs.get(kept.job)
        if job is not None and job.attempt == kept.attempt:
            self.settle(job, (State.KEEPING,), State.DONE, charged=True, images=kept.images)

    def receiveMsg_NotKept(self, lost: NotKept, sender: Any) -> None:
        job = self.jobs.get(lost.job)
        if job is not None and job.attempt == lost.attempt:
            self.settle(job, (State.KEEPING,), State.FAILED, code=lost.code, message=lost.message, charged=False)
