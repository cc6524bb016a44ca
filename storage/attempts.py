"""Submissions of an account that are over: whose results were given, and which ended without one."""

from __future__ import annotations

from sqlalchemy import Connection, select

from storage.operations import Past, ReadPast
from storage.rows import JOB_COLUMNS, job_of
from storage.statements import given
from storage.tables import attempts, jobs

_RECENT = (
    select(attempts.c.job, attempts.c.attempt, attempts.c.message_id)
    .where(attempts.c.account == given("account"), attempts.c.at >= given("since"))
    .order_by(attempts.c.at.desc())
    .limit(given("limit"))
)
# What was given back (an earlier attempt, or a job that forgot its nonce) yields nothing. What has not ended is told by
# the Queue.
_RESULTLESS = (
    select(*JOB_COLUMNS)
    .join_from(attempts, jobs, (attempts.c.job == jobs.c.id) & (attempts.c.attempt == jobs.c.attempt))
    .where(
        attempts.c.account == given("account"),
        attempts.c.at >= given("since"),
        attempts.c.message_id.is_(None),
        jobs.c.nonce == attempts.c.nonce,
        jobs.c.finished_at.is_not(None),
    )
    .order_by(attempts.c.at.desc())
    .limit(given("limit"))
)


def read_past(connection: Connection, read: ReadPast) -> Past:
    """See ReadPast; one more is read to know whether there are more, and then the rest is not worth its time."""
    bounds = {"given_account": read.account, "given_since": read.since, "given_limit": read.limit + 1}
    rows = connection.execute(_RECENT, bounds).all()
    if len(rows) > read.limit:
        return Past((), (), False)
    resultless = tuple(job_of(row) for row in connection.execute(_RESULTLESS, bounds))
    return Past(tuple(row.message_id for row in rows if row.message_id is not None), resultless, True)
