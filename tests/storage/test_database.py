"""Opening a database, whatever is found there."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from storage import database as module
from storage.database import Database, StoreTrouble, open_database
from storage.operations import AddUser
from storage.writes import apply
from storage.writing import Writing


def trouble_with(url: str) -> StoreTrouble:
    with pytest.raises(StoreTrouble) as found:
        open_database(url)
    return found.value


def test_a_new_database_is_made_with_its_folder(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/deep/er/limner.db").close()
    assert (tmp_path / "deep/er/limner.db").exists()


def test_sqlite_is_set_so_that_a_commit_is_on_disk(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": module.BUSY_TIMEOUT_MS}


def test_reads_go_on_while_a_write_is_under_way_and_do_not_see_it(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with database.writing() as writing:
        apply(Writing(writing), AddUser("U1", "ann", "free", or_keep=False, at=1.0))
        with database.reading() as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 0
    with database.reading() as reading:
        assert reading.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 1
    database.close()


def test_a_write_that_raises_is_undone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    write = AddUser("U1", "ann", "free", or_keep=False, at=1.0)
    with pytest.raises(KeyError), database.writing() as connection:
        raise KeyError(apply(Writing(connection), write))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 0
    database.close()


def test_a_second_writer_waits_and_then_is_told_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    first, second = (open_database(f"sqlite:///{tmp_path}/limner.db") for _ in range(2))
    with first.writing(), pytest.raises(StoreTrouble) as found, second.writing():
        raise AssertionError("two writers at once")
    assert found.value.code == "locked"
    first.close()
    second.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    trouble = trouble_with(f"sqlite:///{tmp_path}/file/limner.db")
    assert trouble.code == "unwritable"
    assert str(tmp_path / "file") in trouble.message


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "limner.db"
    path.write_text("my holiday pictures " * 100)
    assert trouble_with(f"sqlite:///{path}").code == "not_a_database"
    assert path.read_text().startswith("my holiday pictures")


def test_a_database_of_a_newer_limner_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/limner.db"
    database = open_database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    trouble = trouble_with(url)
    assert trouble.code == "newer_schema"
    assert "9999" in trouble.message


# --- what happens to its files while it is open ---


def add(database: Database, user: str) -> None:
    with database.writing() as connection:
        apply(Writing(connection), AddUser(user, user, "free", or_keep=False, at=1.0))


def found_after_a_kill(path: Path) -> list[str]:
    """What is found when the files are opened as they are now, the process that wrote them having been killed."""
    copy = path.parent / "copy"
    copy.mkdir()
    for file in path.parent.glob("limner.db*"):
        shutil.copy(file, copy)
    database = open_database(f"sqlite:///{copy}/limner.db")
    with database.reading() as connection:
        found = connection.exec_driver_sql("SELECT id FROM users ORDER BY id").scalars().all()
    database.close()
    return list(found)


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_nothing_is_lost_when_the_log_is_deleted_under_an_open_database(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "limner.db"
    database = open_database(f"sqlite:///{path}")
    add(database, "U1")
    Path(f"{path}{ending}").unlink()
    assert not database.is_in_place()
    add(database, "U2")
    assert database.is_in_place()
    add(database, "U3")
    assert found_after_a_kill(path) == ["U1", "U2", "U3"]
    database.close()


def test_a_log_that_is_gone_while_somebody_reads_is_mended_when_they_have_read(tmp_path: Path) -> None:
    path = tmp_path / "limner.db"
    database = open_database(f"sqlite:///{path}")
    add(database, "U1")
    with database.reading() as reading:
        assert reading.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 1
        Path(f"{path}-wal").unlink()
        with pytest.raises(StoreTrouble) as found:
            add(database, "U2")
        assert found.value.code in ("gone", "locked")
        assert reading.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 1
    add(database, "U2")
    assert found_after_a_kill(path) == ["U1", "U2"]
    database.close()


def test_a_database_that_is_away_takes_no_writes_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "limner.db"
    database = open_database(f"sqlite:///{path}")
    add(database, "U1")
    path.rename(tmp_path / "away")
    with pytest.raises(StoreTrouble) as found:
        add(database, "U2")
    assert found.value.code == "gone"
    assert str(path) in found.value.message
    (tmp_path / "away").rename(path)
    add(database, "U3")
    assert found_after_a_kill(path) == ["U1", "U3"]
    database.close()


def test_a_damaged_database_is_not_written_to_again_until_it_is_opened_anew(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with pytest.raises(StoreTrouble) as found, database.reading():
        raise sqlite_error(database, "database disk image is malformed")
    assert found.value.code == "corrupt"
    with pytest.raises(StoreTrouble) as found:
        add(database, "U1")
    assert found.value.code == "corrupt"
    with pytest.raises(StoreTrouble) as found, database.reading():
        raise sqlite_error(database, "file is not a database")
    assert found.value.code == "corrupt", "the first that was said of it"
    database.close()
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    add(database, "U1")
    database.close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("database or disk is full", "full"),
        ("disk I/O error", "io_error"),
        ("database is locked", "locked"),
        ("attempt to write a readonly database", "unwritable"),
        ("out of memory", "unavailable"),
    ],
)
def test_what_the_driver_says_becomes_a_code_also_when_it_says_it_directly(
    tmp_path: Path, words: str, code: str
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with pytest.raises(StoreTrouble) as found, database.writing():
        raise sqlite_error(database, words)
    assert found.value.code == code
    add(database, "U1")
    database.close()


def sqlite_error(database: Database, words: str) -> Exception:
    """An error of the driver's own, as its cursors raise it."""
    error = database.engine.dialect.loaded_dbapi.OperationalError(words)
    assert isinstance(error, Exception)
    return error


@pytest.mark.parametrize("url", ["", "limner.db", "nonsense://x"])
def test_what_is_no_url_is_refused(url: str) -> None:
    assert trouble_with(url).code in ("bad_url", "no_driver")


def test_a_password_in_the_url_is_never_told() -> None:
    trouble = trouble_with("oracle+nodriver://limner:hunter2@127.0.0.1/limner")
    assert "hunter2" not in str(trouble)
    assert "hunter2" not in repr(trouble)


def test_an_old_sqlite_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    monkeypatch.setattr(module, "SQLITE_SAFE", (99, 0))
    with caplog.at_level(logging.WARNING):
        open_database(f"sqlite:///{tmp_path}/limner.db").close()
    assert sqlite3.sqlite_version in caplog.text


def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/limner.db"
    database = open_database(url)
    with database.writing() as connection:
        apply(Writing(connection), AddUser("U1", "ann", "free", or_keep=False, at=1.0))
    database.close()
    database = open_database(url)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT name FROM users").scalar_one() == "ann"
    database.close()
