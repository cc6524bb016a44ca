"""Moves of a job before its end: compare-and-set on (job, attempt, state), each with its moment in the history.

The moves are a table; each is one UPDATE, built once. Who comes too late is answered Stale and changes nothing.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, func, null, or_, update

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
from storage.rows import INSERT_HISTORY, JOB_COLUMNS, as_json, job_of, read_whole_job
from storage.statements import Statement, given, insertion, literals
from storage.tables import attempts, jobs

LATE = "late"


class Move:
    """From any of `before` to `after`, setting `values`; the table of core.job must allow it.

    Built once: making a statement takes longer than running it.
    """

    def __init__(self, before: tuple[State, ...], after: State, *conditions: Any, **values: Any) -> None:
        for state in before:
            assert may_move(state, after) or state is after, f"core.job does not allow {state} → {after}"
        self.before, self.after = before, after
        self._statement = Statement(
            update(jobs)
            .where(jobs.c.id == given("job"), jobs.c.state.in_(literals(before)), *conditions)
            .values(state=after.value, **values)
            .returning(*JOB_COLUMNS)
        )

    def __call__(self, connection: Connection, write: Any, **more: Any) -> JobRecord | None:
        """The job after the move (with neither images nor history), None when it was not where it should be."""
        row = self._statement.one(connection, **asdict(write) | more)
        if row is None:
            return None
        if self.before != (self.after,):
            INSERT_HISTORY.run(connection, job=write.job, state=self.after.value, at=write.at)
        return job_of(row)


S = State
SAME_ATTEMPT = jobs.c.attempt == given("attempt")

#: A job that waits again knows nothing of the attempt before.
AFRESH = dict.fromkeys(
    (
        *("account", "nonce", "lease", "gateway_session", "interaction_id", "start_message_id", "job_hash"),
        *("submitted_at", "undecided_at"),
    ),
    null(),
)
#: What the bot tells comes in pieces; a piece that is missing leaves the field as it is.
TOLD = {
    name: func.coalesce(given(name, jobs.c[name].type), jobs.c[name])
    for name in ("interaction_id", "start_message_id", "job_hash")
}

GRANT = Move(
    (S.QUEUED,),
    S.GRANTED,
    jobs.c.attempt + 1 == given("attempt"),
    attempt=given("attempt"),
    lease=given("lease"),
    account=given("account"),
)
UNGRANT = Move((S.GRANTED,), S.QUEUED, SAME_ATTEMPT, **AFRESH)
SUBMIT = Move(
    (S.GRANTED,),
    S.SUBMITTING,
    SAME_ATTEMPT,
    jobs.c.lease == given("lease"),
    nonce=given("nonce"),
    gateway_session=given("gateway_session"),
    submitted_at=given("at"),
)
GIVE_BACK = Move((S.SUBMITTING, S.UNDECIDED), S.QUEUED, SAME_ATTEMPT, **AFRESH)
DOUBT = Move((S.SUBMITTING,), S.UNDECIDED, SAME_ATTEMPT, undecided_at=given("at"))
START = Move((S.SUBMITTING, S.UNDECIDED), S.DRAWING, SAME_ATTEMPT, started_at=given("at"), **TOLD)
LEARN_DRAWING = Move((S.DRAWING,), S.DRAWING, SAME_ATTEMPT, **TOLD)
LEARN_KEEPING = Move((S.KEEPING,), S.KEEPING, SAME_ATTEMPT, **TOLD)
GATHER = Move(
    (S.SUBMITTING, S.UNDECIDED, S.DRAWING),
    S.KEEPING,
    SAME_ATTEMPT,
    message_id=given("message_id"),
    picture_url=given("picture_url"),
    job_hash=TOLD["job_hash"],
    offers=given("offers"),
    text=given("text"),
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
    return _told(connection, write.job, GRANT(connection, write))


def ungrant(connection: Connection, write: Ungrant) -> Applied | Stale:
    """See Ungrant."""
    return _told(connection, write.job, UNGRANT(connection, write))


def submit(connection: Connection, write: Submit) -> Applied | Stale:
    """See Submit. Opens the attempt's record."""
    job = SUBMIT(connection, write)
    if job is not None:
        _INSERT_ATTEMPT.run(connection, **asdict(write), account=job.account)
    return _told(connection, write.job, job)


def give_back(connection: Connection, write: GiveBack) -> Applied | Stale:
    """See GiveBack. Closes the attempt's record."""
    job = GIVE_BACK(connection, write)
    if job is not None:
        end_attempt(connection, write.job, write.attempt, write.outcome)
    return _told(connection, write.job, job)


def doubt(connection: Connection, write: Doubt) -> Applied | Stale:
    """See Doubt."""
    return _told(connection, write.job, DOUBT(connection, write))


def track(connection: Connection, write: Track) -> Applied | Stale:
    """See Track. A piece that comes while the picture is being kept is still taken."""
    job, seq = START(connection, write), None
    if job is not None:
        seq = store_event(connection, job.user, job.id, lambda seq: Started(seq, write.job))
    else:
        job = LEARN_DRAWING(connection, write) or LEARN_KEEPING(connection, write)
    if job is not None and write.interaction_id is not None:
        _ATTEMPT_SIGHTED.run(connection, job=write.job, attempt=write.attempt, interaction_id=write.interaction_id)
    return _told(connection, write.job, job, seq)


def gather(connection: Connection, write: Gather) -> Applied | Stale:
    """See Gather."""
    job = GATHER(connection, write, offers=as_json(write.offers))
    found = _told(connection, write.job, job)
    if job is not None:
        _ATTEMPT_GATHERED.run(connection, job=write.job, attempt=write.attempt, message_id=write.message_id)
    elif found.job is not None and found.job.state in TERMINAL:
        _ATTEMPT_LATE.run(connection, job=write.job, attempt=write.attempt, message_id=write.message_id)
    return found


def ask_cancel(connection: Connection, write: AskCancel) -> Applied | Stale:
    """See AskCancel."""
    row = _ASK_CANCEL.one(connection, job=write.job, at=write.at)
    return _told(connection, write.job, job_of(row) if row is not None else None)


def end_attempt(connection: Connection, job: str, attempt: int, outcome: str) -> None:
    """Writes on the attempt's record what came of it; an attempt that never submitted has none."""
    _ATTEMPT_ENDED.run(connection, job=job, attempt=attempt, outcome=outcome)


def _told(connection: Connection, job_id: str, job: JobRecord | None, seq: int | None = None) -> Applied | Stale:
    return Applied(job, seq) if job is not None else Stale(read_whole_job(connection, job_id))
