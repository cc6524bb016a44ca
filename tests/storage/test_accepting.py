"""Accepting a job, or refusing it without a trace."""

from __future__ import annotations

import pytest

from protocol.client import Accepted
from storage.accepting import REF_IN_FORCE_S
from storage.operations import Applied, CountJobs, Moment, ReadJob, Refused, Replayed
from tests.storage.book import DAY, RESETS_AT, UPSCALE, Book, settle_cancelled, settle_failed


def refusal(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_an_accepted_job_is_stored_charged_and_told_with_the_users_first_seq(book: Book) -> None:
    outcome = book.accept(job="J1", ref="r1", images_in=("a", "b"), position=7, eta_s=1.5)
    assert isinstance(outcome, Applied)
    assert outcome.seq == 1
    assert book.used() == 1
    assert book.events() == [Accepted(seq=1, ref="r1", job="J1", position=7, eta_s=1.5)]
    assert outcome.job == book.job("J1")
    assert (outcome.job.state, outcome.job.attempt, outcome.job.charged) == ("queued", 0, True)
    assert outcome.job.images_in == ("a", "b")
    assert outcome.job.history == (Moment("queued", 1.0),)


def test_a_job_without_a_ref_is_accepted_as_often_as_it_is_sent(book: Book) -> None:
    assert book.queued() != book.queued()
    assert [event.ref for event in book.events()] == [None, None]


def test_the_same_ref_and_body_is_the_same_job_with_the_seq_it_had(book: Book) -> None:
    first = book.queued(ref="r")
    book.queued()
    again = book.accept(ref="r")
    assert isinstance(again, Replayed)
    assert (again.job.id, again.seq) == (first, 1)
    assert book.used() == 2


def test_the_same_ref_with_another_body_is_a_conflict(book: Book) -> None:
    book.queued(ref="r")
    assert refusal(book.accept(ref="r", digest="other")) == "ref_conflict"


def test_two_users_may_use_the_same_ref(book: Book) -> None:
    assert book.queued(ref="r") != book.queued(ref="r", user="U2")


@pytest.mark.parametrize("limit", ["daily", "queued"])
def test_a_replay_is_answered_also_over_every_limit(book: Book, limit: str) -> None:
    first = book.queued(ref="r")
    again = book.accept(ref="r", **{limit: 0})
    assert isinstance(again, Replayed)
    assert again.job.id == first


def test_a_ref_is_in_force_for_a_day_after_its_job_has_ended(book: Book) -> None:
    job = book.queued(ref="r", at=1.0)
    book.do(settle_cancelled(job, 2.0))
    assert isinstance(book.accept(ref="r", at=1.0 + REF_IN_FORCE_S - 0.001), Replayed)
    new = book.accept(job="JNEW", ref="r", digest="other", at=1.0 + REF_IN_FORCE_S)
    assert book.changed(new).id == "JNEW"
    again = book.accept(ref="r", digest="other", at=2.0 + REF_IN_FORCE_S)
    assert isinstance(again, Replayed)
    assert again.job.id == "JNEW"


def test_a_ref_is_in_force_as_long_as_its_job_is_unfinished(book: Book) -> None:
    job = book.queued(ref="r", at=1.0)
    again = book.accept(ref="r", at=1.0 + 10 * REF_IN_FORCE_S)
    assert isinstance(again, Replayed)
    assert again.job.id == job


def test_the_daily_quota_says_when_it_is_there_again(book: Book) -> None:
    book.queued(daily=1)
    outcome = book.accept(daily=1, at=400.0)
    assert refusal(outcome) == "quota_exceeded"
    assert outcome.retry_after_s == RESETS_AT - 400.0


def test_each_day_has_its_own_quota(book: Book) -> None:
    book.queued(daily=1)
    book.queued(daily=1, day="2026-01-02")
    assert (book.used(), book.used(day="2026-01-02")) == (1, 1)


def test_what_costs_nothing_is_accepted_also_when_the_quota_is_used_up(book: Book) -> None:
    job = book.queued(kind="describe", charge=0, daily=0)
    assert not book.job(job).charged
    assert book.used() == 0


def test_only_waiting_jobs_count_towards_the_limit_of_waiting_jobs(book: Book) -> None:
    book.submitting(queued=2)
    book.granted(queued=2)
    book.queued(queued=2)
    assert refusal(book.accept(queued=2)) == "too_many_jobs"
    assert isinstance(book.accept(queued=2, user="U2"), Applied)


def test_too_many_jobs_is_said_before_the_quota(book: Book) -> None:
    assert refusal(book.accept(queued=0, daily=0)) == "too_many_jobs"


def test_an_act_gets_the_account_and_the_button_of_its_parent(book: Book) -> None:
    parent = book.done()
    act = book.job(book.queued(kind="act", parent=parent, action="upscale", index=2))
    assert (act.affinity, act.press_message_id, act.press_custom_id) == ("fox", "message-1", UPSCALE.custom_id)
    assert act.account is None


def test_an_act_on_someone_elses_job_or_none_is_not_found(book: Book) -> None:
    parent = book.done(user="U2")
    assert refusal(book.accept(parent=parent, action="upscale", index=2)) == "not_found"
    assert refusal(book.accept(parent="nobody's", action="upscale", index=2)) == "not_found"


def test_an_act_that_is_not_offered_is_refused(book: Book) -> None:
    parent = book.done()
    assert refusal(book.accept(parent=parent, action="upscale", index=3)) == "bad_prompt"
    assert refusal(book.accept(parent=parent, action="zoom", index=None)) == "bad_prompt"


def test_an_act_on_a_job_without_a_picture_is_refused(book: Book) -> None:
    keeping = book.keeping()
    assert refusal(book.accept(parent=keeping, action="upscale", index=2)) == "bad_prompt"
    book.do(settle_failed(keeping, 50.0, "keeping"))
    assert refusal(book.accept(parent=keeping, action="upscale", index=2)) == "bad_prompt"


def test_an_unknown_user_is_refused(book: Book) -> None:
    assert refusal(book.accept(user="U9")) == "not_found"


def test_a_refusal_leaves_no_trace(book: Book) -> None:
    for changes in ({"daily": 0}, {"queued": 0}, {"parent": "none", "action": "upscale"}, {"user": "U9"}):
        assert isinstance(book.accept(job="J1", ref="r", **changes), Refused)
    assert book.ask(CountJobs()).jobs == {}
    assert book.events() == []
    assert book.used() == 0
    assert book.ask(ReadJob("J1", None)).__class__.__name__ == "Nothing"
    assert isinstance(book.accept(job="J1", ref="r", day=DAY), Applied)
