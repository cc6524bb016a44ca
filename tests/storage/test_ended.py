"""What ended within a time is counted, wherever in the history it stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.ended import DISORDER_S
from storage.overseeing import CountEnded, Ended
from tests.storage.book import Book, settle_cancelled, settle_done, settle_failed


def test_of_no_jobs_none_has_ended(book: Book) -> None:
    assert book.ask(CountEnded(0.0, 1e9)) == Ended(0, 0)


def test_done_and_failed_are_counted_and_what_was_cancelled_or_goes_on_is_not(book: Book) -> None:
    book.do(settle_done(book.keeping(), 500.0))
    book.do(settle_failed(book.drawing(), 501.0, "drawing"))
    book.do(settle_cancelled(book.queued(), 502.0))
    book.drawing()
    assert book.ask(CountEnded(500.0, 600.0)) == Ended(1, 1)
    assert book.ask(CountEnded(500.5, 600.0)) == Ended(0, 1)
    assert book.ask(CountEnded(0.0, 501.0)) == Ended(1, 0)


@given(st.lists(st.floats(0.0, 40_000.0), max_size=12), st.floats(0.0, 40_000.0), st.data())
def test_a_part_of_a_long_history_is_counted_as_if_all_of_it_were_looked_at(
    times: list[float], since: float, data: st.DataObject
) -> None:
    book = Book()
    written = [at - data.draw(st.floats(0.0, DISORDER_S), label="late") for at in sorted(times)]
    for at in written:
        book.do(settle_failed(book.queued(at=at), at, "queued", attempt=None))
    assert book.ask(CountEnded(since, 1e9)) == Ended(0, sum(at >= since for at in written))
    book.database.close()
