"""Prepared statements: what goes in by name, what comes out, and how errors are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.database import open_database
from storage.statements import Statement, _make, given, insertion
from storage.tables import keys, users
from tests.storage.book import Book

PEOPLE = Statement(select(users.c.id, users.c.banned).order_by(users.c.id))
ADD = Statement(insertion(users))
ANN = {"id": "U1", "name": "ann", "plan": "free", "banned": False, "seq": 0, "created_at": 0.0}


def test_values_come_by_name_beside_the_constants_of_the_statement(book: Book) -> None:
    onward = Statement(
        update(users)
        .where(users.c.plan == given("plan"), users.c.id == given("user"), users.c.seq + 1 == given("next"))
        .values(seq=users.c.seq + 1, plan="pro")
        .returning(users.c.seq, users.c.plan)
    )
    with book.database.writing() as connection:
        assert onward.one(connection, user="U1", next=1, plan="free", unwanted="x") == (1, "pro")
        assert onward.one(connection, user="U1", next=2, plan="free") is None


def test_a_value_that_is_missing_is_a_mistake_of_ours(book: Book) -> None:
    with book.database.writing() as connection, pytest.raises(KeyError, match="name"):
        ADD.run(connection, id="U3", plan="free", banned=False, seq=0, created_at=0.0)


def test_booleans_come_back_as_booleans_whatever_the_database_keeps(book: Book) -> None:
    with book.database.writing() as connection:
        ADD.run_each(connection, [ANN | {"id": "U3", "name": "cid", "banned": True}])
        assert PEOPLE.all(connection) == [("U1", False), ("U2", False), ("U3", True)]
        assert all(isinstance(banned, bool) for _, banned in PEOPLE.all(connection))


def test_only_the_columns_named_are_inserted(book: Book) -> None:
    nameless = Statement(insertion(users, "id", "plan"))
    with book.database.writing() as connection, pytest.raises(IntegrityError, match="name"):
        nameless.run(connection, **ANN)


WAYS = {
    "run": lambda connection, row: ADD.run(connection, **row),
    "run_each": lambda connection, row: ADD.run_each(connection, [row]),
    "all": lambda connection, row: ADD.all(connection, **row),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_told_as_sqlalchemy_does_without_the_values(book: Book, way: str) -> None:
    with book.database.writing() as connection, pytest.raises(IntegrityError) as told:
        WAYS[way](connection, ANN | {"name": "a secret name"})
    assert "users" in str(told.value)
    assert "secret" not in str(told.value)
    assert told.value.hide_parameters


def test_a_connection_that_is_lost_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with database.writing() as first:
        ADD.run(first, **ANN)
    monkeypatch.setattr(database.engine.dialect, "is_disconnect", lambda *about: True)
    with database.writing() as connection, pytest.raises(IntegrityError) as told:
        ADD.run(connection, **ANN)
    assert connection is first
    assert told.value.connection_invalidated
    with database.writing() as connection:
        assert connection is not first
        assert PEOPLE.all(connection) == [("U1", False)]
    database.close()


def test_postgresql_takes_the_values_under_their_names() -> None:
    dialect = psycopg.dialect()
    dialect.dbapi = book_errors = type("driver", (), {"Error": OperationalError})
    made = _make(update(keys).where(keys.c.id == given("id")).values(role="admin", login=given("login")), dialect)
    assert made.arranged({"id": "K1", "login": True, "unwanted": 1}) == {
        "role": "admin",
        "given_id": "K1",
        "given_login": True,
    }
    assert "%(given_id)s" in made.sql
    assert made.error is book_errors.Error
