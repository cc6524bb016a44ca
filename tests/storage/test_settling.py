"""The end of a job: once, told once, refunded once."""

from __future__ import annotations

import pytest

from core.job import TERMINAL
from protocol.client import Action, Cancelled, Done, Failed, Picture
from storage.operations import Applied, Doubt, Refused, Settle, Stale
from tests.storage.book import Book, picture, settle_cancelled, settle_done, settle_failed


def test_a_done_job_tells_its_pictures_its_actions_and_its_time(book: Book) -> None:
    job = book.keeping()
    submitted_at = book.job(job).submitted_at
    outcome = book.do(settle_done(job, submitted_at + 6.5))
    assert isinstance(outcome, Applied)
    image = picture(job)
    url = f"/images/{image.id}"
    assert book.events()[-1] == Done(
        seq=outcome.seq,
        job=job,
        images=(Picture(image.id, url, f"{url}/thumb", 64, 48, 1234),),
        actions=(Action("upscale", 2, "U2"),),
        seconds=6.5,
        text=None,
    )
    assert outcome.job.images == (image,)
    assert book.job(job).images == (image,)
    assert book.job(job).charged
    assert book.used() == 1
    assert book.attempts(job)[0]["outcome"] == "done"


def test_a_failed_job_is_refunded_in_its_last_transaction(book: Book) -> None:
    job = book.drawing()
    outcome = book.do(settle_failed(job, 9.0, "drawing"))
    assert book.events()[-1] == Failed(outcome.seq, job, "upstream_timeout", "It took too long.", charged=False)
    assert (book.job(job).charged, book.used()) == (False, 0)


def test_a_refund_goes_to_the_day_that_was_charged(book: Book) -> None:
    job = book.queued(day="2026-01-01")
    book.queued(day="2026-01-02")
    book.do(settle_failed(job, 9.0, "queued", attempt=None))
    assert (book.used(day="2026-01-01"), book.used(day="2026-01-02")) == (0, 1)


def test_a_failure_of_the_users_own_stays_charged(book: Book) -> None:
    job = book.drawing()
    book.do(settle_failed(job, 9.0, "drawing", charged=True))
    assert (book.job(job).charged, book.used()) == (True, 1)
    assert book.events()[-1].charged


def test_what_cost_nothing_is_not_refunded(book: Book) -> None:
    book.queued()
    free = book.queued(kind="describe", charge=0)
    book.do(settle_failed(free, 9.0, "queued", attempt=None))
    assert book.used() == 1


@pytest.mark.parametrize("charged", [True, False])
@pytest.mark.parametrize("stage", ["queued", "granted"])
def test_a_cancel_of_a_waiting_job_is_always_refunded(book: Book, stage: str, charged: bool) -> None:
    job = getattr(book, stage)()
    outcome = book.do(settle_cancelled(job, 9.0, charged=charged))
    assert book.events()[-1] == Cancelled(outcome.seq, job, "cancelled", "As asked.", charged=False)
    assert book.used() == 0


def test_a_cancel_while_drawing_charges_as_it_says(book: Book) -> None:
    first, second = book.drawing(), book.drawing()
    book.do(settle_cancelled(first, 9.0, "drawing", charged=True))
    book.do(settle_cancelled(second, 9.0, "drawing", charged=False))
    assert book.used() == 1


def test_a_job_ends_once_whoever_comes_second(book: Book) -> None:
    job = book.drawing()
    everywhere = ("queued", "granted", "submitting", "undecided", "drawing", "keeping", "done", "failed", "cancelled")
    ended = book.changed(book.do(settle_failed(job, 9.0, *everywhere)))
    events = book.events()
    for late in (
        settle_failed(job, 10.0, *everywhere),
        settle_cancelled(job, 10.0, *everywhere),
        settle_done(job, 10.0),
    ):
        outcome = book.do(late)
        assert isinstance(outcome, Stale)
        assert outcome.job.finished_at == ended.finished_at
    assert book.events() == events
    assert book.used() == 0


def test_only_the_states_named_may_end(book: Book) -> None:
    job = book.drawing()
    assert isinstance(book.do(settle_cancelled(job, 9.0)), Stale)
    assert book.job(job).state == "drawing"


def test_a_move_that_the_table_forbids_is_stale_even_when_named(book: Book) -> None:
    job = book.queued()
    assert isinstance(book.do(Settle(job, None, ("queued",), "done", None, None, True, (), 9.0)), Stale)
    kept = book.keeping()
    assert isinstance(book.do(settle_cancelled(kept, 9.0, "keeping")), Stale)


def test_an_earlier_attempt_cannot_end_the_job(book: Book) -> None:
    job = book.drawing()
    assert isinstance(book.do(settle_failed(job, 9.0, "drawing", attempt=0)), Stale)
    assert isinstance(book.do(settle_failed(job, 9.0, "drawing", attempt=2)), Stale)


def test_an_undecided_job_can_fail_and_is_refunded(book: Book) -> None:
    job = book.submitting()
    book.do(Doubt(job, 1, 5.0))
    outcome = book.do(Settle(job, 1, ("undecided",), "failed", "undecided", "Not known.", False, (), 9.0))
    assert isinstance(outcome, Applied)
    assert book.attempts(job)[0]["outcome"] == "undecided"
    assert book.used() == 0


def test_a_state_that_is_no_end_is_a_mistake_of_ours(book: Book) -> None:
    job = book.keeping()
    outcome = book.do(Settle(job, 1, ("keeping",), "keeping", None, None, True, (), 9.0))
    assert isinstance(outcome, Refused)
    assert outcome.code == "internal"
    assert book.job(job).state not in TERMINAL


def test_a_picture_of_an_unknown_user_undoes_the_whole_end(book: Book) -> None:
    job = book.keeping()
    assert isinstance(book.do(settle_done(job, 9.0, user="U9")), Refused)
    assert book.job(job).state == "keeping"
    assert [type(event).__name__ for event in book.events()] == ["Accepted", "Started"]
    assert isinstance(book.do(settle_done(job, 9.0)), Applied)
    assert [event.seq for event in book.events()] == [1, 2, 3]
