"""The end of a job: its terminal state, its one terminal event, its pictures and its refund, in one transaction."""

from __future__ import annotations

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, and_, case, select, update

from core.job import TERMINAL, WAITING, State, may_move
from storage.events import store_event, terminal_frame
from storage.moving import end_attempt
from storage.operations import Applied, Settle, Stale
from storage.rows import INSERT_HISTORY, JOB_COLUMNS, job_of, read_whole_job
from storage.statements import Statement, given, insertion
from storage.tables import images, jobs, quota

_BEFORE = Statement(
    select(jobs.c.state, jobs.c.attempt, jobs.c.charged, jobs.c.charge, jobs.c.charged_day).where(
        jobs.c.id == given("job")
    )
)
_SETTLE = Statement(
    update(jobs)
    .where(jobs.c.id == given("job"), jobs.c.attempt == given("attempt"), jobs.c.state == given("before"))
    .values(
        state=given("state"),
        code=given("code"),
        message=given("message"),
        charged=given("charged"),
        finished_at=given("at"),
    )
    .returning(*JOB_COLUMNS)
)
_REFUND = Statement(
    update(quota)
    .where(and_(quota.c.user == given("user"), quota.c.day == given("day")))
    .values(used=case((quota.c.used > given("charge"), quota.c.used - given("charge")), else_=0))
)
_INSERT_IMAGE = Statement(insertion(images))


def settle(connection: Connection, write: Settle) -> Applied | Stale:
    """See Settle. The job comes with its images.

    Raises ValueError when `state` is none in which a job can end.
    """
    if write.state not in TERMINAL:
        raise ValueError(f"a job cannot end in state {write.state!r}")
    before = _BEFORE.one(connection, job=write.job)
    if before is None or not _expected(before[0], before[1], write):
        return Stale(read_whole_job(connection, write.job))
    state, attempt, was_charged, charge, charged_day = before
    # Nothing was drawn for a job that is cancelled while it waits: it never costs anything.
    never_drawn = write.state == State.CANCELLED and state in WAITING
    charged = was_charged and write.charged and not never_drawn
    row = _SETTLE.one(connection, **asdict(write) | {"attempt": attempt, "before": state, "charged": charged})
    if row is None:
        return Stale(read_whole_job(connection, write.job))
    job = replace(job_of(row), images=write.images)
    INSERT_HISTORY.run(connection, job=job.id, state=job.state, at=write.at)
    end_attempt(connection, job.id, job.attempt, job.code or job.state)
    if write.images:
        _INSERT_IMAGE.run_each(connection, map(asdict, write.images))
    if was_charged and not charged:
        _REFUND.run(connection, user=job.user, day=charged_day, charge=charge)
    seq = store_event(connection, job.user, job.id, lambda seq: terminal_frame(job, seq))
    return Applied(job, seq)


def _expected(state: str, attempt: int, write: Settle) -> bool:
    same_attempt = write.attempt is None or write.attempt == attempt
    return same_attempt and state in write.states and may_move(State(state), State(write.state))
