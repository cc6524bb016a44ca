"""Jobs as operators look for them, and all that is on record of one."""

from __future__ import annotations

import itertools

import pytest

from storage.operations import Nothing, Stale
from storage.overseeing import Case, FindJobs, JobRows, ReadCase
from tests.storage.book import Book, gather, settle_failed


def found(book: Book, **wanted: str) -> list[str]:
    """All pages of a list."""
    about = {"user": None, "state": None, "account": None} | wanted
    jobs: list[str] = []
    before = None
    while True:
        page = book.ask(FindJobs(before=before, limit=2, **about))
        assert isinstance(page, JobRows)
        jobs += [row.job for row in page.jobs]
        if page.next is None:
            return jobs
        before = page.next


def test_jobs_are_found_by_any_of_user_state_and_account_the_newest_first(book: Book) -> None:
    made = [
        (make(user=user), user, state, account)
        for user in ("U1", "U2")
        for make, state, account in (
            (book.queued, "queued", None),
            (book.drawing, "drawing", "fox"),
            (book.done, "done", "fox"),
        )
    ]
    names = {"U1": "ann", "U2": "ben"}
    options = itertools.product((None, "U1", "U2"), (None, "queued", "drawing", "done", "failed"), (None, "fox", "elk"))
    for user, state, account in options:
        expected = [
            job
            for job, of, is_in, with_account in reversed(made)
            if user in (None, of) and state in (None, is_in) and account in (None, with_account)
        ]
        wanted = {"user": user, "state": state, "account": account}
        assert found(book, **{name: value for name, value in wanted.items() if value is not None}) == expected
        if user is not None and state is None and account is None:
            assert found(book, user=names[user]) == expected


def test_jobs_of_nobody_are_not_an_empty_list(book: Book) -> None:
    assert book.ask(FindJobs("nobody", None, None, None, 10)) == Nothing()


def test_a_row_holds_the_beginning_of_a_long_prompt(book: Book) -> None:
    book.queued(prompt="fox " * 500)
    page = book.ask(FindJobs(None, None, None, None, 10))
    assert isinstance(page, JobRows)
    (row,) = page.jobs
    assert (row.name, len(row.prompt)) == ("ann", 200)


def test_a_case_holds_history_attempts_and_events_in_order(book: Book) -> None:
    job = book.done()
    case = book.ask(ReadCase(job))
    assert isinstance(case, Case)
    assert (case.name, case.job.id) == ("ann", job)
    assert [event.type for event in case.events] == ["accepted", "started", "done"]
    assert [(attempt.attempt, attempt.account, attempt.outcome) for attempt in case.attempts] == [(1, "fox", "done")]
    assert case.attempts[0].late_at is None
    assert book.ask(ReadCase("nothing")) == Nothing()


@pytest.mark.parametrize("told", [1, 2])
def test_a_picture_that_comes_after_the_end_is_kept_on_record_and_changes_nothing(book: Book, told: int) -> None:
    job = book.drawing()
    book.do(settle_failed(job, 50.0, "drawing"))
    for _ in range(told):
        assert isinstance(book.do(gather(job, 99.0)), Stale)
    case = book.ask(ReadCase(job))
    assert isinstance(case, Case)
    (attempt,) = case.attempts
    assert (attempt.outcome, attempt.late_at, attempt.late_url) == ("late", 99.0, "https://cdn/1.png")
    assert (attempt.message_id, case.job.state) == ("message-1", "failed")
