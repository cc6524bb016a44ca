"""Group commit: several writes in one transaction, each applied once, none able to spoil another.

A write that was seen before, by its op_id, is answered as the first time. One that breaks (a rule of the database, a
mistake of ours) is answered Refused `internal` and leaves no trace; the rest of its group goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, or_, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from storage.database import Database
from storage.operations import Refused, Write, Written
from storage.statements import Statement, given, insertion
from storage.tables import operations
from storage.writes import apply

log = logging.getLogger(__name__)

#: How long a write sent again is recognised.
REMEMBERED_S = 3600.0

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Written)
_SEEN = Statement(select(operations.c.outcome).where(operations.c.op_id == given("op_id")))
_REMEMBER = Statement(insertion(operations))
_TIDIED = "tidied"
_FORGET = Statement(delete(operations).where(or_(operations.c.at < given("before"), operations.c.op_id == _TIDIED)))

#: Errors of a driver that are about one statement; any other says that the database itself is in trouble.
_ONE_WRITES_FAULT = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


class Operation(Struct, frozen=True):
    """A write and the id it is known by when it comes again."""

    op_id: str
    write: Write


class _Spoiled(Exception):
    """A write of the group broke; the transaction must be done again with savepoints."""


def commit_group(database: Database, group: Sequence[Operation], at: float) -> tuple[Written, ...]:
    """Applies the operations in order in one transaction; when this returns, all of it is on disk.

    The outcomes are in the order of the group. Raises StoreTrouble when the database refuses: then nothing of the group
    was done. Savepoints cost two statements a write, so they are taken only once a group has shown to need them.
    """
    try:
        with database.writing() as connection:
            return _apply_all(connection, group, at, savepoints=False)
    except _Spoiled:
        with database.writing() as connection:
            return _apply_all(connection, group, at, savepoints=True)


def tidy(database: Database, now: float, room_bytes: int = 0) -> None:
    """Drops the memory of writes done more than REMEMBERED_S ago. Raises StoreTrouble when the database is not well.

    It always writes a row, for a full disk would not mind to delete nothing: one of `room_bytes`, so that it is well
    only when it has room for that much.
    """
    with database.writing() as connection:
        _FORGET.run(connection, before=now - REMEMBERED_S)
        _REMEMBER.run(connection, op_id=_TIDIED, outcome=bytes(room_bytes), at=now)


def _apply_all(
    connection: Connection, group: Sequence[Operation], at: float, *, savepoints: bool
) -> tuple[Written, ...]:
    outcomes: dict[str, Written] = {}
    fresh = []
    for operation in group:
        op_id = operation.op_id
        if op_id in outcomes:
            continue
        if seen := _SEEN.one(connection, op_id=op_id):
            outcomes[op_id] = _decoder.decode(seen[0])
            continue
        outcome = _apply_safely(connection, operation) if savepoints else _apply_or_spoil(connection, operation)
        outcomes[op_id] = outcome
        fresh.append({"op_id": op_id, "outcome": _encoder.encode(outcome), "at": at})
    if fresh:
        _REMEMBER.run_each(connection, fresh)
    return tuple(outcomes[operation.op_id] for operation in group)


def _apply_or_spoil(connection: Connection, operation: Operation) -> Written:
    try:
        return apply(connection, operation.write)
    except Exception as error:
        if _is_the_databases(error):
            raise
        raise _Spoiled from error


def _apply_safely(connection: Connection, operation: Operation) -> Written:
    try:
        with connection.begin_nested():
            return apply(connection, operation.write)
    except Exception as error:
        if _is_the_databases(error):
            raise
        # The driver's words name tables and columns; the statement's values (prompts) are hidden by the engine.
        log.exception("operation %s (%s) broke", operation.op_id, type(operation.write).__name__)
        return Refused("internal", "Something broke on our side; nothing was stored.")


def _is_the_databases(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and not isinstance(error, _ONE_WRITES_FAULT)
