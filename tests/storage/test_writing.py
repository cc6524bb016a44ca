"""What the writes of one transaction share, and what waits for its end."""

from __future__ import annotations

from msgspec.structs import replace

from storage.groups import Operation, commit_group
from storage.operations import Applied, Gather, GiveBack, Grant, Refused, Stale, Submit, Track, Write
from tests.storage.book import ACCEPT, Book, gather, settle_done


def life(job: str, user: str = "U1") -> tuple[Write, ...]:
    """All writes of a job that is given back once and then drawn."""
    return (
        replace(ACCEPT, job=job, user=user, ref=job),
        Grant(job, 1, "lease", "fox", 2.0),
        Submit(job, 1, "lease", f"nonce {job} 1", None, 3.0),
        GiveBack(job, 1, "refused", 4.0),
        Grant(job, 2, "another lease", "owl", 5.0),
        Submit(job, 2, "another lease", f"nonce {job} 2", "gw", 6.0),
        Track(job, 2, None, "start", None, 7.0),
        Track(job, 2, "interaction", None, "hash", 8.0),
        gather(job, 9.0, attempt=2),
        settle_done(job, 10.0, attempt=2, user=user),
    )


def written(book: Book, *writes: Write) -> tuple[object, ...]:
    return commit_group(book.database, [Operation(f"{number}", write) for number, write in enumerate(writes)], 1.0)


def state_of(book: Book) -> tuple[object, ...]:
    jobs = [book.job(job) for job in ("J1", "J2")]
    return jobs, book.events("U1"), book.events("U2"), [book.attempts(job.id) for job in jobs], book.used()


def test_whole_lives_in_one_transaction_leave_what_as_many_transactions_leave(book: Book) -> None:
    mixed = [write for pair in zip(life("J1"), life("J2", "U2"), strict=True) for write in pair]
    together = written(book, *mixed)
    assert all(isinstance(outcome, Applied) for outcome in together)
    each = Book()
    assert tuple(each.do(write) for write in mixed) == together
    assert state_of(each) == state_of(book)
    each.database.close()


def test_the_record_of_an_attempt_holds_all_that_was_learned_in_one_transaction(book: Book) -> None:
    written(book, *life("J1"))
    first, second = book.attempts("J1")
    assert (first["outcome"], first["message_id"]) == ("refused", None)
    assert second["interaction_id"] == "interaction"
    assert second["message_id"] == "message-1"
    assert second["outcome"] == "done"


def test_a_late_picture_is_marked_on_the_attempt_that_ended_just_before(book: Book) -> None:
    late = replace(gather("J1", 11.0, attempt=2), message_id="another message")
    assert isinstance(late, Gather)
    outcomes = written(book, *life("J1"), late)
    assert isinstance(outcomes[-1], Stale)
    _, second = book.attempts("J1")
    assert (second["outcome"], second["message_id"]) == ("late", "another message")


def test_who_comes_too_late_is_told_of_all_that_was_written_just_before(book: Book) -> None:
    *_, outcome = written(book, *life("J1"), Grant("J1", 1, "lease", "fox", 11.0))
    assert outcome == Stale(book.job("J1"))
    assert [moment.state for moment in book.job("J1").history][-1] == "done"
    assert len(book.job("J1").images) == 1


def test_what_waits_is_refused_with_its_write_only(book: Book) -> None:
    """The picture of J1 is on record already, under another job: that shows only when the rows are written."""
    book.done(job="J0")
    stolen = replace(settle_done("J1", 10.0, attempt=2), images=book.job("J0").images)
    outcomes = written(book, *life("J1")[:-1], stolen, *life("J2"))
    assert [type(outcome) for outcome in outcomes] == [Applied] * 9 + [Refused] + [Applied] * 10
    assert book.job("J1").state == "keeping"
    assert book.job("J2").state == "done"
    seqs = [event.seq for event in book.events()]
    assert seqs == list(range(1, len(seqs) + 1))
