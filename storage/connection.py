"""Connections that stay: each thread's own, kept from one transaction to the next, which are begun in bare words.

Lent by a pool for each transaction they took turns; and SQLite drops a connection's cache of pages whenever another has
written, so that each group of writes read its pages anew. Lending, beginning and ending took SQLAlchemy 40 µs besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, Engine, Executable

from storage.known import Known


class Words(NamedTuple):
    """How a dialect begins transactions; `version` asks for a number that changes when somebody else has written."""

    write: str
    read: str
    version: str | None


#: A writer holds SQLite's one lock from its first moment: it could not get it later without a look at what changed.
SQLITE = Words("BEGIN IMMEDIATE", "BEGIN", "PRAGMA data_version")
SERVER = Words("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", None)


class Connection:
    """A connection, used by one thread at a time: its cursor for what runs for each write, SQLAlchemy for the rest.

    To SQLAlchemy, which was told that the driver commits by itself, it is one transaction all the time. `known` is what
    its transactions left; `lost` is set by who hears from the driver that there is nobody at the other end.
    """

    def __init__(self, engine: Engine, words: Words) -> None:
        self.sqlalchemy = engine.connect()
        self.sqlalchemy.begin()
        self.dialect, self.kind = engine.dialect, type(engine.dialect)
        self.driver = cast(Any, self.sqlalchemy.connection.dbapi_connection)
        self.cursor = self.driver.cursor()
        self.known = Known()
        self.lost = False
        self._words, self._version = words, None

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """As SQLAlchemy's."""
        return self.sqlalchemy.execute(statement, values)

    def exec_driver_sql(
        self, sql: str, values: Mapping[str, Any] | tuple[Any, ...] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """As SQLAlchemy's."""
        return self.sqlalchemy.exec_driver_sql(sql, values)

    def is_as_left(self) -> bool:
        """Whether surely nobody else has written since this connection did; asked in a transaction."""
        if self._words.version is None:
            return False
        before, self._version = self._version, self.cursor.execute(self._words.version).fetchone()
        return self._version == before

    def commit(self) -> None:
        """Ends the transaction; when this returns, it is on disk."""
        self.driver.commit()

    def undo(self) -> None:
        """Undoes the transaction under way, if there is (still) one; `lost` is set if that cannot be done."""
        self.known.forget()
        try:
            self.driver.rollback()
        except self.dialect.loaded_dbapi.Error:
            self.lost = True

    def close(self) -> None:
        """Lets go of it."""
        if self.lost:
            self.sqlalchemy.invalidate()
        self.sqlalchemy.close()


class Line:
    """The connections of one kind that nobody uses now: one, as a rule."""

    def __init__(self, engine: Engine, words: Words, begin: str) -> None:
        self._engine, self._words, self._begin = engine, words, begin
        self._free: list[Connection] = []
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Committed at the end, undone by an exception. What the driver raises is raised as it is."""
        connection = self._begun()
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.undo()
            raise
        finally:
            self._give_back(connection)

    @contextmanager
    def idle(self) -> Iterator[Connection]:
        """A connection without a transaction."""
        connection = self._free.pop() if self._free else Connection(self._engine, self._words)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Lets go of all; those in use follow when they come back."""
        self._closed = True
        while self._free:
            self._free.pop().close()

    def _begun(self) -> Connection:
        """A connection with a new transaction. One that was lost while nobody used it is replaced."""
        while self._free:
            connection = self._free.pop()
            try:
                connection.cursor.execute(self._begin)
            except connection.dialect.loaded_dbapi.Error as error:
                connection.lost = connection.dialect.is_disconnect(error, connection.driver, connection.cursor)
                self._give_back(connection)
                if not connection.lost:
                    raise
            else:
                return connection
        connection = Connection(self._engine, self._words)
        try:
            connection.cursor.execute(self._begin)
        except BaseException:
            self._give_back(connection)
            raise
        return connection

    def _give_back(self, connection: Connection) -> None:
        if self._closed or connection.lost:
            connection.close()
        else:
            self._free.append(connection)
