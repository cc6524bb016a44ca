"""Statements written in SQLAlchemy Core, compiled once and run on the driver's own cursor.

A parameter is named `given_X`, because SQLAlchemy keeps the bare column names for itself in what an UPDATE sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Insert,
    Table,
    bindparam,
    insert,
    literal_column,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from storage.connection import Connection

GIVEN = "given_"

Row = tuple[Any, ...]


def given(name: str, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A value that comes with the execution, under its name; `type_` where no column beside it tells."""
    return bindparam(GIVEN + name, type_=type_)


def literals(constants: Iterable[str]) -> list[ColumnElement[str]]:
    """Constants of ours (never a user's words) written into the SQL, which spares parameters on hot statements."""
    assert all(constant.isidentifier() for constant in constants)
    return [literal_column(f"'{constant}'") for constant in constants]


def insertion(table: Table, *names: str) -> Insert:
    """An INSERT of the columns `names`, of all without any; each value is given under its column's name.

    `inline`, for SQLAlchemy would else have PostgreSQL return the key it made, which nobody asked for.
    """
    return insert(table).values({name: given(name) for name in names or table.columns.keys()}).inline()


class Statement:
    """A statement that is run for every write: SQLAlchemy's execution takes several times what SQLite's does.

    Its values come by the names of its `given`s (names that it does not want are passed over) and go to the driver as
    they are: text, numbers, booleans and bytes, which all drivers of ours take. Rows are tuples of its columns.
    What the driver raises is raised as SQLAlchemy would: a DBAPIError, without the values, which hold prompts.
    """

    def __init__(self, clause: Any) -> None:
        self._clause = clause
        self._made: dict[type[Dialect], _Made] = {}

    def run(self, connection: Connection, /, **values: Any) -> int:
        """Executes it, which must give no rows; how many it changed."""
        made = self._made.get(connection.kind) or self._make(connection)
        cursor = connection.cursor
        try:
            cursor.execute(made.sql, made.arranged(values))
            count: int = cursor.rowcount
        except made.error as error:
            raise _as_sqlalchemy(connection, made, error) from error
        return count

    def run_each(self, connection: Connection, several: Iterable[Mapping[str, Any]]) -> None:
        """Executes it for each set of values."""
        self.run_rows(connection, [self.arranged(connection, values) for values in several])

    def arranged(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The values as run_rows takes them."""
        made = self._made.get(connection.kind) or self._make(connection)
        return made.arranged(values)

    def run_rows(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Executes it for each of the arranged sets of values."""
        made = self._made.get(connection.kind) or self._make(connection)
        try:
            connection.cursor.executemany(made.sql, rows)
        except made.error as error:
            raise _as_sqlalchemy(connection, made, error) from error

    def all(self, connection: Connection, /, **values: Any) -> list[Row]:
        """Its rows."""
        made = self._made.get(connection.kind) or self._make(connection)
        cursor = connection.cursor
        try:
            cursor.execute(made.sql, made.arranged(values))
            rows = cursor.fetchall()
        except made.error as error:
            raise _as_sqlalchemy(connection, made, error) from error
        return [made.read(row) for row in rows] if made.booleans else list(rows)

    def one(self, connection: Connection, /, **values: Any) -> Row | None:
        """Its row, None without any; of several, the first."""
        rows = self.all(connection, **values)
        return rows[0] if rows else None

    def _make(self, connection: Connection) -> _Made:
        made = self._made[connection.kind] = _make(self._clause, connection.dialect)
        return made


class _Made(NamedTuple):
    """A statement in the words of one dialect.

    `booleans`: the columns that SQLite gives as numbers; `error`: the base of what the driver raises.
    """

    sql: str
    arranged: Callable[[Mapping[str, Any]], Any]
    booleans: tuple[int, ...]
    error: type[Exception]

    def read(self, row: Row) -> Row:
        values = list(row)
        for at in self.booleans:
            values[at] = None if values[at] is None else bool(values[at])
        return tuple(values)


def _make(clause: Any, dialect: Dialect) -> _Made:
    compiled = clause.compile(dialect=dialect)
    names: tuple[str, ...] = tuple(compiled.positiontup or compiled.params)
    # Beside what is given there are constants that SQLAlchemy made parameters of; a bare name may be both.
    constants = {f"={name}": value for name, value in compiled.params.items() if not name.startswith(GIVEN)}
    keys = tuple(name.removeprefix(GIVEN) if name.startswith(GIVEN) else f"={name}" for name in names)
    arranged = _arranging(names, keys, constants, positional=compiled.positional)
    booleans = (at for at, column in enumerate(clause.exported_columns) if isinstance(column.type, Boolean))
    return _Made(str(compiled), arranged, tuple(booleans), dialect.loaded_dbapi.Error)


def _arranging(
    names: tuple[str, ...], keys: tuple[str, ...], constants: Mapping[str, Any], *, positional: bool
) -> Callable[[Mapping[str, Any]], Any]:
    """How the values given by key are put for the driver: in their order, or (PostgreSQL's) under their names."""
    if not positional:
        return lambda values: {
            name: constants[key] if key in constants else values[key] for name, key in zip(names, keys, strict=True)
        }
    if len(keys) == 1 and not constants:  # an itemgetter gives a tuple only of two and more
        (only,) = keys
        return lambda values: (values[only],)
    if len(keys) < 2:
        return lambda values: tuple(constants.values())
    pick = itemgetter(*keys)
    if not constants:
        return pick
    return lambda values: pick({**constants, **values})


def _as_sqlalchemy(connection: Connection, made: _Made, error: Exception) -> BaseException:
    """The driver's error as SQLAlchemy tells it. A connection that is lost is not used again."""
    dialect = connection.dialect
    connection.lost = lost = dialect.is_disconnect(error, connection.driver, connection.cursor)  # type: ignore[arg-type]
    return DBAPIError.instance(
        made.sql, None, error, made.error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
