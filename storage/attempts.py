"""Submissions of an account that are over: whose results were given, and which ended without one."""

from __future__ import annotations

from sqlalchemy import select

from storage.connection import Connection
from storage.operations import Past, ReadPast
from storage.rows import JOB_COLUMNS, LIMIT, job_of
from storage.statements import Statement, given
from storage.tables import attempts, jobs

_RECENT = Statement(
    select(attempts.c.job, attempts.c.attempt, attempts.c.message_id)
    .where(attempts.c.account == given("account"), attempts.c.at >= given("since"))
    .order_by(attempts.c.at.desc())
    .limit(LIMIT)
)
# What was given back (an earlier attempt, or a job that forgot its nonce) yields nothing. What has not ended is told by
# the Queue.
_RESULTLESS = Statement(
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
    .limit(LIMIT)
)


def read_past(connection: Connection, read: ReadPast) -> Past:
    """See ReadPast; one more is read to know whether there are more, and then the rest is not worth its time."""
    bounds = {"account": read.account, "since": read.since, "limit": read.limit + 1}
    rows = _RECENT.all(connection, **bounds)
    if len(rows) > read.limit:
        return Past((), (), False)
    resultless = tuple(job_of(row) for row in _RESULTLESS.all(connection, **bounds))
    return Past(tuple(message for _, _, message in rows if message is not None), resultless, True)
