"""Forgetting pictures, jobs and uploads of long ago, a few in each transaction, so that nobody has to wait for it.

A transaction writes down which files belong to nobody any more before anybody deletes one: a crash in between leaves
a note and no file that is never found again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, func, literal_column, select

from core.ids import first_id
from core.quota import day_of
from storage.connection import Connection
from storage.forgetting import (
    AddUpload,
    Discards,
    DropDiscards,
    Forget,
    ForgetPictures,
    ForgetUploads,
    Forgotten,
    ReadDiscards,
)
from storage.operations import Applied
from storage.rows import EMPTY, LIMIT
from storage.statements import Statement, given, insertion
from storage.tables import attempts, discards, events, history, images, jobs, quota, refs, uploads
from storage.writing import Writing

#: A refund goes to the day of the charge, by the clock of the user's plan: days are kept for so long beyond the jobs.
DAYS_KEPT_S = 3 * 86_400.0

_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_SLICE = Statement(
    select(jobs.c.id, jobs.c.user, jobs.c.finished_at)
    .where(jobs.c.id > given("after"), jobs.c.id < given("before"))
    .order_by(jobs.c.id)
    .limit(LIMIT)
)
#: Of those that have pictures yet: what is forgotten already is not looked at again each round.
_PICTURED = Statement(
    select(images.c.job, jobs.c.finished_at)
    .join(jobs, jobs.c.id == images.c.job)
    .where(images.c.job > given("after"), images.c.job < given("before"))
    .distinct()
    .order_by(images.c.job)
    .limit(LIMIT)
)
_GONE_ON_FROM = select(jobs.c.parent).where(jobs.c.parent.in_(_THESE)).distinct()
_FILES = select(images.c.path, images.c.thumb_path).where(images.c.job.in_(_THESE))
_LAST_EVENTS = select(events.c.user, func.max(events.c.seq)).where(events.c.job.in_(_THESE)).group_by(events.c.user)
_DROP_EVENTS = Statement(delete(events).where(events.c.user == given("user"), events.c.seq <= given("seq")))
_DROP_DAYS = Statement(delete(quota).where(quota.c.user == given("user"), quota.c.day < given("day")))
#: In this order: each refers to the job that is deleted last.
_DROP = (
    *(delete(table).where(table.c.job.in_(_THESE)) for table in (refs, history, attempts, images)),
    delete(jobs).where(jobs.c.id.in_(_THESE)),
)
_DROP_PICTURES = delete(images).where(images.c.job.in_(_THESE))
_INSERT_UPLOAD = Statement(insertion(uploads))
_UPLOADS = Statement(
    select(uploads.c.id, uploads.c.user, uploads.c.path)
    .where(uploads.c.id > given("after"), uploads.c.id < given("before"))
    .order_by(uploads.c.id)
    .limit(LIMIT)
)
_DRAWN_FROM = Statement(
    select(jobs.c.images_in).where(
        jobs.c.user == given("user"), jobs.c.finished_at.is_(None), jobs.c.images_in != literal_column(f"'{EMPTY}'")
    )
)
_DROP_UPLOADS = delete(uploads).where(uploads.c.id.in_(_THESE))
_INSERT_DISCARD = Statement(insertion(discards))
_DISCARDS = Statement(select(discards.c.path).order_by(discards.c.path).limit(LIMIT))
_KNOWN_DISCARDS = select(discards.c.path).where(discards.c.path.in_(_THESE))
_DROP_DISCARDS = delete(discards).where(discards.c.path.in_(_THESE))


def forget(writing: Writing, write: Forget) -> Forgotten:
    """See Forget. A job's id tells when it was accepted, which was before it ended: the first that is too young ends
    the search."""
    writing.flush()
    connection = writing.connection
    before = first_id("j", write.ended_before)
    rows = _SLICE.all(connection, after=write.after, before=before, limit=write.limit)
    ended = {job: user for job, user, at in rows if at is not None and at < write.ended_before}
    if ended:
        gone_on_from = connection.execute(_GONE_ON_FROM, {"these": list(ended)}).scalars()
        for parent in gone_on_from:
            del ended[parent]
    if ended:
        _drop(connection, list(ended))
        for user in sorted(set(ended.values())):
            _DROP_DAYS.run(connection, user=user, day=day_of(write.ended_before - DAYS_KEPT_S, "UTC"))
    return Forgotten(len(ended), rows[-1][0] if len(rows) == write.limit else None)


def forget_pictures(writing: Writing, write: ForgetPictures) -> Forgotten:
    """See ForgetPictures."""
    writing.flush()
    connection = writing.connection
    before = first_id("j", write.ended_before)
    rows = _PICTURED.all(connection, after=write.after, before=before, limit=write.limit)
    old = {"these": [job for job, at in rows if at is not None and at < write.ended_before]}
    if old["these"]:
        _discard_files(connection, old)
        connection.execute(_DROP_PICTURES, old)
    return Forgotten(len(old["these"]), rows[-1][0] if len(rows) == write.limit else None)


def add_upload(writing: Writing, write: AddUpload) -> Applied:
    """See AddUpload."""
    _INSERT_UPLOAD.run(writing.connection, id=write.upload, user=write.user, path=write.path)
    return Applied()


def forget_uploads(writing: Writing, write: ForgetUploads) -> Forgotten:
    """See ForgetUploads."""
    connection = writing.connection
    before = first_id("p", write.made_before)
    rows = _UPLOADS.all(connection, after=write.after, before=before, limit=write.limit)
    drawn_from = {user: _drawn_from(connection, user) for user in sorted({user for _, user, _ in rows})}
    old = {upload: path for upload, user, path in rows if f'"{upload}"' not in drawn_from[user]}
    if old:
        _discard(connection, old.values())
        connection.execute(_DROP_UPLOADS, {"these": list(old)})
    return Forgotten(len(old), rows[-1][0] if len(rows) == write.limit else None)


def _drawn_from(connection: Connection, user: str) -> str:
    """All that is named by the user's jobs which have not ended, as it lies in the column."""
    return "".join(named for (named,) in _DRAWN_FROM.all(connection, user=user))


def _drop(connection: Connection, these: list[str]) -> None:
    chosen = {"these": these}
    _discard_files(connection, chosen)
    for user, seq in connection.execute(_LAST_EVENTS, chosen).all():
        _DROP_EVENTS.run(connection, user=user, seq=seq)
    for statement in _DROP:
        connection.execute(statement, chosen)


def _discard_files(connection: Connection, chosen: dict[str, list[str]]) -> None:
    _discard(connection, {path for row in connection.execute(_FILES, chosen) for path in row})


def _discard(connection: Connection, paths: Iterable[str]) -> None:
    """Two jobs never share a file; should they, it is written down once."""
    wanted = sorted(paths)
    if wanted:
        known = set(connection.execute(_KNOWN_DISCARDS, {"these": wanted}).scalars())
        _INSERT_DISCARD.run_each(connection, [{"path": path} for path in wanted if path not in known])


def read_discards(connection: Connection, read: ReadDiscards) -> Discards:
    """See ReadDiscards."""
    return Discards(tuple(path for (path,) in _DISCARDS.all(connection, limit=read.limit)))


def drop_discards(writing: Writing, write: DropDiscards) -> Applied:
    """See DropDiscards."""
    writing.connection.execute(_DROP_DISCARDS, {"these": list(write.paths)})
    return Applied()
