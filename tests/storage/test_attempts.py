"""What an account reads of its past: nothing that could own a message is left out, nothing that could not is named."""

from __future__ import annotations

from storage.operations import GiveBack, Past, ReadPast
from tests.storage.book import Book, gather, settle_cancelled, settle_failed

LIMIT = 100


def past(book: Book, account: str = "fox", since: float = 0.0, limit: int = LIMIT) -> Past:
    found = book.ask(ReadPast(account, since, limit))
    assert isinstance(found, Past)
    return found


def test_the_past_names_given_results_and_the_jobs_that_ended_without_one(book: Book) -> None:
    done, timed_out, undecided = book.done(), book.drawing(), book.submitting()
    book.do(settle_failed(timed_out, book.now(), "drawing"))
    book.do(settle_failed(undecided, book.now(), "submitting"))
    found = past(book)
    assert found.given == (book.job(done).message_id,)
    assert {job.id for job in found.resultless} == {timed_out, undecided}
    assert found.whole
    of_it = next(job for job in found.resultless if job.id == timed_out)
    assert (of_it.interaction_id, of_it.nonce) == ("interaction-1", f"nonce-{timed_out}-1")


def test_what_is_under_way_waits_or_was_given_back_is_no_past(book: Book) -> None:
    book.submitting()
    book.drawing()
    book.do(GiveBack(book.submitting(), 1, "429", book.now()))
    again = book.submitting()
    book.do(GiveBack(again, 1, "429", book.now()))
    book.submit(book.grant(again, 2), 2)
    unwanted = book.submitting()
    book.do(GiveBack(unwanted, 1, "429", book.now()))
    book.changed(book.do(settle_cancelled(unwanted, book.now())))
    assert past(book) == Past((), (), True)


def test_a_picture_that_is_being_kept_or_came_late_was_given(book: Book) -> None:
    kept, late = book.keeping(), book.drawing()
    book.do(settle_failed(late, book.now(), "drawing"))
    book.do(gather(late, book.now(), message_id="message-2"))
    found = past(book)
    assert set(found.given) == {book.job(kept).message_id, "message-2"}
    assert found.resultless == ()


def test_the_past_is_of_one_account_and_begins_when_it_is_asked_to(book: Book) -> None:
    book.done()
    began = book.now()
    book.done()
    assert len(past(book).given) == 2
    assert len(past(book, since=began).given) == 1
    assert past(book, account="owl") == Past((), (), True)


def test_a_past_that_is_too_long_says_so(book: Book) -> None:
    book.done()
    book.done()
    assert past(book, limit=2).whole
    assert not past(book, limit=1).whole
