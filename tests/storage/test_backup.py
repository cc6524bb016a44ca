"""A copy of the database is of one moment, whole, and never takes another file's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.backup import BackupRefused, back_up
from storage.operations import AddUser
from storage.trouble import StoreTrouble
from tests.storage.book import DAY, Book


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'limner.db'}"


def test_a_copy_holds_what_was_committed_and_opens_as_any_database(tmp_path: Path) -> None:
    book = Book(url_in(tmp_path))
    job = book.done()
    target = tmp_path / "copy" / "limner.db"
    target.parent.mkdir()
    with book.database.writing() as connection:  # a writer under way delays nobody, and is not in the copy
        connection.exec_driver_sql("UPDATE users SET plan = 'gold'")
        assert back_up(url_in(tmp_path), target) == target.stat().st_size
    book.database.close()
    assert target.stat().st_mode & 0o077 == 0
    assert os.listdir(target.parent) == ["limner.db"]
    copied = Book(url_in(target.parent))
    assert copied.job(job).state == "done"
    assert copied.job(job).plan == "free"
    assert copied.used("U1", DAY) == 1
    copied.do(AddUser("U3", "cid", "free", or_keep=False, at=1.0))
    copied.database.close()


@pytest.mark.parametrize(
    ("url", "target", "code", "word"),
    [
        ("postgresql+psycopg://host/limner", "/tmp/copy.db", "bad_frame", "pg_dump"),
        ("sqlite://", "/tmp/copy.db", "bad_frame", "memory"),
        ("sqlite:////x/limner.db", "copy.db", "bad_frame", "whole path"),
        ("sqlite:////x/limner.db", "/nowhere/at/all/copy.db", "not_found", "no folder"),
        ("sqlite:////x/limner.db", "/tmp", "ref_conflict", "already"),
    ],
)
def test_what_cannot_be_copied_is_said(url: str, target: str, code: str, word: str) -> None:
    with pytest.raises(BackupRefused, match=word) as refused:
        back_up(url, Path(target))
    assert refused.value.code == code


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "limner.db").write_text("no database at all, and long enough to be looked at as one " * 20)
    target = tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    with pytest.raises(StoreTrouble) as trouble:
        back_up(url_in(tmp_path), target)
    assert trouble.value.code == "not_a_database"
    assert os.listdir(target.parent) == []
