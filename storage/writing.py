"""Writing: what the writes of one transaction share: what is known already, and rows that can wait for its end.

Rows of one table that nobody reads before go to the driver together, which takes half the time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from storage.connection import Connection
from storage.records import JobRecord
from storage.rows import job_to_move, read_whole_job
from storage.statements import Statement, given
from storage.tables import users

# As with a job to move: no other writer may come between.
_SEQ = Statement(select(users.c.seq).where(users.c.id == given("user")).with_for_update())
_STORE_SEQ = Statement(update(users).where(users.c.id == given("user")).values(seq=given("seq")))


class NotAsKnown(Exception):
    """A row is not as it was known: the group must be done again, from what is stored."""


class Writing:
    """A part of a transaction; `flush` belongs at its end. Undone, it leaves `connection.known` to be forgotten."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._known = connection.known
        self._later: dict[Statement, list[Any]] = {}
        self._seqs: dict[str, int] = {}

    def job(self, job: str) -> JobRecord | None:
        """The job as it is and stays until the transaction ends, without images and history."""
        return self._known.job(job) or job_to_move(self.connection, job)

    def whole_job(self, job: str) -> JobRecord | None:
        """The job as it is, with its images and history."""
        self.flush()
        return read_whole_job(self.connection, job)

    def note(self, job: JobRecord) -> None:
        """The job was stored like this."""
        self._known.note_job(job)

    def next_seq(self, user: str) -> int:
        """Takes the user's next seq."""
        last = self._known.seq(user)
        if last is None:
            row = _SEQ.one(self.connection, user=user)
            assert row is not None, "a job always names a stored user"
            last = row[0]
        seq: int = last + 1
        self._known.note_seq(user, seq)
        self._seqs[user] = seq
        return seq

    def later(self, statement: Statement, /, **values: Any) -> None:
        """The statement is to be run with these values by the end; those of one statement in the order they came."""
        rows = self._later.get(statement)
        if rows is None:
            rows = self._later[statement] = []
        rows.append(statement.arranged(self.connection, values))

    def flush(self) -> None:
        """All that was left for later is done now."""
        if self._seqs:
            _STORE_SEQ.run_each(self.connection, [{"user": user, "seq": seq} for user, seq in self._seqs.items()])
            self._seqs.clear()
        for statement, rows in self._later.items():
            statement.run_rows(self.connection, rows)
        self._later.clear()
