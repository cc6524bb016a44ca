"""The audit trail and switches."""

from __future__ import annotations

import pytest

from storage.operations import Applied, Stale
from storage.overseeing import (
    AddAudit,
    AuditRow,
    AuditRows,
    PruneAudit,
    ReadAudit,
    ReadSwitch,
    SaveSwitch,
    SwitchFound,
)
from tests.storage.book import Book


def note(book: Book, detail: str, *, refused: bool = False) -> None:
    outcome = "forbidden" if refused else "changed"
    book.do(AddAudit("op", "admin", "queue", None, "pause", outcome, refused, detail, 5.0))


def trail(book: Book, before: int | None = None, limit: int = 100) -> AuditRows:
    found = book.ask(ReadAudit(before, limit))
    assert isinstance(found, AuditRows)
    return found


def test_an_entry_is_told_as_it_was_written(book: Book) -> None:
    book.do(AddAudit("ada", "viewer", "users", "ben", "ban", "forbidden", True, "reason=spam", 7.5))
    assert trail(book).rows == (AuditRow(1, 7.5, "ada", "viewer", "users", "ben", "ban", "forbidden", "reason=spam"),)


def test_the_trail_is_read_page_by_page_the_newest_first(book: Book) -> None:
    for number in range(5):
        note(book, str(number))
    first = trail(book, limit=2)
    second = trail(book, first.next, limit=2)
    last = trail(book, second.next, limit=2)
    assert [row.detail for page in (first, second, last) for row in page.rows] == ["4", "3", "2", "1", "0"]
    assert last.next is None


def test_refusals_push_out_no_change(book: Book) -> None:
    note(book, "a change")
    for number in range(5):
        note(book, str(number), refused=True)
    assert isinstance(book.do(PruneAudit(2, 3, 100, 9.0)), Applied)
    assert [row.detail for row in trail(book).rows] == ["4", "3", "2", "a change"]
    assert isinstance(book.do(PruneAudit(2, 3, 100, 9.0)), Stale)


def test_no_more_entries_are_forgotten_at_once_than_were_said_the_oldest_first(book: Book) -> None:
    for number in range(6):
        note(book, str(number))
    assert isinstance(book.do(PruneAudit(1, 1, 2, 9.0)), Applied)
    assert [row.detail for row in trail(book).rows] == ["5", "4", "3", "2"]


@pytest.mark.parametrize("first", [True, False])
def test_a_switch_is_as_it_was_set_last(book: Book, first: bool) -> None:
    assert book.ask(ReadSwitch("queue_paused")) == SwitchFound(False)
    assert isinstance(book.do(SaveSwitch("queue_paused", first, 1.0)), Applied if first else Stale)
    for on in (not first, first, first):
        was = book.ask(ReadSwitch("queue_paused"))
        assert isinstance(book.do(SaveSwitch("queue_paused", on, 2.0)), Stale if was == SwitchFound(on) else Applied)
        assert book.ask(ReadSwitch("queue_paused")) == SwitchFound(on)
