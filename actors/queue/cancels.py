"""The Queue's part about drawings that are not wanted any more: by their user, or by the operator.

What waits ends at once, refunded. What is with the bot is a request to the bot, kept until the job has ended: what
happens first is its end (CONTRACT §5).
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.queue.course import CANCELLED_TEXT, DRAWING_STATES, QueueCourse
from actors.queue.messages import Cancel, CancelHeard
from actors.queue.orders import CancelWaiting, WaitingCancelled
from core.job import WAITING, State
from storage.operations import (
    Applied,
    AskCancel,
    Found,
    JobFound,
    JobRecord,
    ReadJob,
    Settle,
    Stale,
    Written,
)
from system.message import Message

#: A user has no more jobs that wait than any plan allows.
WAITING_MAX = 1_000_000
BANNED_TEXT = "Cancelled by the operator before it was drawn."


class QueueCancels(QueueCourse):
    """Between QueueCourse and QueueOversight."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Cancel, CancelWaiting)

    def receiveMsg_Cancel(self, cancel: Cancel, sender: Any) -> None:
        job = self.jobs.get(cancel.job)
        if job is not None and cancel.user in (None, job.user) and job.state not in WAITING:
            self._cancel_with_the_bot(cancel, job)
            return

        def found(answer: Found) -> None:
            match answer:
                case JobFound(job=job) if job.state in WAITING:
                    self._cancel_waiting(cancel, job)
                case JobFound(job=job):
                    self._cancel_with_the_bot(cancel, job)
                case _:
                    self._heard(cancel, None, "not_found")

        self.store.lookup(ReadJob(cancel.job, cancel.user), found, lambda why: self._cancel_put_off(cancel, None))

    def _cancel_waiting(self, cancel: Cancel, job: JobRecord) -> None:
        settle = Settle(
            job.id, None, tuple(WAITING), State.CANCELLED, "cancelled", CANCELLED_TEXT, False, (), self.wall()
        )

        def settled(outcome: Written) -> None:
            match outcome:
                case Applied(job=JobRecord() as ended):
                    self.told_the_end(outcome)
                    self._heard(cancel, ended)
                case _:
                    self._cancel_with_the_bot(cancel, getattr(outcome, "job", None) or job)

        self.move(
            settle,
            settled,
            lambda: self._cancel_refused(cancel, job),
            put_off=lambda why: self._cancel_put_off(cancel, job),
        )

    def _cancel_with_the_bot(self, cancel: Cancel, job: JobRecord) -> None:
        """A request to the bot; the terminal state is what happens first (CONTRACT §5). It is kept until then."""
        if job.state not in DRAWING_STATES:
            self._heard(cancel, job, "not_cancellable")
            return
        self.unwant(job.id)

        def kept(outcome: Written) -> None:
            match outcome:
                case Applied(job=JobRecord() as asked):
                    self.learn(asked)
                    self.tell_to_stop(asked)
                    self._heard(cancel, asked, fresh=job.cancel_asked_at is None)
                case Stale(job=JobRecord() as latest):
                    self.unwanted.discard(job.id)
                    if latest.state in WAITING:
                        self._cancel_waiting(cancel, latest)
                    else:
                        self._heard(cancel, latest, "not_cancellable")
                case _:
                    raise TypeError(f"the store answered {type(outcome).__name__} to AskCancel")

        def put_off(why: str) -> None:
            if job.cancel_asked_at is None:
                self.unwanted.discard(job.id)  # nothing of this wish is stored, so nothing of it is done
            self._cancel_put_off(cancel, job)

        self.move(AskCancel(job.id, self.wall()), kept, lambda: self._cancel_refused(cancel, job), put_off=put_off)

    def _heard(self, cancel: Cancel, job: JobRecord | None, code: str | None = None, *, fresh: bool = True) -> None:
        user = cancel.user or (job.user if job is not None else None)
        self.tell(cancel.reply_to, CancelHeard(user, cancel.request_id, job, code, fresh))

    def _cancel_refused(self, cancel: Cancel, job: JobRecord) -> None:
        self._heard(cancel, job, "internal")

    def _cancel_put_off(self, cancel: Cancel, job: JobRecord | None) -> None:
        """The database takes nothing just now, nor can this be read: whoever asked asks again."""
        self._heard(cancel, job, "draining")

    def receiveMsg_CancelWaiting(self, order: CancelWaiting, sender: Any) -> None:
        """Also what is being granted just now: the store takes this after it."""
        granted = [job for job, user in self.running.items() if user == order.user and self._is_granted(job)]
        jobs = [standing.job for standing in self.fair.standings(order.user, WAITING_MAX)] + granted
        left, count = len(jobs), 0

        def settled(outcome: Written | None) -> None:
            nonlocal left, count
            left -= 1
            if isinstance(outcome, Applied):
                count += 1
                self.told_the_end(outcome)
            if left == 0:
                self.tell("console", WaitingCancelled(order.ask, count))

        if not jobs:
            self.tell("console", WaitingCancelled(order.ask, 0))
        for job in jobs:
            end = (State.CANCELLED, "cancelled", BANNED_TEXT, False, (), self.wall())
            self.move(Settle(job, None, tuple(WAITING), *end), settled, lambda: settled(None))

    def _is_granted(self, job: str) -> bool:
        known = self.jobs.get(job)
        return known is None or known.state == State.GRANTED
