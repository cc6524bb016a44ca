"""Moves of a job before its end: compare-and-set on (job, attempt, state), each with its moment in the history.

The moves are a table; each is decided on the job as it is and is one UPDATE, built once. Who comes too late is answered
Stale and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import func, or_, update
from sqlalchemy.dialects.postgresql import insert

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
    Refused,
    Stale,
    Submit,
    Track,
    Ungrant,
)
from storage.rows import INSERT_HISTORY, JOB_COLUMNS, as_stored, job_of
from storage.statements import Statement, given, literals
from storage.tables import attempts, jobs
from storage.writing import NotAsKnown, Writing

LATE = "late"
#: The code of a submission that another nonce would let through; nobody outside hears it.
NONCE_TAKEN = "nonce_taken"


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

    It is decided here and compared again by the UPDATE: a job that another process moved meanwhile is not moved, but
    NotAsKnown.
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
        # Looked at by every move: an enum's member takes longer to compare and to ask for its value than a text.
        self._before, self._after = {state.value for state in before}, after.value
        self._statement = Statement(
            update(jobs)
            .where(jobs.c.id == given("job"), jobs.c.state == given("state_before"))
            .where(jobs.c.attempt == given("attempt_before"))
            .values(state=literals((after,))[0], **{name: given(name) for name in fields})
        )

    def suits(self, job: JobRecord, write: Any) -> bool:
        """Whether the job is where it should be."""
        return job.state in self._before and self.fits(job, write)

    def __call__(self, writing: Writing, job: JobRecord | None, write: Any) -> JobRecord | None:
        """The `job` after the move, None when it is not where it should be. What is known already is not written."""
        if job is None or not self.suits(job, write):
            return None
        news = {name: source(job, write) for name, source in self.fields.items()}
        stays = job.state == self._after
        if stays and all(getattr(job, name) == value for name, value in news.items()):
            return job
        where = {"job": job.id, "state_before": job.state, "attempt_before": job.attempt}
        if not self._statement.run(writing.connection, **where, **as_stored(news)):
            raise NotAsKnown(job.id)
        if not stays:
            writing.later(INSERT_HISTORY, job=job.id, state=self._after, at=write.at)
        moved = replace(job, state=self._after, **news)
        writing.note(moved)
        return moved


S = State

#: A job that waits again knows nothing of the attempt before.
AFRESH = dict.fromkeys(
    (
        *("account", "nonce", "lease", "gateway_session", "interaction_id", "start_message_id", "job_hash"),
        *("submitted_at", "undecided_at", "cut_off"),
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
DOUBT = Move((S.SUBMITTING,), S.UNDECIDED, undecided_at=of("at"), cut_off=of("cut_off"))
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

_ATTEMPT = ("job", "attempt", "account", "nonce", "lease", "gateway_session", "at")
#: Adds no row where the nonce is another attempt's. In PostgreSQL's words, which are SQLite's too.
_INSERT_ATTEMPT = Statement(
    insert(attempts)
    .values({name: given(name) for name in _ATTEMPT})
    .on_conflict_do_nothing(index_elements=[attempts.c.nonce])
    .inline()
)
# These set different columns, so they may be done in any order after it.
_THIS_ATTEMPT = (attempts.c.job == given("job"), attempts.c.attempt == given("attempt"))
_ATTEMPT_ENDED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(outcome=given("outcome")))
_ATTEMPT_SIGHTED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(interaction_id=given("interaction_id")))
_ATTEMPT_GATHERED = Statement(update(attempts).where(*_THIS_ATTEMPT).values(message_id=given("message_id")))
# The same picture told of twice is not a late one.
_ATTEMPT_LATE = Statement(
    update(attempts)
    .where(*_THIS_ATTEMPT, or_(attempts.c.message_id.is_(None), attempts.c.message_id != given("message_id")))
    .values(outcome=LATE, message_id=given("message_id"), late_at=given("at"), late_url=given("picture_url"))
)


def grant(writing: Writing, write: Grant) -> Applied | Stale:
    """See Grant."""
    return _told(writing, write, GRANT(writing, writing.job(write.job), write))


def ungrant(writing: Writing, write: Ungrant) -> Applied | Stale:
    """See Ungrant."""
    return _told(writing, write, UNGRANT(writing, writing.job(write.job), write))


def submit(writing: Writing, write: Submit) -> Applied | Stale | Refused:
    """See Submit. Opens the attempt's record."""
    before = writing.job(write.job)
    if before is None or not SUBMIT.suits(before, write):
        return _told(writing, write, None)
    if not _INSERT_ATTEMPT.run(writing.connection, **asdict(write), account=before.account):
        return Refused(NONCE_TAKEN, "Another attempt has this nonce.")
    return _told(writing, write, SUBMIT(writing, before, write))


def give_back(writing: Writing, write: GiveBack) -> Applied | Stale:
    """See GiveBack. Closes the attempt's record."""
    job = GIVE_BACK(writing, writing.job(write.job), write)
    if job is not None:
        end_attempt(writing, write.job, write.attempt, write.outcome)
    return _told(writing, write, job)


def doubt(writing: Writing, write: Doubt) -> Applied | Stale:
    """See Doubt."""
    return _told(writing, write, DOUBT(writing, writing.job(write.job), write))


def track(writing: Writing, write: Track) -> Applied | Stale:
    """See Track. A piece that comes while the picture is being kept is still taken."""
    before = writing.job(write.job)
    job, seq = START(writing, before, write), None
    if job is not None:
        seq = store_event(writing, job.user, job.id, lambda seq: Started(seq, write.job))
    else:
        job = LEARN_DRAWING(writing, before, write) or LEARN_KEEPING(writing, before, write)
    if job is not None and before is not None and job.interaction_id != before.interaction_id:
        writing.later(_ATTEMPT_SIGHTED, job=job.id, attempt=job.attempt, interaction_id=job.interaction_id)
    return _told(writing, write, job, seq)


def gather(writing: Writing, write: Gather) -> Applied | Stale:
    """See Gather."""
    before = writing.job(write.job)
    job = GATHER(writing, before, write)
    if job is not None:
        writing.later(_ATTEMPT_GATHERED, job=write.job, attempt=write.attempt, message_id=write.message_id)
    elif before is not None and before.state in TERMINAL:
        writing.flush()
        _ATTEMPT_LATE.run(writing.connection, **asdict(write))
    return _told(writing, write, job)


def ask_cancel(writing: Writing, write: AskCancel) -> Applied | Stale:
    """See AskCancel."""
    row = _ASK_CANCEL.one(writing.connection, job=write.job, at=write.at)
    if row is None:
        return _told(writing, write, None)
    job = job_of(row)
    writing.note(job)
    return Applied(job)


def end_attempt(writing: Writing, job: str, attempt: int, outcome: str) -> None:
    """Writes on the attempt's record what came of it; an attempt that never submitted has none."""
    writing.later(_ATTEMPT_ENDED, job=job, attempt=attempt, outcome=outcome)


def _told(writing: Writing, write: Any, job: JobRecord | None, seq: int | None = None) -> Applied | Stale:
    return Applied(job, seq) if job is not None else Stale(writing.whole_job(write.job))
