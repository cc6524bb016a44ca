"""Group commit: once each, all together, none spoiling another."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from storage import writes
from storage.database import StoreTrouble, open_database
from storage.groups import LOOKED_FOR, Operation, commit_group, tidy
from storage.operations import Applied, Grant, Refused, Replayed, Stale, Ungrant, Write
from storage.tables import operations
from tests.storage.book import ACCEPT, Book, gather, known, settle_done


def test_every_write_has_its_function() -> None:
    assert set(writes.APPLIERS) == set(Write.__args__)


def test_a_write_sent_again_is_answered_as_the_first_time_and_done_once(book: Book) -> None:
    first = book.accept(job="J1")
    again = book.do(replace(ACCEPT, job="J1"), op_id="the same")
    assert isinstance(again, Refused)  # the job's id is taken: another operation
    job = book.do(replace(ACCEPT, job="J2"), op_id="mine")
    assert book.do(replace(ACCEPT, job="J2"), op_id="mine") == job
    assert isinstance(first, Applied)
    assert book.used() == 2


def test_a_write_done_before_is_found_also_when_nobody_said_that_it_comes_again(book: Book) -> None:
    group = [Operation(f"op{number}", replace(ACCEPT, job=f"J{number}"), again=False) for number in range(3)]
    first = commit_group(book.database, group[:2], 1.0)
    assert commit_group(book.database, group, 2.0)[:2] == first
    assert book.used() == 3
    assert [event.seq for event in book.events()] == [1, 2, 3]


def test_an_answer_is_no_later_news_than_it_was_when_the_job_has_moved_on(book: Book) -> None:
    job = book.drawing()
    gathered = book.do(gather(job, 5.0), op_id="gather")
    book.do(settle_done(job, 6.0))
    again = book.do(gather(job, 5.0), op_id="gather")
    assert known(again) == known(gathered) == ("Applied", job, 1, "keeping", None)
    assert again.job.picture_url == gathered.job.picture_url
    assert book.job(job).state == "done"


def test_an_end_sent_again_is_answered_with_all_that_is_told_of_it(book: Book) -> None:
    job = book.keeping()
    first = book.do(settle_done(job, 6.0), op_id="settle")
    again = book.do(settle_done(job, 6.0), op_id="settle")
    assert replace(again.job, history=()) == first.job
    assert again.seq == first.seq


def test_more_operations_than_one_query_looks_for_are_each_done_once(book: Book) -> None:
    group = [Operation(f"op{number}", replace(ACCEPT, job=f"J{number}")) for number in range(LOOKED_FOR + 3)]
    group = [Operation(one.op_id, replace(one.write, queued=LOOKED_FOR * 2)) for one in group]
    first = commit_group(book.database, group, 1.0)
    assert commit_group(book.database, group, 2.0) == first
    assert book.used() == LOOKED_FOR + 3


def test_what_is_remembered_of_a_move_is_small(book: Book) -> None:
    book.do(replace(ACCEPT, job="J1", prompt="a fox " * 200), op_id="accept")
    with book.database.reading() as connection:
        outcome = connection.execute(select(operations.c.outcome).where(operations.c.op_id == "accept")).scalar_one()
    assert len(outcome) < 100


@pytest.mark.parametrize("outcome", ["refused", "stale", "replayed"])
def test_what_changed_nothing_is_remembered_too(book: Book, outcome: str) -> None:
    if outcome == "refused":
        first = book.do(replace(ACCEPT, job="J1", daily=0), op_id="op")
        assert isinstance(first, Refused)
        assert book.do(replace(ACCEPT, job="J1", daily=5), op_id="op") == first
    elif outcome == "stale":
        first = book.do(Grant("J1", 1, "lease", "fox", 5.0), op_id="op")
        book.queued(job="J1")
        assert isinstance(first, Stale)
        assert book.do(Grant("J1", 1, "lease", "fox", 5.0), op_id="op") == first
    else:
        job = book.queued(ref="r")
        first = book.do(replace(ACCEPT, job="J2", ref="r"), op_id="op")
        assert isinstance(first, Replayed)
        book.grant(job)
        assert book.do(replace(ACCEPT, job="J2", ref="r"), op_id="op") == first


def test_the_same_operation_twice_in_one_group_is_done_once(book: Book) -> None:
    twice = Operation("op", replace(ACCEPT, job="J1"))
    first, second = commit_group(book.database, [twice, twice], 1.0)
    assert first == second
    assert book.used() == 1


def test_a_group_is_applied_in_its_order_in_one_commit(book: Book) -> None:
    said: list[str] = []
    with book.database.writing() as connection:
        connection.driver.set_trace_callback(said.append)
    said.clear()
    group = [
        Operation("a", replace(ACCEPT, job="J1")),
        Operation("b", Grant("J1", 1, "lease", "fox", 2.0)),
        Operation("c", Ungrant("J1", 1, 3.0)),
    ]
    assert all(isinstance(outcome, Applied) for outcome in commit_group(book.database, group, 1.0))
    assert [words for words in said if not words.startswith(("INSERT", "UPDATE", "SELECT", "PRAGMA"))] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert book.states("J1") == ["queued", "granted", "queued"]


def test_a_broken_write_is_refused_alone_and_the_others_are_done(book: Book) -> None:
    group = [
        Operation("a", replace(ACCEPT, job="J1")),
        Operation("broken", replace(ACCEPT, job="J1", ref="r")),
        Operation("surrogate", replace(ACCEPT, job="J2", prompt="\ud800")),
        Operation("b", replace(ACCEPT, job="J3")),
    ]
    outcomes = commit_group(book.database, group, 1.0)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Applied", "Refused", "Refused", "Applied"]
    assert [event.job for event in book.events()] == ["J1", "J3"]
    assert [event.seq for event in book.events()] == [1, 2]
    assert book.used() == 2
    assert commit_group(book.database, group, 2.0) == outcomes


def test_a_broken_write_is_logged_without_the_prompt(book: Book, caplog: pytest.LogCaptureFixture) -> None:
    book.accept(job="J1", prompt="a secret garden")
    book.accept(job="J1", prompt="a secret garden")
    assert "AcceptJob" in caplog.text
    assert "secret garden" not in caplog.text


def test_operations_are_forgotten_after_their_time_and_not_before(book: Book) -> None:
    book.do(replace(ACCEPT, job="J1"), op_id="old")
    with book.database.reading() as connection:
        at = connection.execute(select(operations.c.at).where(operations.c.op_id == "old")).scalar_one()
    tidy(book.database, at, at)
    assert isinstance(book.do(replace(ACCEPT, job="J1"), op_id="old"), Applied)
    tidy(book.database, at, at + 1.0)
    tidy(book.database, at, None)
    assert isinstance(book.do(replace(ACCEPT, job="J1"), op_id="old"), Refused)


def test_a_database_is_well_only_when_it_has_room_and_what_was_tried_is_not_kept(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/limner.db")
    with database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
    tidy(database, 1.0, None)
    with pytest.raises(StoreTrouble) as trouble:
        tidy(database, 2.0, None, 1 << 20)
    assert trouble.value.code == "full"
    tidy(database, 3.0, None, 1 << 14)
    tidy(database, 4.0, None)
    with database.reading() as connection:
        assert connection.execute(select(operations.c.outcome)).scalars().all() == [b""]
    database.close()


def test_a_group_that_the_database_refuses_leaves_nothing(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path}/limner.db")
    with book.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    group = [Operation(f"op{number}", replace(ACCEPT, job=f"J{number}", prompt="x" * 4000)) for number in range(9)]
    with pytest.raises(StoreTrouble) as trouble:
        commit_group(book.database, group, 1.0)
    assert trouble.value.code == "full"
    assert (book.events(), book.used()) == ([], 0)
    book.database.close()
