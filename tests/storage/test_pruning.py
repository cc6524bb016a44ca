"""Forgetting: whole jobs, only those that ended long ago, with all that refers to them; no log gets a hole."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select

from core.ids import first_id
from storage.forgetting import (
    AddUpload,
    Discards,
    DropDiscards,
    Forget,
    ForgetPictures,
    ForgetUploads,
    Forgotten,
    ReadDiscards,
)
from storage.operations import Applied, CountJobs, Counts, EventRecords, Nothing, ReadEvents, ReadJob, Replayed, Stale
from storage.tables import attempts, discards, events, history, images, jobs, quota, refs
from tests.storage.book import Book, gather, picture, settle_done, settle_failed

#: After all that a book has written.
LATER = 100_000.0
OF_JOBS = (jobs, refs, history, attempts, images, events)


def forget(book: Book, ended_before: float = LATER, after: str = "", limit: int = 100) -> Forgotten:
    outcome = book.do(Forget(ended_before, after, limit, LATER))
    assert isinstance(outcome, Forgotten)
    return outcome


def rows(book: Book) -> dict[str, int]:
    """How many rows each table has."""
    with book.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (*OF_JOBS, quota, discards)
        }


def files(book: Book) -> tuple[str, ...]:
    found = book.ask(ReadDiscards(1000))
    assert isinstance(found, Discards)
    return found.paths


def seqs(book: Book, user: str = "U1", after: int = 0) -> tuple[list[int], int]:
    """The seqs of the events that are kept, and the one from which on they are."""
    found = book.ask(ReadEvents(user, after, 1000))
    assert isinstance(found, EventRecords)
    return [event.seq for event in found.events], found.oldest


def test_a_job_that_ended_long_ago_is_forgotten_with_all_that_refers_to_it_and_its_files_are_noted(book: Book) -> None:
    job = book.done(ref="r1")
    kept = picture(job)
    assert forget(book) == Forgotten(1, None)
    assert book.ask(ReadJob(job, None)) == Nothing()
    left = rows(book)
    assert [left[table.name] for table in OF_JOBS] == [0] * len(OF_JOBS)
    assert files(book) == tuple(sorted({kept.path, kept.thumb_path}))
    counts = book.ask(CountJobs())
    assert isinstance(counts, Counts)
    assert (counts.jobs, counts.images) == ({}, 0)


def test_pictures_are_forgotten_by_themselves_and_nothing_else_of_their_job_is(book: Book) -> None:
    old = book.done(ref="r1")
    kept = picture(old)
    parent_of_young = book.done(ref="r2")
    finished_at = book.job(parent_of_young).finished_at
    assert finished_at is not None
    before, stood = rows(book), book.job(old)
    assert book.do(ForgetPictures(finished_at, "", 100, LATER)) == Forgotten(1, None)
    assert files(book) == tuple(sorted({kept.path, kept.thumb_path}))
    assert rows(book) == before | {"images": 1, "discards": 2}
    assert book.job(old) == replace(stood, images=())
    assert book.job(parent_of_young).images != ()
    assert book.do(ForgetPictures(finished_at, "", 100, LATER)) == Forgotten(0, None)


def test_pictures_are_forgotten_slice_by_slice_and_those_of_unfinished_jobs_are_kept(book: Book) -> None:
    ended = [book.done() for _ in range(5)]
    book.drawing()
    after, count, slices = "", 0, 0
    while after is not None:
        outcome = book.do(ForgetPictures(LATER, after, 2, LATER))
        assert isinstance(outcome, Forgotten)
        after, count, slices = outcome.next, count + outcome.count, slices + 1  # type: ignore[assignment]
    assert (count, slices, rows(book)["images"]) == (len(ended), 3, 0)


def test_a_job_that_ended_lately_or_has_not_ended_is_kept_whole(book: Book) -> None:
    unfinished = [book.queued(), book.granted(), book.submitting(), book.drawing(), book.keeping()]
    done = book.done(ref="r1")
    finished_at = book.job(done).finished_at
    before = rows(book)
    assert forget(book, ended_before=finished_at) == Forgotten(0, None)
    assert rows(book) == before
    assert forget(book) == Forgotten(1, None)
    assert [book.job(job).id for job in unfinished] == unfinished


def test_only_the_old_one_of_two_goes_and_the_other_can_still_be_repeated_by_its_ref(book: Book) -> None:
    old = book.done(ref="old")
    until = book.now()
    young = book.done(ref="young")
    assert forget(book, ended_before=until).count == 1
    assert book.ask(ReadJob(old, None)) == Nothing()
    assert isinstance(book.accept(ref="young", at=until), Replayed)
    again = book.accept(ref="old", at=until)
    assert isinstance(again, Applied)
    assert young == book.job(young).id


def test_a_job_that_another_goes_on_from_is_kept_as_long_as_that_one(book: Book) -> None:
    parent = book.done()
    child = book.done(parent=parent, action="upscale", index=2, kind="act")
    assert forget(book) == Forgotten(1, None)
    assert book.job(parent).images
    assert book.ask(ReadJob(child, None)) == Nothing()
    assert forget(book) == Forgotten(1, None)
    assert rows(book)["jobs"] == 0


def test_an_unfinished_act_keeps_its_parent(book: Book) -> None:
    parent = book.done()
    book.queued(parent=parent, action="upscale", index=2, kind="act")
    assert forget(book) == Forgotten(0, None)
    assert book.job(parent).images


def test_a_users_events_are_kept_from_one_on_without_a_hole_and_those_of_others_all(book: Book) -> None:
    waiting = book.queued()  # accepted first, and not ended
    book.done()
    until = book.now()
    book.done()
    book.done(user="U2")
    theirs, newest = seqs(book, "U2"), seqs(book)[0][-1]
    forget(book, ended_before=until)
    kept, oldest = seqs(book)
    assert (oldest, kept) == (5, list(range(5, newest + 1)))
    assert seqs(book, "U2") == theirs
    assert book.job(waiting).state == "queued"


def test_who_has_no_events_left_is_told_the_next_one_as_the_oldest(book: Book) -> None:
    book.done()
    forget(book)
    found = book.ask(ReadEvents("U1", 3, 10))
    assert isinstance(found, EventRecords)
    assert (found.events, found.oldest, found.newest) == ((), 4, 3)


def test_a_slice_looks_at_so_many_jobs_and_says_where_the_next_one_begins(book: Book) -> None:
    made = [book.done() for _ in range(5)]
    first = forget(book, limit=2)
    assert first == Forgotten(2, made[1])
    second = forget(book, after=made[1], limit=2)
    assert second == Forgotten(2, made[3])
    assert forget(book, after=made[3], limit=2) == Forgotten(1, None)


def test_what_was_accepted_too_lately_to_be_old_is_not_even_looked_at(book: Book) -> None:
    young = book.done(job=first_id("j", LATER) + "0123456789")
    book.done(job=first_id("j", LATER - 1) + "0123456789")
    assert forget(book, limit=1) == Forgotten(1, first_id("j", LATER - 1) + "0123456789")
    assert forget(book, after=first_id("j", LATER - 1) + "0123456789", limit=1) == Forgotten(0, None)
    assert book.job(young).state == "done"


def test_old_days_of_quota_go_with_a_users_jobs_and_the_days_that_a_refund_may_need_stay(book: Book) -> None:
    day_s = 86_400.0
    for day in ("1970-01-01", "1970-01-09", "1970-01-10"):
        book.done(day=day)
    book.queued(user="U2", day="1970-01-01")
    forget(book, ended_before=11 * day_s)  # which is on the 12th
    assert (book.used(day="1970-01-01"), book.used(day="1970-01-09"), book.used(day="1970-01-10")) == (0, 1, 1)
    assert book.used("U2", day="1970-01-01") == 1


def test_a_late_picture_and_a_late_end_of_a_forgotten_job_change_nothing(book: Book) -> None:
    job = book.done()
    forget(book)
    left = rows(book)
    assert book.do(gather(job, LATER)) == Stale(None)
    assert book.do(settle_done(job, LATER)) == Stale(None)
    assert rows(book) == left


def test_files_are_noted_until_they_are_said_to_be_deleted_and_that_twice_is_harmless(book: Book) -> None:
    book.done()
    book.done()
    forget(book)
    noted = files(book)
    assert len(noted) >= 2
    found = book.ask(ReadDiscards(1))
    assert found == Discards(noted[:1])
    for _ in range(2):
        assert book.do(DropDiscards(noted[:1], LATER)) == Applied()
        assert files(book) == noted[1:]


def an_upload(book: Book, made_at: float, user: str = "U1") -> str:
    upload = first_id("p", made_at) + f"{next(book.numbers):010}"
    assert book.do(AddUpload(upload, user, f"uploads/{user}/{upload}", made_at)) == Applied()
    return upload


def forget_uploads(book: Book, made_before: float, after: str = "", limit: int = 100) -> Forgotten:
    outcome = book.do(ForgetUploads(made_before, after, limit, LATER))
    assert isinstance(outcome, Forgotten)
    return outcome


def test_uploads_that_were_made_long_ago_are_forgotten_and_their_files_are_noted(book: Book) -> None:
    old, older = an_upload(book, 50.0), an_upload(book, 40.0, "U2")
    an_upload(book, 60.0)
    assert forget_uploads(book, 60.0) == Forgotten(2, None)
    assert files(book) == tuple(sorted((f"uploads/U1/{old}", f"uploads/U2/{older}")))
    assert forget_uploads(book, 60.0) == Forgotten(0, None)
    assert forget_uploads(book, 61.0) == Forgotten(1, None)


def test_an_upload_is_kept_as_long_as_a_job_waits_to_be_drawn_from_it(book: Book) -> None:
    mine = an_upload(book, 50.0)
    job = book.drawing(images_in=(mine, "https://example.org/a.png"))
    book.queued(user="U2", images_in=("https://example.org/b.png",))
    assert forget_uploads(book, 60.0) == Forgotten(0, None)
    book.do(settle_failed(job, book.now(), "drawing"))
    assert forget_uploads(book, 60.0) == Forgotten(1, None)


def test_uploads_go_in_slices_too(book: Book) -> None:
    made = [an_upload(book, 50.0 + number) for number in range(3)]
    assert forget_uploads(book, 60.0, limit=2) == Forgotten(2, made[1])
    assert forget_uploads(book, 60.0, after=made[1], limit=2) == Forgotten(1, None)


def test_forgetting_again_changes_nothing(book: Book) -> None:
    book.done()
    forget(book)
    before = rows(book)
    assert forget(book) == Forgotten(0, None)
    assert rows(book) == before


@pytest.mark.parametrize("table", ["jobs", "refs", "history", "attempts", "images", "events"])
def test_no_table_is_looked_through_for_what_refers_to_a_job(book: Book, table: str) -> None:
    """Else a deletion would take as long as there are rows: the database looks for references itself."""
    column = "parent" if table == "jobs" else "job"
    with book.database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT rowid FROM {table} WHERE {column} = ?", ("J1",))
        assert all("SEARCH" in row[-1] and "INDEX" in row[-1] for row in plan)


LIVES = st.lists(
    st.tuples(st.sampled_from(["queued", "drawing", "done", "failed", "act"]), st.sampled_from(["U1", "U2"])),
    max_size=12,
)


@given(LIVES, st.floats(0.0, 1.2), st.integers(1, 5))
def test_whatever_is_forgotten_the_rest_is_whole(lives: list[tuple[str, str]], share: float, limit: int) -> None:
    book = Book()
    try:
        made, done = [], {}
        for life, user in lives:
            if life == "act" and user in done:
                parent = done[user]
                made.append(book.done(user=user, parent=parent, action="upscale", index=2, kind="act"))
            elif life in ("done", "act"):
                made.append(book.done(user=user))
                done[user] = made[-1]
            elif life == "failed":
                made.append(book.drawing(user=user))
                book.do(settle_failed(made[-1], book.now(), "drawing"))
            else:
                made.append(getattr(book, life)(user=user))
        until, before = share * book.now(), {job: book.job(job) for job in made}
        after = ""
        while (outcome := forget(book, until, after, limit)).next is not None:
            after = outcome.next
        for job, record in before.items():
            found = book.ask(ReadJob(job, None))
            if isinstance(found, Nothing):
                assert (record.finished_at or math.inf) < until
            else:
                assert found.job == record  # type: ignore[union-attr]
        for user in ("U1", "U2"):
            kept, oldest = seqs(book, user)
            assert kept == list(range(oldest, oldest + len(kept)))
        with book.database.reading() as connection:
            assert list(connection.exec_driver_sql("PRAGMA foreign_key_check")) == []
    finally:
        book.database.close()
