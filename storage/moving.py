"""Moves of a job before its end: compare-and-set on (job, attempt, state), each with its moment in the history.

The moves are a table; each is decided on the job as it is and is one UPDATE, built once. Who comes too late is answered
Stale and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, func, or_, update

from core.job import TERMINAL, State, may_move
from protocol.client import Started
from storage.events import store_event
from storage.operations import (
    Applied,
    AskCancel,
    Doubt,
    Gather,
    GiveBack,
    Grant,
    JobRecord,
    Stale,
    Submit,
    Track,
    Ungrant,
)
from storage.rows import INSERT_HISTORY, JOB_COLUMNS, as_stored, job_of, job_to_move, read_whole_job
from storage.statements import Statement, given, insertion, literals
from storage.tables import attempts, jobs

LATE = "late"


#: What a field of the job becomes, told by the job as it is and the write.
Source = Callable[[JobRecord, Any], Any]


def of(name: str) -> Source:
    """What the write says."""
    return lambda job, write: getattr(write, name)


def piece(name: str) -> Source:
    """What the write says, if anything: what the bot tells comes in pieces, and a missing one changes nothing."""

    def told(job: JobRecord, write: Any) -> Any:
        value = getattr(write, name)
        return getattr(job, name) if value is None else value

    return told


def nothing(job: JobRecord, write: Any) -> None:
    """The field is empty again."""


def same_attempt(job: JobRecord, write: Any) -> bool:
    """The write is about the attempt that is under way."""
    return bool(job.attempt == write.attempt)


def next_attempt(job: JobRecord, write: Any) -> bool:
    """The write begins a new attempt."""
    return bool(job.attempt + 1 == write.attempt)


def same_lease(job: JobRecord, write: Any) -> bool:
    """The write is about the attempt that is under way, and comes from whom it was granted to."""
    return same_attempt(job, write) and job.lease == write.lease


class Move:
    """From any of `before` to `after` if the write `fits`, setting `fields`; the table of core.job must allow it.

    It is decided here and compared again by the UPDATE: a job that another process moved meanwhile is not moved.
    """

    def __init__(
        self,
        before: tuple[State, ...],
        after: State,
        fits: Callable[[JobRecord, Any], bool] = same_attempt,
        /,
        **fields: Source,
    ) -> None:
        for state in before:
            assert may_move(state, after) or state is after, f"core.job does not allow {state} → {after}"
        self.before, self.after, self.fits, self.fields = before, after, fits, fields
        self._statement = Statement(
            update(jobs)
            .where(jobs.c.id == given("job"), jobs.c.state == given("state_before"))
            .where(jobs.c.attempt == given("attempt_before"))
            .values(state=after.value, **{name: given(name) for name in fields})
        )

    def __call__(self, connection: Connection, job: JobRecord | None, write: Any) -> JobRecord | None:
        """The `job` after the move, None when it is not where it should be. What is known already is not written."""
        if job is None or job.state not in self.before or not self.fits(job, write):
            return None
        news = {name: source(job, write) for name, source in self.fields.items()}
        if job.state == self.after and all(getattr(job, name) == value for name, value in news.items()):
            return job
        before = {"job": job.id, "state_before": job.state, "attempt_before": job.attempt}
        if not self._statement.run(connection, **before, **as_stored(news)):
            return None
        if job.state != self.after:
            INSERT_HISTORY.run(connection, job=job.id, state=self.after.value, at=write.at)
        return replace(job, state=self.after.value, **news)


S = State

#: A job that waits again knows nothing of the attempt before.
AFRESH = dict.fromkeys(
    (
        *("account", "nonce", "lease", "gateway_session", "interaction_id", "start_message_id", "job_hash"),
        *("submitted_at", "undecided_at"),
    ),
    nothing,
)
TOLD = {name: piece(name) for name in ("interaction_id", "start_message_id", "job_hash")}

GRANT = Move((S.QUEUED,), S.GRANTED, next_attempt, attempt=of("attempt"), lease=of("lease"), account=of("account"))
UNGRANT = Move((S.GRANTED,), S.QUEUED, **AFRESH)
SUBMIT = Move(
    (S.GRANTED,),
    S.SUBMITTING,
    same_lease,
    nonce=of("nonce"),
    gateway_session=of("gateway_session"),
    submitted_at=of("at"),
)
GIVE_BACK = Move((S.SUBMITTING, S.UNDECIDED), S.QUEUED, **AFRESH)
DOUBT = Move((S.SUBMITTING,), S.UNDECIDED, undecided_at=of("at"))
START = Move((S.SUBMITTING, S.UNDECIDED), S.DRAWING, started_at=of("at"), **TOLD)
LEARN_DRAWING = Move((S.DRAWING,), S.DRAWING, **TOLD)
LEARN_KEEPING = Move((S.KEEPING,), S.KEEPING, **TOLD)
GATHER = Move(
    (S.SUBMITTING, S.UNDECIDED, S.DRAWING),
    S.KEEPING,
    message_id=of("message_id"),
    picture_url=of("picture_url"),
    job_hash=piece("job_hash"),
    offers=of("offers"),
    text=of("text"),
)

_ASK_CANCEL = Statement(
    update(jobs)
    .where(jobs.c.id == given("job"), jobs.c.state.in_(literals((S.SUBMITTING, S.UNDECIDED, S.DRAWING))))
    .values(cancel_asked_at=func.coalesce(jobs.c.cancel_asked_at, given("at")))
    .returning(*JOB_COLUMNS)
)

_INSERT_ATTEMPT = Statement(insertion(attempts, "job", "attempt", "account", "nonce", "lease", "gateway_session", "at"))
_THIS_ATTEMPT = (attempts.c.job == given("job"), attempts.c.attempt == given("attempt"))
_ATTEMPT_ENDED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(outcome=given("outcome")))
_ATTEMPT_SIGHTED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(interaction_id=given("interaction_id")))
_ATTEMPT_GATHERED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(message_id=given("message_id")))
# The same picture told of twice is not a late one.
_ATTEMPT_LATE = Statement(
    update(attempts)
    .where(*_THIS_ATTEMPT, or_(attempts.c.message_id.is_(None), attempts.c.message_id != given("message_id")))
    .values(outcome=LATE, message_id=given("message_id"))
)


def grant(connection: Connection, write: Grant) -> Applied | Stale:
    """See Grant."""
    return _told(connection, write, GRANT(connection, job_to_move(connection, write.job), write))


def ungrant(connection: Connection, write: Ungrant) -> Applied | Stale:
    """See Ungrant."""
    return _told(connection, write, UNGRANT(connection, job_to_move(connection, write.job), write))


def submit(connection: Connection, write: Submit) -> Applied | Stale:
    """See Submit. Opens the attempt's record."""
    job = SUBMIT(connection, job_to_move(connection, write.job), write)
    if job is not None:
        _INSERT_ATTEMPT.run(connection, **asdict(write), account=job.account)
    return _told(connection, write, job)


def give_back(connection: Connection, write: GiveBack) -> Applied | Stale:
    """See GiveBack. Closes the attempt's record."""
    job = GIVE_BACK(connection, job_to_move(connection, write.job), write)
    if job is not None:
        end_attempt(connection, write.job, write.attempt, write.outcome)
    return _told(connection, write, job)


def doubt(connection: Connection, write: Doubt) -> Applied | Stale:
    """See Doubt."""
    return _told(connection, write, DOUBT(connection, job_to_move(connection, write.job), write))


def track(connection: Connection, write: Track) -> Applied | Stale:
    """See Track. A piece that comes while the picture is being kept is still taken."""
    before = job_to_move(connection, write.job)
    job, seq = START(connection, before, write), None
    if job is not None:
        seq = store_event(connection, job.user, job.id, lambda seq: Started(seq, write.job))
    else:
        job = LEARN_DRAWING(connection, before, write) or LEARN_KEEPING(connection, before, write)
    if job is not None and before is not None and job.interaction_id != before.interaction_id:
        _ATTEMPT_SIGHTED.run(connection, job=job.id, attempt=job.attempt, interaction_id=job.interaction_id)
    return _told(connection, write, job, seq)


def gather(connection: Connection, write: Gather) -> Applied | Stale:
    """See Gather."""
    before = job_to_move(connection, write.job)
    job = GATHER(connection, before, write)
    if job is not None:
        _ATTEMPT_GATHERED.run(connection, job=write.job, attempt=write.attempt, message_id=write.message_id)
    elif before is not None and before.state in TERMINAL:
        _ATTEMPT_LATE.run(connection, job=write.job, attempt=write.attempt, message_id=write.message_id)
    return _told(connection, write, job)


def ask_cancel(connection: Connection, write: AskCancel) -> Applied | Stale:
    """See AskCancel."""
    row = _ASK_CANCEL.one(connection, job=write.job, at=write.at)
    return _told(connection, write, job_of(row) if row is not None else None)


def end_attempt(connection: Connection, job: str, attempt: int, outcome: str) -> None:
    """Writes on the attempt's record what came of it; an attempt that never submitted has none."""
    _ATTEMPT_ENDED.run(connection, job=job, attempt=attempt, outcome=outcome)


def _told(connection: Connection, write: Any, job: JobRecord | None, seq: int | None = None) -> Applied | Stale:
    return Applied(job, seq) if job is not None else Stale(read_whole_job(connection, write.job))
