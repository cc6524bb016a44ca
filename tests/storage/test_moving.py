"""Moves of a job before its end, and who comes too late."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.job import State, may_move
from protocol.client import Started
from storage import moving
from storage.moving import LATE, NONCE_TAKEN, Move
from storage.operations import Applied, AskCancel, Doubt, GiveBack, Grant, Refused, Stale, Submit, Track, Ungrant
from tests.storage.book import Book, gather, settle_done, settle_failed


def assert_stale(book: Book, job: str, write: Any) -> None:
    """The write changes nothing at all and is told how the job stands."""
    before, events, tried = book.job(job), book.events(), book.attempts(job)
    outcome = book.do(write)
    assert isinstance(outcome, Stale)
    assert outcome.job == before == book.job(job)
    assert book.events() == events
    assert book.attempts(job) == tried


def test_every_move_of_the_module_is_allowed_by_the_table() -> None:
    moves = [move for move in vars(moving).values() if isinstance(move, Move)]
    assert len(moves) == 9
    for move in moves:
        assert all(may_move(before, move.after) or before is move.after for before in move.before)


def test_a_move_that_the_table_does_not_know_cannot_be_written_down() -> None:
    with pytest.raises(AssertionError):
        Move((State.DONE,), State.QUEUED)


def test_a_life_in_order_is_its_history(book: Book) -> None:
    job = book.done()
    assert book.states(job) == ["queued", "granted", "submitting", "drawing", "keeping", "done"]
    times = [moment.at for moment in book.job(job).history]
    assert times == sorted(times)


def test_a_grant_is_the_next_attempt_with_its_lease_and_account(book: Book) -> None:
    job = book.queued()
    granted = book.changed(book.do(Grant(job, 1, "lease", "fox", 2.0)))
    assert (granted.state, granted.attempt, granted.lease, granted.account) == ("granted", 1, "lease", "fox")


@pytest.mark.parametrize("attempt", [0, 2, 7])
def test_a_grant_of_any_other_attempt_is_stale(book: Book, attempt: int) -> None:
    job = book.queued()
    assert_stale(book, job, Grant(job, attempt, "lease", "fox", 2.0))


def test_a_second_grant_of_the_same_attempt_is_stale(book: Book) -> None:
    job = book.granted()
    assert_stale(book, job, Grant(job, 1, "another lease", "owl", 2.0))


def test_an_unbegun_lease_puts_the_job_back_as_if_never_granted(book: Book) -> None:
    job = book.granted()
    back = book.changed(book.do(Ungrant(job, 1, 3.0)))
    assert (back.state, back.attempt, back.lease, back.account) == ("queued", 1, None, None)
    assert book.attempts(job) == []


def test_a_submission_needs_the_lease_of_the_grant(book: Book) -> None:
    job = book.granted()
    assert_stale(book, job, Submit(job, 1, "another lease", "nonce", None, 3.0))


def test_a_submission_is_on_record_with_its_nonce_before_anything_is_sent(book: Book) -> None:
    job = book.submitting()
    (attempt,) = book.attempts(job)
    assert (attempt["attempt"], attempt["account"], attempt["nonce"]) == (1, "fox", f"nonce-{job}-1")
    assert (attempt["gateway_session"], attempt["outcome"]) == ("gw-1", None)


def test_no_nonce_is_ever_stored_twice_and_another_one_goes_through_quietly(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    book.submitting(job="JA")
    job = book.granted(job="JB")
    outcome = book.do(Submit(job, 1, f"lease-{job}-1", "nonce-JA-1", None, 3.0))
    assert isinstance(outcome, Refused)
    assert outcome.code == NONCE_TAKEN
    assert book.job(job).state == "granted"
    assert book.attempts(job) == []
    book.changed(book.do(Submit(job, 1, f"lease-{job}-1", "nonce-JB-1", None, 3.0)))
    assert book.job(job).nonce == "nonce-JB-1"
    assert caplog.records == []


def test_a_submission_after_a_lease_was_void_is_stale(book: Book) -> None:
    job = book.granted()
    book.do(Ungrant(job, 1, 3.0))
    assert_stale(book, job, Submit(job, 1, f"lease-{job}-1", "nonce", None, 4.0))
    book.grant(job, attempt=2)
    assert_stale(book, job, Submit(job, 1, f"lease-{job}-1", "nonce", None, 5.0))


@pytest.mark.parametrize("doubted", [False, True])
def test_a_job_given_back_waits_again_and_knows_nothing_of_the_attempt(book: Book, doubted: bool) -> None:
    job = book.submitting()
    if doubted:
        book.changed(book.do(Doubt(job, 1, 3.0)))
    back = book.changed(book.do(GiveBack(job, 1, "refused: 50035", 4.0)))
    assert (back.state, back.attempt) == ("queued", 1)
    assert {back.account, back.nonce, back.lease, back.gateway_session, back.submitted_at} == {None}
    assert [attempt["outcome"] for attempt in book.attempts(job)] == ["refused: 50035"]
    book.submit(book.grant(job, attempt=2), attempt=2)
    assert [attempt["nonce"] for attempt in book.attempts(job)] == [f"nonce-{job}-1", f"nonce-{job}-2"]


def test_a_job_that_draws_is_not_given_back_and_not_doubted(book: Book) -> None:
    job = book.drawing()
    assert_stale(book, job, GiveBack(job, 1, "refused", 4.0))
    assert_stale(book, job, Doubt(job, 1, 4.0))


@pytest.mark.parametrize("doubted", [False, True])
def test_the_first_word_of_the_bot_starts_the_job_and_later_ones_add_to_it(book: Book, doubted: bool) -> None:
    job = book.submitting()
    if doubted:
        book.do(Doubt(job, 1, 3.0))
    first = book.do(Track(job, 1, "interaction", None, None, 4.0))
    assert isinstance(first, Applied)
    assert first.seq == 2
    assert book.events()[-1] == Started(seq=2, job=job)
    later = book.do(Track(job, 1, None, "message A", "hash", 5.0))
    assert isinstance(later, Applied)
    assert later.seq is None
    known = book.job(job)
    assert (known.interaction_id, known.start_message_id, known.job_hash) == ("interaction", "message A", "hash")
    assert known.started_at == 4.0
    assert len(book.events()) == 2
    assert book.attempts(job)[0]["interaction_id"] == "interaction"


def test_a_word_of_an_earlier_attempt_is_stale(book: Book) -> None:
    job = book.submitting()
    book.do(GiveBack(job, 1, "refused", 4.0))
    book.submit(book.grant(job, attempt=2), attempt=2)
    assert_stale(book, job, Track(job, 1, "interaction", None, None, 6.0))


def test_a_finished_drawing_is_kept_with_what_it_offers(book: Book) -> None:
    job = book.keeping()
    known = book.job(job)
    assert (known.state, known.message_id, known.picture_url) == ("keeping", "message-1", "https://cdn/1.png")
    assert [offer.label for offer in known.offers] == ["U2"]
    assert book.attempts(job)[0]["message_id"] == "message-1"


def test_a_drawing_may_be_finished_before_it_was_seen_to_start(book: Book) -> None:
    job = book.submitting()
    book.changed(book.do(gather(job, 5.0)))
    assert [type(event).__name__ for event in book.events()] == ["Accepted"]


def test_the_same_picture_told_twice_is_stale_and_not_late(book: Book) -> None:
    job = book.keeping()
    assert_stale(book, job, gather(job, 9.0))
    book.do(settle_done(job, 10.0))
    assert_stale(book, job, gather(job, 11.0))
    assert book.attempts(job)[0]["outcome"] == "done"


def test_a_picture_that_comes_after_the_end_is_kept_on_record_as_late(book: Book) -> None:
    job = book.drawing()
    book.do(settle_failed(job, 8.0, "drawing"))
    before, events = book.job(job), book.events()
    outcome = book.do(gather(job, 9.0))
    assert isinstance(outcome, Stale)
    assert outcome.job == before == book.job(job)
    assert book.events() == events
    (attempt,) = book.attempts(job)
    assert (attempt["outcome"], attempt["message_id"]) == (LATE, "message-1")


def test_a_job_that_nobody_knows_is_stale_without_a_job(book: Book) -> None:
    assert book.do(Ungrant("J-none", 1, 1.0)) == Stale(None)
    assert book.do(gather("J-none", 1.0)) == Stale(None)


@pytest.mark.parametrize("stage", ["submitting", "drawing"])
def test_a_wish_to_cancel_is_kept_with_a_job_that_is_with_the_bot_and_moves_nothing(book: Book, stage: str) -> None:
    job = getattr(book, stage)()
    first = book.changed(book.do(AskCancel(job, 77.0)))
    again = book.changed(book.do(AskCancel(job, 88.0)))
    assert (first.state, first.cancel_asked_at) == (stage, 77.0)
    assert again.cancel_asked_at == 77.0
    assert book.states(job)[-1] == stage


@pytest.mark.parametrize("stage", ["queued", "granted", "keeping", "done"])
def test_a_wish_to_cancel_is_not_kept_where_the_bot_has_no_part(book: Book, stage: str) -> None:
    job = getattr(book, stage)()
    assert isinstance(book.do(AskCancel(job, 77.0)), Stale)
    assert book.job(job).cancel_asked_at is None


def test_a_doubt_says_since_when_and_a_new_attempt_knows_nothing_of_it(book: Book) -> None:
    job = book.submitting()
    doubted = book.changed(book.do(Doubt(job, 1, 55.0, "5.000 boot-1")))
    assert (doubted.undecided_at, doubted.cut_off) == (55.0, "5.000 boot-1")
    assert isinstance(book.do(Doubt(job, 1, 66.0, "6.000 boot-1")), Stale)
    assert (book.job(job).undecided_at, book.job(job).cut_off) == (55.0, "5.000 boot-1")
    again = book.changed(book.do(GiveBack(job, 1, "not taken", 70.0)))
    assert (again.undecided_at, again.cut_off) == (None, None)


def test_what_is_known_already_is_not_written_again(book: Book) -> None:
    job = book.drawing()
    updates: list[str] = []
    with book.database.engine.connect() as connection:
        connection.connection.driver_connection.set_trace_callback(updates.append)
    told = book.do(Track(job, 1, "interaction-1", None, None, book.now()))
    assert isinstance(told, Applied)
    assert told.job == replace(book.job(job), history=())
    assert [sql for sql in updates if sql.startswith("UPDATE")] == []
    book.do(Track(job, 1, None, "message-0", None, book.now()))
    assert len([sql for sql in updates if sql.startswith("UPDATE jobs")]) == 1
