"""What can be asked, and how pages follow each other."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from protocol.client import MSGPACK, Accepted, decode_server
from storage.operations import (
    CountJobs,
    Counts,
    ImageFound,
    JobRecords,
    ListJobs,
    Nothing,
    QueuedJob,
    ReadBacklog,
    ReadEvents,
    ReadImage,
    ReadJob,
    Unfinished,
)
from storage.reads import FINDERS, find
from tests.storage.book import Book, picture, settle_cancelled


def ids(found: object) -> list[str]:
    assert isinstance(found, JobRecords)
    return [job.id for job in found.jobs]


def test_a_job_is_shown_to_its_user_only(book: Book) -> None:
    job = book.done()
    assert book.ask(ReadJob(job, "U1")).job == book.job(job)
    assert book.ask(ReadJob(job, "U2")) == Nothing()
    assert book.ask(ReadJob("none", None)) == Nothing()


def test_jobs_are_listed_newest_first_in_pages_that_meet(book: Book) -> None:
    made = [book.queued() for _ in range(5)]
    book.queued(user="U2")
    first = book.ask(ListJobs("U1", None, 2, None))
    second = book.ask(ListJobs("U1", first.next, 2, None))
    third = book.ask(ListJobs("U1", second.next, 2, None))
    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third.next is None


def test_a_page_that_holds_exactly_the_rest_is_the_last(book: Book) -> None:
    made = [book.queued() for _ in range(2)]
    found = book.ask(ListJobs("U1", None, 2, None))
    assert (ids(found), found.next) == (made[::-1], None)


def test_everyones_jobs_can_be_listed_and_filtered_by_state(book: Book) -> None:
    waiting, drawing = book.queued(), book.drawing(user="U2")
    assert ids(book.ask(ListJobs(None, None, 10, None))) == [drawing, waiting]
    assert ids(book.ask(ListJobs(None, None, 10, "drawing"))) == [drawing]
    assert ids(book.ask(ListJobs("U1", None, 10, "drawing"))) == []


def test_listed_jobs_come_with_their_own_images_and_history(book: Book) -> None:
    first, second, third = book.done(), book.done(), book.queued()
    found = book.ask(ListJobs("U1", None, 10, None))
    assert found.jobs == tuple(book.job(job) for job in (third, second, first))
    assert [len(job.images) for job in found.jobs] == [0, 1, 1]


@pytest.mark.parametrize("count", [1, 20])
def test_a_page_takes_three_queries_however_long_it_is(book: Book, count: int) -> None:
    for _ in range(count):
        book.queued()
    statements: list[str] = []
    event.listen(book.database.engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    book.ask(ListJobs("U1", None, 50, None))
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 3


def test_unfinished_jobs_come_oldest_first_without_those_that_ended(book: Book) -> None:
    made = [book.queued(), book.drawing(user="U2"), book.keeping(), book.granted()]
    book.done()
    book.do(settle_cancelled(book.queued(), 99.0))
    first = book.ask(Unfinished(None, None, 3))
    rest = book.ask(Unfinished(None, first.next, 3))
    assert ids(first) + ids(rest) == made
    assert rest.next is None
    assert ids(book.ask(Unfinished("U2", None, 10))) == [made[1]]
    assert all(job.history == () and job.images == () for job in first.jobs)


def test_the_backlog_is_all_unfinished_jobs_in_pages_the_waiting_ones_in_brief(book: Book) -> None:
    made = [book.queued(), book.drawing(user="U2"), book.queued(user="U2"), book.keeping(), book.granted()]
    book.done()
    first = book.ask(ReadBacklog(None, 3))
    rest = book.ask(ReadBacklog(first.next, 3))
    assert [job.id for job in first.queued] == [made[0], made[2]]
    assert [(job.id, job.state) for job in first.begun] == [(made[1], "drawing")]
    assert [job.id for job in rest.begun] == made[3:]
    assert (rest.queued, rest.next) == ((), None)
    whole = book.ask(Unfinished(None, None, 3)).jobs[0]
    assert all(getattr(first.queued[0], name) == getattr(whole, name) for name in QueuedJob.__struct_fields__)


def test_unfinished_jobs_are_found_by_the_partial_index(book: Book) -> None:
    said: list[str] = []
    with book.database.reading() as connection:
        connection.driver.set_trace_callback(said.append)
        for user in (None, "U1"):
            find(connection, Unfinished(user, None, 10))
        plans = [str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()) for sql in said]
        connection.driver.set_trace_callback(None)
    everyone, one = plans
    assert "jobs_unfinished " in everyone
    assert "jobs_unfinished_of_user " in one


def test_events_come_in_order_after_the_seq_asked_for(book: Book) -> None:
    jobs = [book.queued(ref=f"r{number}") for number in range(4)]
    book.queued(user="U2")
    found = book.ask(ReadEvents("U1", 1, 2))
    assert [event.seq for event in found.events] == [2, 3]
    assert [event.job for event in found.events] == jobs[1:3]
    assert (found.oldest, found.newest) == (1, 4)
    assert decode_server(found.events[0].frame, MSGPACK) == Accepted(2, "r1", jobs[1], 1, 2.5)


def test_a_user_without_events_has_none_to_miss(book: Book) -> None:
    found = book.ask(ReadEvents("U1", 0, 10))
    assert (found.events, found.oldest, found.newest) == ((), 1, 0)


def test_a_picture_is_found_by_its_owner_only(book: Book) -> None:
    job = book.done()
    image = picture(job)
    assert book.ask(ReadImage(image.id, "U1")) == ImageFound(image)
    assert book.ask(ReadImage(image.id, "U2")) == Nothing()
    assert book.ask(ReadImage("none", "U1")) == Nothing()


def test_jobs_users_and_pictures_are_counted(book: Book) -> None:
    book.done()
    book.queued()
    book.queued(user="U2")
    assert book.ask(CountJobs()) == Counts({"done": 1, "queued": 2}, users=2, images=1)


def test_every_read_has_its_finder() -> None:
    from storage.operations import Read

    assert set(FINDERS) == set(Read.__args__)
