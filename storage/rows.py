"""Rows as records and back: the one place that knows how a value lies in a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Integer, bindparam, select

from storage.connection import Connection
from storage.operations import ImageRecord, JobRecord, Moment, Offer
from storage.statements import Statement, given, insertion
from storage.tables import history, images, jobs

_WITH_JOB = ("images", "history")
#: The columns of a JobRecord, in its order (images and history are rows of their own).
JOB_COLUMNS = tuple(jobs.c[name] for name in JobRecord.__struct_fields__ if name not in _WITH_JOB)
IMAGE_COLUMNS = tuple(images.c[name] for name in ImageRecord.__struct_fields__)
#: What a page may hold. SQLite makes its plan anew whenever it is given a bare limit, which takes five times as long as
#: the reading; a sum it takes as it comes.
LIMIT = given("limit", Integer()) + 0
_LISTS = frozenset(("images_in", "offers"))
_IMAGES_IN = JobRecord.__struct_fields__.index("images_in")
_OFFERS = JobRecord.__struct_fields__.index("offers")
_texts = msgspec.json.Decoder(tuple[str, ...])
_offers = msgspec.json.Decoder(tuple[Offer, ...])
EMPTY = "[]"

_JOB = Statement(select(*JOB_COLUMNS).where(jobs.c.id == given("job")))
# No other writer may come between this and the move: PostgreSQL locks the row, SQLite has the one write lock.
_JOB_TO_MOVE = Statement(select(*JOB_COLUMNS).where(jobs.c.id == given("job")).with_for_update())
_SELECT_IMAGES = select(*IMAGE_COLUMNS).order_by(images.c.job, images.c.index)
_SELECT_HISTORY = select(history.c.job, history.c.state, history.c.at).order_by(history.c.id)
_THESE: BindParameter[Any] = bindparam("given_jobs", expanding=True)
_IMAGES = _SELECT_IMAGES.where(images.c.job.in_(_THESE))
_HISTORY = _SELECT_HISTORY.where(history.c.job.in_(_THESE))
_IMAGES_OF_ONE = Statement(_SELECT_IMAGES.where(images.c.job == given("job")))
_HISTORY_OF_ONE = Statement(_SELECT_HISTORY.where(history.c.job == given("job")))

#: A moment of a job's history.
INSERT_HISTORY = Statement(insertion(history, "job", "state", "at"))


def as_json(values: Sequence[Any]) -> str:
    """A list as it lies in a text column."""
    return msgspec.json.encode(values).decode() if values else EMPTY


def as_stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a JobRecord as they lie in its columns."""
    if _LISTS.isdisjoint(fields):
        return fields
    return fields | {name: as_json(fields[name]) for name in _LISTS if name in fields}


def offers_of(text: str) -> tuple[Offer, ...]:
    """The offers in a text column."""
    return () if text == EMPTY else _offers.decode(text)


def job_of(row: Sequence[Any]) -> JobRecord:
    """A row of JOB_COLUMNS as a record, without images and history."""
    values = list(row)
    values[_IMAGES_IN] = () if values[_IMAGES_IN] == EMPTY else _texts.decode(values[_IMAGES_IN])
    values[_OFFERS] = offers_of(values[_OFFERS])
    return JobRecord(*values)


def image_of(row: Sequence[Any]) -> ImageRecord:
    """A row of IMAGE_COLUMNS as a record."""
    return ImageRecord(*row)


def read_job(connection: Connection, job: str) -> JobRecord | None:
    """The job as it is, without images and history."""
    row = _JOB.one(connection, job=job)
    return job_of(row) if row is not None else None


def job_to_move(connection: Connection, job: str) -> JobRecord | None:
    """The job as it is and stays until the transaction ends, without images and history."""
    row = _JOB_TO_MOVE.one(connection, job=job)
    return job_of(row) if row is not None else None


def read_whole_job(connection: Connection, job: str) -> JobRecord | None:
    """The job as it is, with its images and history."""
    found = read_job(connection, job)
    if found is None:
        return None
    pictures = tuple(image_of(row) for row in _IMAGES_OF_ONE.all(connection, job=job))
    moments = tuple(Moment(state, at) for _, state, at in _HISTORY_OF_ONE.all(connection, job=job))
    return msgspec.structs.replace(found, images=pictures, history=moments)


def completed(connection: Connection, found: Iterable[JobRecord]) -> tuple[JobRecord, ...]:
    """The jobs with their images and history: two queries, however many they are."""
    records = tuple(found)
    if not records:
        return ()
    wanted = {"given_jobs": [record.id for record in records]}
    pictures: dict[str, list[ImageRecord]] = defaultdict(list)
    for row in connection.execute(_IMAGES, wanted):
        pictures[row.job].append(image_of(row))
    moments: dict[str, list[Moment]] = defaultdict(list)
    for row in connection.execute(_HISTORY, wanted):
        moments[row.job].append(Moment(row.state, row.at))
    return tuple(
        msgspec.structs.replace(record, images=tuple(pictures[record.id]), history=tuple(moments[record.id]))
        for record in records
    )
