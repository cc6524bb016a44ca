"""Every read of storage.operations, answered: one function each, found by the read's type.

Pages go by job id: ids sort by the time they were made, so a page costs the same at the beginning and at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Select, bindparam, func, literal_column, select

from core.job import State
from storage import operations as ops
from storage.accounts import read_accounts, read_slots
from storage.added import ReadAccounts, ReadSlots
from storage.attempts import read_past
from storage.audit import read_audit, read_switch
from storage.cases import find_jobs, read_case
from storage.connection import Connection
from storage.ended import count_ended
from storage.forgetting import ReadDiscards
from storage.gateways import read_gateway, read_suspension
from storage.operations import (
    Backlog,
    CountJobs,
    Counts,
    EventRecord,
    EventRecords,
    Found,
    ImageFound,
    JobFound,
    JobRecord,
    JobRecords,
    ListJobs,
    Nothing,
    QueuedJob,
    Read,
    ReadBacklog,
    ReadEvents,
    ReadImage,
    ReadJob,
    Unfinished,
)
from storage.overseeing import (
    QUEUE_PAUSED,
    CountEnded,
    FindJobs,
    ListUsers,
    ReadAudit,
    ReadCase,
    ReadNames,
    ReadPerson,
    ReadSwitch,
)
from storage.people import find_key, find_keys, read_user
from storage.persons import list_users, read_names, read_person
from storage.pruning import read_discards
from storage.rows import IMAGE_COLUMNS, JOB_COLUMNS, LIMIT, completed, image_of, job_of, read_whole_job
from storage.statements import Statement, given
from storage.tables import events, images, jobs, users

_BACKLOG = Statement(
    select(
        jobs.c.state,
        *(jobs.c[name] for name in QueuedJob.__struct_fields__ if name != "has_images"),
        jobs.c.images_in != literal_column("'[]'"),
    )
    .where(jobs.c.finished_at.is_(None), jobs.c.id > given("after"))
    .order_by(jobs.c.id)
    .limit(LIMIT)
)
_NEWEST_JOB = Statement(select(func.max(jobs.c.id)))
_THESE = select(*JOB_COLUMNS).where(jobs.c.id.in_(bindparam("given_jobs", expanding=True))).order_by(jobs.c.id)
_SELECT_UNFINISHED = select(*JOB_COLUMNS).where(jobs.c.finished_at.is_(None)).order_by(jobs.c.id).limit(LIMIT)
_UNFINISHED = Statement(_SELECT_UNFINISHED.where(jobs.c.id > given("after")))
# A bare comparison of the id would have SQLite go through all that the user ever drew, by the index jobs_of_user.
_UNFINISHED_OF_USER = Statement(
    _SELECT_UNFINISHED.where(jobs.c.user == given("user"), jobs.c.id.concat("") > given("after"))
)
_EVENTS = Statement(
    select(events.c.seq, events.c.job, events.c.frame)
    .where(events.c.user == given("user"), events.c.seq > given("after"))
    .order_by(events.c.seq)
    .limit(LIMIT)
)
_OLDEST_EVENT = select(func.min(events.c.seq)).where(events.c.user == given("user")).scalar_subquery()
#: The seq of the user's latest event, and that of the earliest which is kept.
_SEQS = Statement(select(users.c.seq, _OLDEST_EVENT).where(users.c.id == given("user")))
_IMAGE = Statement(select(*IMAGE_COLUMNS).where(images.c.id == given("image"), images.c.user == given("user")))
_BY_STATE = select(jobs.c.state, func.count().label("number")).group_by(jobs.c.state)
_USERS = select(func.count()).select_from(users)
_IMAGES = select(func.count()).select_from(images)


def find(connection: Connection, read: Read) -> Found:
    """Answers the read from the connection's transaction."""
    return FINDERS[type(read)](connection, read)


def read_one_job(connection: Connection, read: ReadJob) -> JobFound | Nothing:
    """See ReadJob."""
    job = read_whole_job(connection, read.job)
    visible = job is not None and read.user in (None, job.user)
    return JobFound(job) if job is not None and visible else Nothing()


def list_jobs(connection: Connection, read: ListJobs) -> JobRecords:
    """See ListJobs; the jobs come with images and history."""
    query: Select[Any] = select(*JOB_COLUMNS).order_by(jobs.c.id.desc())
    if read.user is not None:
        query = query.where(jobs.c.user == read.user)
    if read.state is not None:
        query = query.where(jobs.c.state == read.state)
    if read.before is not None:
        query = query.where(jobs.c.id < read.before)
    page = _page(map(job_of, connection.execute(query.limit(read.limit + 1))), read.limit)
    return JobRecords(completed(connection, page.jobs), page.next)


def unfinished(connection: Connection, read: Unfinished) -> JobRecords:
    """See Unfinished."""
    which = _UNFINISHED if read.user is None else _UNFINISHED_OF_USER
    rows = which.all(connection, user=read.user, after=read.after or "", limit=read.limit + 1)
    return _page(map(job_of, rows), read.limit)


def read_backlog(connection: Connection, read: ReadBacklog) -> Backlog:
    """See ReadBacklog; one more is read to know whether there is a next page."""
    rows = _BACKLOG.all(connection, after=read.after or "", limit=read.limit + 1)
    page = rows[: read.limit]
    queued = tuple(QueuedJob(*(*about, bool(has))) for state, *about, has in page if state == State.QUEUED)
    begun = [job for state, job, *_ in page if state != State.QUEUED]
    records = connection.execute(_THESE, {"given_jobs": begun}) if begun else ()
    following = page[-1][1] if len(rows) > read.limit else None
    newest = _NEWEST_JOB.one(connection)
    paused = read_switch(connection, ReadSwitch(QUEUE_PAUSED)).on
    return Backlog(queued, tuple(map(job_of, records)), following, (newest and newest[0]) or "", paused)


def read_events(connection: Connection, read: ReadEvents) -> EventRecords:
    """See ReadEvents; without any event kept, `oldest` is the seq of the next one."""
    rows = _EVENTS.all(connection, user=read.user, after=read.after, limit=read.limit)
    newest, oldest = _SEQS.one(connection, user=read.user) or (0, None)
    return EventRecords(tuple(EventRecord(*row) for row in rows), newest + 1 if oldest is None else oldest, newest)


def read_image(connection: Connection, read: ReadImage) -> ImageFound | Nothing:
    """See ReadImage."""
    row = _IMAGE.one(connection, image=read.image, user=read.user)
    return ImageFound(image_of(row)) if row is not None else Nothing()


def count_jobs(connection: Connection, _read: CountJobs) -> Counts:
    """See CountJobs."""
    by_state = {row.state: row.number for row in connection.execute(_BY_STATE)}
    return Counts(by_state, connection.execute(_USERS).scalar_one(), connection.execute(_IMAGES).scalar_one())


def _page(read: Iterable[JobRecord], limit: int) -> JobRecords:
    """The first `limit` jobs; one more was read to know whether there is a next page."""
    found = tuple(read)
    return JobRecords(found[:limit], found[limit - 1].id if len(found) > limit else None)


FINDERS: dict[type[Any], Callable[[Connection, Any], Found]] = {
    ops.FindKey: find_key,
    ops.FindKeys: find_keys,
    ops.ReadUser: read_user,
    ops.ReadJob: read_one_job,
    ops.ListJobs: list_jobs,
    ops.Unfinished: unfinished,
    ops.ReadBacklog: read_backlog,
    ops.ReadEvents: read_events,
    ops.ReadGateway: read_gateway,
    ops.ReadSuspension: read_suspension,
    ops.ReadPast: read_past,
    ReadAccounts: read_accounts,
    ReadSlots: read_slots,
    ops.ReadImage: read_image,
    ops.CountJobs: count_jobs,
    ReadDiscards: read_discards,
    ListUsers: list_users,
    ReadPerson: read_person,
    ReadNames: read_names,
    FindJobs: find_jobs,
    ReadCase: read_case,
    CountEnded: count_ended,
    ReadSwitch: read_switch,
    ReadAudit: read_audit,
}
