"""Jobs as operators look for them, and all that is on record of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from core.job import State
from storage.connection import Connection
from storage.operations import Nothing
from storage.overseeing import AttemptRow, Case, FindJobs, JobRow, JobRows, ReadCase, StoredEvent
from storage.people import find_user
from storage.rows import read_whole_job
from storage.statements import Statement, given
from storage.tables import attempts, events, jobs, users

PROMPT_CHARS_SHOWN = 200
NO_DAY = ""

_ROWS = select(
    *(jobs.c.id, jobs.c.user, users.c.name, jobs.c.kind, jobs.c.mode, jobs.c.state),
    func.substr(jobs.c.prompt, 1, PROMPT_CHARS_SHOWN),
    *(jobs.c.account, jobs.c.attempt, jobs.c.code, jobs.c.created_at, jobs.c.finished_at),
).join_from(jobs, users, jobs.c.user == users.c.id)
_ATTEMPTS = Statement(
    select(*(attempts.c[name] for name in AttemptRow.__struct_fields__))
    .where(attempts.c.job == given("job"))
    .order_by(attempts.c.attempt)
)
_EVENTS = Statement(select(events.c.seq, events.c.type).where(events.c.job == given("job")).order_by(events.c.seq))
_NAME = Statement(select(users.c.name).where(users.c.id == given("user")))


def find_jobs(connection: Connection, read: FindJobs) -> JobRows | Nothing:
    """See FindJobs; one more is read to know whether there is a next page."""
    user = None
    if read.user is not None:
        user = find_user(connection, read.user, NO_DAY)
        if user is None:
            return Nothing()
    query = _filtered(_ROWS, read, user.id if user is not None else None)
    if read.before is not None:
        query = query.where(jobs.c.id < read.before)
    rows = [JobRow(*row) for row in connection.execute(query.order_by(jobs.c.id.desc()).limit(read.limit + 1))]
    page = tuple(rows[: read.limit])
    return JobRows(page, page[-1].job if len(rows) > read.limit else None)


def _filtered(query: Select[Any], read: FindJobs, user: str | None) -> Select[Any]:
    """The index that finds the fewest decides, the others are looked at in the rows: a user has few jobs, and of all
    states only `done` has many."""
    by_state = user is None and (read.account is None or read.state not in (None, State.DONE))
    by_account = user is None and not by_state
    if user is not None:
        query = query.where(jobs.c.user == user)
    if read.state is not None:
        query = query.where(_in_the_row(jobs.c.state, not by_state) == read.state)
    if read.account is not None:
        query = query.where(_in_the_row(jobs.c.account, not by_account) == read.account)
    return query


def _in_the_row(column: ColumnElement[Any], looked_at: bool) -> ColumnElement[Any]:
    """A column that no index is taken for."""
    return column.concat("") if looked_at else column


def read_case(connection: Connection, read: ReadCase) -> Case | Nothing:
    """See ReadCase."""
    job = read_whole_job(connection, read.job)
    if job is None:
        return Nothing()
    (name,) = _NAME.one(connection, user=job.user) or ("",)
    sent = tuple(AttemptRow(*row) for row in _ATTEMPTS.all(connection, job=read.job))
    told = tuple(StoredEvent(*row) for row in _EVENTS.all(connection, job=read.job))
    return Case(job, name, sent, told)
