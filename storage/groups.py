"""Group commit: several writes in one transaction, each applied once, none able to spoil another.

A write that was seen before, by its op_id, is answered as the first time and not done again. One that breaks (a rule of
the database, a mistake of ours) is answered Refused `internal` and leaves no trace; the rest of its group goes on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from storage.connection import Connection
from storage.database import Database
from storage.operations import Applied, Refused, Write, Written
from storage.rows import read_whole_job
from storage.statements import Statement, given, insertion
from storage.tables import operations
from storage.writes import apply
from storage.writing import Writing

log = logging.getLogger(__name__)

#: How long a write sent again is recognised. Who lives and was not answered sends again after seconds, and who died
#: never does: minutes leave room for a Store that is started again and a long line of writes before it.
REMEMBERED_S = 600.0
#: How many op_ids one query looks for.
LOOKED_FOR = 50


class Moved(Struct, frozen=True, tag=True):
    """What is remembered of an Applied with a job: enough to answer so again, in a tenth of the job's size."""

    job: str
    attempt: int
    state: str
    seq: int | None


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Written | Moved] = msgspec.msgpack.Decoder(Written | Moved)
_SEEN = Statement(
    select(operations.c.op_id, operations.c.outcome).where(
        operations.c.op_id.in_([given(f"op_id{place}") for place in range(LOOKED_FOR)])
    )
)
_REMEMBER = Statement(insertion(operations))
_TIDIED = "tidied"
_FORGET = Statement(delete(operations).where(or_(operations.c.at < given("before"), operations.c.op_id == _TIDIED)))

#: Errors of a driver that are about one statement; any other says that the database itself is in trouble.
_ONE_WRITES_FAULT = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


class Operation(Struct, frozen=True):
    """A write and the id it is known by when it comes again. Not `again`: as far as its sender knows this is the first
    time, and nobody looks for it among those that were done; the ids' key would find it."""

    op_id: str
    write: Write
    again: bool = True


class _Spoiled(Exception):
    """A write of the group broke, or was done before; the group must be done again with care."""


def commit_group(database: Database, group: Sequence[Operation], at: float) -> tuple[Written, ...]:
    """Applies the operations in order in one transaction; when this returns, all of it is on disk.

    The outcomes are in the order of the group. Raises StoreTrouble when the database refuses: then nothing of the group
    was done. Care (savepoints, no trust in what is known) costs twice the time, so it is taken only once a group has
    shown to need it.
    """
    try:
        with database.writing(knowing=True) as connection:
            return _apply_all(connection, group, at)
    except _Spoiled:
        with database.writing() as connection:
            return _apply_each(connection, group, at)


def tidy(database: Database, at: float, forget_before: float | None, room_bytes: int = 0) -> None:
    """Drops the memory of writes stamped before `forget_before`. Raises StoreTrouble when the database is not well.

    It always writes a row, for a full disk would not mind to delete nothing: one of `room_bytes`, so that it is well
    only when it has room for that much.
    """
    with database.writing(knowing=True) as connection:
        _FORGET.run(connection, before=-math.inf if forget_before is None else forget_before)
        _REMEMBER.run(connection, op_id=_TIDIED, outcome=bytes(room_bytes), at=at)


def _apply_all(connection: Connection, group: Sequence[Operation], at: float) -> tuple[Written, ...]:
    """Raises _Spoiled when one of the writes cannot be applied."""
    try:
        outcomes = _seen_before(connection, [operation.op_id for operation in group if operation.again])
        writing, fresh = Writing(connection), []
        for operation in group:
            if operation.op_id not in outcomes:
                outcome = outcomes[operation.op_id] = apply(writing, operation.write)
                fresh.append({"op_id": operation.op_id, "outcome": _remembered(outcome), "at": at})
        writing.flush()
        if fresh:
            _REMEMBER.run_each(connection, fresh)
    except Exception as error:
        if _is_the_databases(error):
            raise
        raise _Spoiled from error
    return tuple(outcomes[operation.op_id] for operation in group)


def _apply_each(connection: Connection, group: Sequence[Operation], at: float) -> tuple[Written, ...]:
    """Each write by itself: what breaks leaves nothing but its answer."""
    outcomes = _seen_before(connection, [operation.op_id for operation in group])
    fresh = []
    for operation in group:
        if operation.op_id not in outcomes:
            outcome = outcomes[operation.op_id] = _apply_safely(connection, operation)
            fresh.append({"op_id": operation.op_id, "outcome": _remembered(outcome), "at": at})
    if fresh:
        _REMEMBER.run_each(connection, fresh)
    return tuple(outcomes[operation.op_id] for operation in group)


def _seen_before(connection: Connection, op_ids: Sequence[str]) -> dict[str, Written]:
    """What was answered to those of the operations that were done before."""
    found: dict[str, Written] = {}
    for first in range(0, len(op_ids), LOOKED_FOR):
        some = op_ids[first : first + LOOKED_FOR]
        # The places that are left over repeat what is looked for anyway.
        places = {f"op_id{place}": some[place % len(some)] for place in range(LOOKED_FOR)}
        for op_id, outcome in _SEEN.all(connection, **places):
            found[op_id] = _recalled(connection, _decoder.decode(outcome))
    return found


def _remembered(outcome: Written) -> bytes:
    if isinstance(outcome, Applied) and outcome.job is not None:
        job = outcome.job
        return _encoder.encode(Moved(job.id, job.attempt, job.state, outcome.seq))
    return _encoder.encode(outcome)


def _recalled(connection: Connection, known: Written | Moved) -> Written:
    """The answer of the first time; its job is in the attempt and state of then, all else of it is as known now.

    So who hears it takes it for no later news than it is.
    """
    if not isinstance(known, Moved):
        return known
    job = read_whole_job(connection, known.job)
    assert job is not None, "jobs are kept for days after their end, and answers for minutes"
    return Applied(replace(job, attempt=known.attempt, state=known.state), known.seq)


def _apply_safely(connection: Connection, operation: Operation) -> Written:
    connection.cursor.execute("SAVEPOINT one_write")
    try:
        writing = Writing(connection)
        outcome = apply(writing, operation.write)
        writing.flush()
    except Exception as error:
        if _is_the_databases(error):
            raise
        # The driver's words name tables and columns; the statement's values (prompts) are hidden.
        log.exception("operation %s (%s) broke", operation.op_id, type(operation.write).__name__)
        connection.known.forget()
        connection.cursor.execute("ROLLBACK TO SAVEPOINT one_write")
        outcome = Refused("internal", "Something broke on our side; nothing was stored.")
    connection.cursor.execute("RELEASE SAVEPOINT one_write")
    return outcome


def _is_the_databases(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and not isinstance(error, _ONE_WRITES_FAULT)
