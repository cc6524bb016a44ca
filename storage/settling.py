"""The end of a job: its terminal state, its one terminal event, its pictures and its refund, in one transaction."""

from __future__ import annotations

from msgspec.structs import asdict, replace
from sqlalchemy import and_, case, select, update

from core.job import TERMINAL, WAITING, State, may_move
from storage.events import store_event, terminal_frame
from storage.moving import end_attempt
from storage.operations import Applied, JobRecord, Settle, Stale
from storage.rows import INSERT_HISTORY
from storage.statements import Statement, given, insertion
from storage.tables import images, jobs, quota
from storage.writing import NotAsKnown, Writing

_SETTLE = Statement(
    update(jobs)
    .where(jobs.c.id == given("job"), jobs.c.attempt == given("attempt"), jobs.c.state == given("before"))
    .values({name: given(name) for name in ("state", "code", "message", "charged", "finished_at")})
)
_CHARGE = Statement(select(jobs.c.charged_day, jobs.c.charge).where(jobs.c.id == given("job")))
_REFUND = Statement(
    update(quota)
    .where(and_(quota.c.user == given("user"), quota.c.day == given("day")))
    .values(used=case((quota.c.used > given("charge"), quota.c.used - given("charge")), else_=0))
)
_INSERT_IMAGE = Statement(insertion(images))


def settle(writing: Writing, write: Settle) -> Applied | Stale:
    """See Settle. The job comes with its images.

    Raises ValueError when `state` is none in which a job can end.
    """
    if write.state not in TERMINAL:
        raise ValueError(f"a job cannot end in state {write.state!r}")
    before = writing.job(write.job)
    if before is None or not _expected(before, write):
        return Stale(writing.whole_job(write.job))
    # Nothing was drawn for a job that is cancelled while it waits: it never costs anything.
    never_drawn = write.state == State.CANCELLED and before.state in WAITING
    end = {
        "state": write.state,
        "code": write.code,
        "message": write.message,
        "charged": before.charged and write.charged and not never_drawn,
        "finished_at": write.at,
    }
    if not _SETTLE.run(writing.connection, job=before.id, attempt=before.attempt, before=before.state, **end):
        raise NotAsKnown(before.id)
    job = replace(before, images=write.images, **end)
    writing.note(job)
    writing.later(INSERT_HISTORY, job=job.id, state=job.state, at=write.at)
    end_attempt(writing, job.id, job.attempt, job.code or job.state)
    for image in write.images:
        writing.later(_INSERT_IMAGE, **asdict(image))
    if before.charged and not job.charged:
        ((day, charge),) = _CHARGE.all(writing.connection, job=job.id)
        _REFUND.run(writing.connection, user=job.user, day=day, charge=charge)
    seq = store_event(writing, job.user, job.id, lambda seq: terminal_frame(job, seq))
    return Applied(job, seq)


def _expected(job: JobRecord, write: Settle) -> bool:
    same_attempt = write.attempt in (None, job.attempt)
    return same_attempt and job.state in write.states and may_move(State(job.state), State(write.state))
