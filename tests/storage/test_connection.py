"""Connections that stay with their thread: what happens to them, and what they know of others' writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.connection import SERVER
from storage.database import Database, StoreTrouble, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/limner.db")
    yield opened
    opened.close()


def error_of(database: Database, words: str) -> Exception:
    """An error of the driver's own."""
    error = database.engine.dialect.loaded_dbapi.OperationalError(words)
    assert isinstance(error, Exception)
    return error


class Broken:
    """In the place of the driver's connection or its cursor: whatever it is asked for, it raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def refuse(self, *_: object) -> None:
        raise self.error

    execute = commit = rollback = refuse


def test_each_thread_keeps_its_connection_from_one_transaction_to_the_next(database: Database) -> None:
    with database.writing() as writer, database.reading() as reader:
        assert writer is not reader
    for _ in range(3):
        with database.writing() as again:
            assert again is writer
        with database.reading() as again:
            assert again is reader


def test_a_second_reader_at_the_same_time_has_a_connection_of_its_own(database: Database) -> None:
    with database.reading() as one, database.reading() as other:
        assert one is not other


def test_a_transaction_that_was_undone_leaves_a_connection_that_can_be_used(database: Database) -> None:
    with pytest.raises(KeyError), database.writing() as first:
        raise KeyError
    with database.writing() as second:
        assert second is first
        assert second.driver.in_transaction


def test_a_commit_that_fails_is_undone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing() as connection:
        pass
    monkeypatch.setattr(connection, "commit", Broken(error_of(database, "database or disk is full")).commit)
    with pytest.raises(StoreTrouble) as trouble, database.writing():
        connection.exec_driver_sql("DELETE FROM operations")
    assert trouble.value.code == "full"
    assert not connection.driver.in_transaction


def test_a_connection_on_which_nothing_can_be_undone_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as first:
        pass
    monkeypatch.setattr(first, "driver", Broken(error_of(database, "gone")))
    with pytest.raises(KeyError), database.writing():
        raise KeyError
    with database.writing() as second:
        assert second is not first


def test_a_connection_that_was_lost_while_nobody_used_it_is_replaced_unnoticed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as first:
        pass
    monkeypatch.setattr(first, "cursor", Broken(error_of(database, "the server went away")))
    monkeypatch.setattr(database.engine.dialect, "is_disconnect", lambda error, *_: "went away" in str(error))
    with database.writing() as second:
        assert second is not first


def test_a_connection_that_must_wait_for_a_lock_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing() as first:
        pass
    with monkeypatch.context() as locked:
        locked.setattr(first, "cursor", Broken(error_of(database, "database is locked")))
        with pytest.raises(StoreTrouble) as trouble, database.writing():
            raise AssertionError("it is locked")
    assert trouble.value.code == "locked"
    with database.writing() as again:
        assert again is first


def test_a_connection_in_use_while_the_database_closes_is_closed_afterwards(database: Database) -> None:
    with database.reading() as reader:
        database.close()
        assert reader.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 0
    assert reader.sqlalchemy.closed


def test_a_connection_knows_whether_anybody_else_has_written(database: Database) -> None:
    for _ in range(2):
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM operations")
            assert connection.is_as_left()
    other = open_database(str(database.engine.url))
    with other.writing() as others:
        others.exec_driver_sql("DELETE FROM operations")
    other.close()
    connection.cursor.execute("BEGIN")
    assert [connection.is_as_left(), connection.is_as_left()] == [False, True]
    connection.undo()


def test_of_a_server_nobody_knows_who_else_writes_to_it() -> None:
    assert SERVER.version is None
