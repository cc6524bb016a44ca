"""What the writer knows without reading, and what happens where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from storage import known as module
from storage.known import Known
from storage.operations import Applied, Refused, Stale, Submit, Ungrant
from tests.storage.book import ACCEPT, Book, settle_done


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[Book]:
    """A book on a file, which others may open too."""
    made = Book(f"sqlite:///{tmp_path}/limner.db")
    yield made
    made.database.close()


def known_by(book: Book) -> Known:
    """What the book's writer knows."""
    with book.database.writing(knowing=True) as connection:
        return connection.known


def test_jobs_that_moved_longest_ago_are_forgotten_first(
    book: Book, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "JOBS_MAX", 2)
    one, two, three = (book.job(book.queued()) for _ in range(3))
    for job in (one, two, one, three):
        known.note_job(job)
    assert known.job(one.id) is one
    assert known.job(two.id) is None
    assert known.job(three.id) is three


def test_a_job_that_has_ended_is_forgotten(book: Book, known: Known) -> None:
    job = book.job(book.done())
    known.note_job(replace(job, state="keeping"))
    known.note_job(job)
    assert known.job(job.id) is None


def test_seqs_are_not_remembered_without_end(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEQS_MAX", 2)
    for number in range(3):
        known.note_seq(f"U{number}", number)
    assert [known.seq(f"U{number}") for number in range(3)] == [None, None, 2]


def test_a_job_is_known_as_it_is_stored(filed: Book) -> None:
    job = filed.keeping(ref="r", prompt="a fox", parent=None)
    stored = replace(filed.job(job), images=(), history=())
    assert known_by(filed).job(job) == stored


def test_a_job_far_back_in_the_queue_is_not_worth_knowing(filed: Book) -> None:
    near, far = filed.queued(position=1), filed.queued(position=100_000)
    known = known_by(filed)
    assert known.job(near) is not None
    assert known.job(far) is None


def test_what_another_process_wrote_meanwhile_is_seen(filed: Book, tmp_path: Path) -> None:
    job = filed.granted()
    other = Book(f"sqlite:///{tmp_path}/limner.db")
    other.changed(other.do(Ungrant(job, 1, 5.0)))
    other.database.close()
    outcome = filed.do(Submit(job, 1, f"lease-{job}-1", "nonce", None, 6.0))
    assert isinstance(outcome, Stale)
    assert outcome.job == filed.job(job)
    assert outcome.job.state == "queued"


def test_whoever_writes_without_regard_to_what_is_known_makes_it_forgotten(filed: Book) -> None:
    job = filed.granted()
    with filed.database.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET lease = 'another'")
    assert isinstance(filed.do(Submit(job, 1, f"lease-{job}-1", "nonce", None, 6.0)), Stale)


def test_a_move_decided_on_what_is_not_so_is_decided_again_on_what_is(filed: Book) -> None:
    job = filed.granted()
    granted = known_by(filed).job(job)
    filed.changed(filed.do(Ungrant(job, 1, 5.0)))
    known_by(filed).note_job(granted)
    before = filed.job(job)
    outcome = filed.do(Submit(job, 1, f"lease-{job}-1", "nonce", None, 6.0))
    assert outcome == Stale(before)
    assert filed.job(job) == before
    assert filed.attempts(job) == []


def test_an_end_decided_on_what_is_not_so_is_decided_again_on_what_is(filed: Book) -> None:
    job = filed.keeping()
    keeping = known_by(filed).job(job)
    ended = filed.changed(filed.do(settle_done(job, 6.0)))
    known_by(filed).note_job(keeping)
    outcome = filed.do(settle_done(job, 7.0))
    assert isinstance(outcome, Stale)
    assert outcome.job.finished_at == ended.finished_at
    assert len(filed.events()) == 3


def test_a_seq_that_is_not_so_is_taken_again(filed: Book) -> None:
    for _ in range(2):
        filed.queued()
    known_by(filed).note_seq("U1", 0)
    filed.queued()
    assert [event.seq for event in filed.events()] == [1, 2, 3]


def test_what_was_undone_is_not_known(filed: Book) -> None:
    filed.queued(job="J1")
    assert isinstance(filed.do(replace(ACCEPT, job="J1")), Refused)
    assert isinstance(filed.accept(job="J2"), Applied)
    assert [(event.seq, event.job) for event in filed.events()] == [(1, "J1"), (2, "J2")]
