"""Opens the database and brings its schema up to date; says what is wrong with it in words for an operator.

SQLite runs through the `pysqlite3` wheel where there is one: the WAL of SQLite before 3.51 can lose a checkpoint in a
race of its reset, and many systems ship an older one. A commit is on disk when it returns (`synchronous=FULL`), and in
the files that will be found at the next start (storage.files): otherwise it is refused.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from storage.connection import SERVER, SQLITE, Connection, Line, Words
from storage.files import Files
from storage.tables import REVISION
from storage.trouble import StoreTrouble as StoreTrouble

log = logging.getLogger(__name__)

SQLITE_SAFE = (3, 51)
#: A lock of another process is waited for that long. A stop may have to wait for a write under way, and has 10 s.
BUSY_TIMEOUT_MS = 2000
CACHE_KIB = 16_384

#: What the drivers say, and what we call it. The first that occurs in the driver's words counts.
_SYMPTOMS = (
    ("not a database", "not_a_database", "this file is not a database; move it away or choose another store.url"),
    ("malformed", "corrupt", "the database is damaged; restore a backup"),
    ("is locked", "locked", "another process holds the database; only one may write to it"),
    ("is full", "full", "the disk is full; free some space"),
    ("disk I/O error", "io_error", "the disk refuses to read or write; the system's log may say why"),
    ("readonly", "unwritable", "the database cannot be written to; check the rights of its folder"),
    (
        "unable to open",
        "unwritable",
        "the database cannot be opened; check that its folder can be written to",
    ),
)
#: What does not pass by itself: such a file is not written to again until it is opened anew.
_DAMAGE = frozenset({"corrupt", "not_a_database"})


def trouble_of(error: Exception) -> StoreTrouble:
    """The trouble behind an error of the driver's or SQLAlchemy's; never the statement or its values (prompts)."""
    if isinstance(error, SQLAlchemyError):
        words = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    else:
        words = str(error)
    for symptom, code, message in _SYMPTOMS:
        if symptom in words:
            return StoreTrouble(code, message)
    first_line = words.splitlines()[0] if words else type(error).__name__
    return StoreTrouble("unavailable", f"the database does not answer: {first_line}")


class Database:
    """An open database. `reading` and `writing` are transactions, to be used by one thread each.

    `alone`: there is one connection only (SQLite in memory), so reads and writes must take turns in one thread.
    `path`: SQLite's file, if it has one.
    """

    def __init__(self, engine: Engine, words: Words, *, alone: bool, path: Path | None = None) -> None:
        self.engine, self.alone, self._words, self._path = engine, alone, words, path
        self._errors = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error)
        self._damage: StoreTrouble | None = None
        self._files: Files | None = None
        self._open_lines()

    def _open_lines(self) -> None:
        self._writers = Line(self.engine, self._words, self._words.write)
        self._readers = Line(self.engine, self._words, self._words.read)

    @contextmanager
    def writing(self, *, knowing: bool = False) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first moment; committed at the end, undone by an exception.

        Who is `knowing` keeps what the connection knows true (storage.known); for others it is forgotten.
        Raises StoreTrouble when the database refuses, is damaged, or is not where it was opened.
        """
        if self._damage is not None:
            raise StoreTrouble(self._damage.code, self._damage.message)
        with self._told_as_trouble():
            if self._files is not None and not self._files.are_whole():
                self._begin_new_log()
            with self._writers.transaction() as connection:
                if not (connection.is_as_left() and knowing):
                    connection.known.forget()
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database. Raises StoreTrouble when the database refuses."""
        with self._told_as_trouble(), self._readers.transaction() as connection:
            yield connection

    def is_in_place(self) -> bool:
        """Whether its files are still those it was opened with; cheap. If not, the next write mends it or says why."""
        try:
            return self._files is None or self._files.are_whole()
        except StoreTrouble:
            return False

    def watch(self) -> None:
        """From now on the files must stay what they are; called when the database is open.

        Its two threads have their connections before that: one that is opened when the log is gone would begin another.
        """
        if self._path is not None:
            with self._writers.idle() as one, self._readers.idle() as other:
                for connection in (one, other):
                    connection.cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()
                self._files = Files(self._path)

    def close(self) -> None:
        """Lets go of every connection; the last one folds SQLite's WAL into the file."""
        self._writers.close()
        self._readers.close()
        self.engine.dispose()

    def _begin_new_log(self) -> None:
        """The log was deleted under us, and with its name all that is in it and not yet in the database would be lost.

        We still hold it: it is folded into the database, and a new one is begun.
        """
        with self._writers.idle() as held:
            busy, _length, _folded = held.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreTrouble("gone", "the database's log is gone, and reads under way delay a new one")
        self.close()
        self._open_lines()
        self.watch()
        log.warning("the database's log had been deleted; nothing of it is lost, and a new one was begun")

    @contextmanager
    def _told_as_trouble(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            trouble = trouble_of(error)
            if trouble.code in _DAMAGE:  # said in many ways, page by page: the first is told
                self._damage = trouble = self._damage or trouble
            raise trouble from error


def open_database(url: str) -> Database:
    """Opens (for SQLite: makes) the database at an SQLAlchemy URL and migrates it. Raises StoreTrouble."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreTrouble("bad_url", "store.url is no database URL; write one like sqlite:///PATH") from None
    database = _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_server(parsed)
    try:
        migrate(database)
        database.watch()
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: Database) -> None:
    """Brings the schema to REVISION, in one transaction. Raises StoreTrouble (`newer_schema`: of a newer Limner)."""
    with database.reading() as connection:
        known = inspect(connection.sqlalchemy).has_table("alembic_version")
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
    if found == REVISION:
        return
    # Alembic takes a quarter of a second to import: only when there is something for it to do.
    from storage.migrations.run import is_known, upgrade

    if found is not None and not is_known(found):
        problem = f"the database is of a newer Limner (schema {found}, this one knows {REVISION}); update Limner"
        raise StoreTrouble("newer_schema", problem)
    with database.writing() as connection:
        upgrade(connection.sqlalchemy)


def _open_server(url: URL) -> Database:
    try:
        engine = create_engine(url, hide_parameters=True, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        return Database(engine, SERVER, alone=False)
    except ImportError as error:
        problem = f"the driver {error.name} is not installed; pip install 'limner[postgresql]'"
        raise StoreTrouble("no_driver", problem) from None
    except ArgumentError as error:
        raise StoreTrouble("bad_url", f"store.url: {error}") from None


def _open_sqlite(url: URL) -> Database:
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory:
        _prepare_folder(Path(str(url.database)))
    engine = create_engine(
        url,
        module=driver(),
        hide_parameters=True,
        poolclass=StaticPool if in_memory else NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _configure)
    return Database(engine, SQLITE, alone=in_memory, path=None if in_memory else Path(str(url.database)))


def _prepare_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreTrouble("unwritable", f"cannot make the folder {path.parent}: {error.strerror}") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreTrouble("unwritable", f"the folder {path.parent} cannot be written to; check its rights")


def driver() -> ModuleType:
    """The module that speaks to SQLite.

    What is neither text nor a plain number it would first ask how it likes to be stored, which takes as long as the
    storing: 0.8 µs for each of the twenty NULLs of a new job.
    """
    try:
        found = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        found = importlib.import_module("sqlite3.dbapi2")
        if found.sqlite_version_info < SQLITE_SAFE:
            log.warning(
                "SQLite %s is older than %s: a crash during a checkpoint may damage the database; install pysqlite3",
                found.sqlite_version,
                ".".join(map(str, SQLITE_SAFE)),
            )
    for kind in (NoneType, bool, bytes):
        found.register_adapter(kind, _as_it_is)
    return found


def _as_it_is(value: object) -> object:
    return value


def _configure(dbapi_connection: Any, _record: object) -> None:
    # Transactions are begun by us (storage.connection), not by the driver's guess at the first statement that writes.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        # Of a new database; the wheel's own choice would have each commit move pages so that the file has no gap.
        "auto_vacuum = NONE",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{CACHE_KIB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
