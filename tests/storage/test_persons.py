"""What operators see of users, and change about them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.operations import AddKey, AddUser, Applied, FindKey, KeyHolder, Nothing, Refused, Stale
from storage.overseeing import (
    Ban,
    KeyRow,
    ListUsers,
    Names,
    Person,
    ReadNames,
    ReadPerson,
    Revoked,
    RevokeKey,
    SetQuota,
    UserRow,
    UserRows,
)
from tests.storage.book import DAY, Book

TODAY: tuple[dict[str, str], str] = ({}, DAY)


def listed(book: Book, sort: str = "name", sought: str | None = None, limit: int = 2) -> list[UserRow]:
    """All pages of a list."""

    def pages() -> Iterator[UserRow]:
        before = None
        while True:
            page = book.ask(ListUsers(sort, sought, limit, before, *TODAY))
            assert isinstance(page, UserRows)
            assert len(page.users) <= limit
            yield from page.users
            if page.next is None:
                return
            before = page.next

    return list(pages())


def add(book: Book, *names: str) -> None:
    for name in names:
        book.do(AddUser(f"U-{name}", name, "free", or_keep=False, at=1.0))


def test_users_are_listed_by_name_page_by_page(book: Book) -> None:
    add(book, "zoe", "cid", "dan")
    assert [user.name for user in listed(book)] == ["ann", "ben", "cid", "dan", "zoe"]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_users_are_listed_by_what_they_used_and_by_their_jobs_also_where_these_are_equal(
    book: Book, limit: int
) -> None:
    add(book, "cid", "dan", "eve")
    for user, count in (("U2", 2), ("U-cid", 1), ("U-dan", 1)):
        for _ in range(count):
            book.queued(user=user)
    for sort in ("used", "jobs"):
        rows = listed(book, sort, limit=limit)
        assert [row.name for row in rows] == ["ben", "cid", "dan", "eve", "ann"]
        assert [(row.used, row.jobs) for row in rows] == [(2, 2), (1, 1), (1, 1), (0, 0), (0, 0)]


def test_users_are_found_by_a_part_of_the_name_that_means_only_itself(book: Book) -> None:
    add(book, "a_c", "abc", "100%", "1000")
    assert [user.name for user in listed(book, sought="A_C")] == ["a_c"]
    assert [user.name for user in listed(book, sought="0%")] == ["100%"]
    assert [user.name for user in listed(book, sought="u-abc")] == ["abc"]
    assert [user.name for user in listed(book, "jobs", "10", 1)] == ["100%", "1000"]


def test_a_users_jobs_are_told_apart_by_what_they_do_now(book: Book) -> None:
    book.queued()
    book.granted()
    book.drawing()
    book.keeping()
    book.done()
    (row,) = listed(book, sought="ann")
    assert (row.waiting, row.drawing, row.jobs, row.used) == (2, 2, 5, 5)


def test_what_was_used_is_of_the_day_by_the_users_plan(book: Book) -> None:
    book.queued()
    book.queued(day="2026-01-02")
    book.queued(day="2026-01-02")
    person = book.ask(ReadPerson("ann", 10, {"free": "2026-01-02"}, DAY))
    assert isinstance(person, Person)
    assert person.user.used == 2


def test_a_person_is_shown_with_the_newest_keys(book: Book) -> None:
    for number in range(3):
        book.do(AddKey(f"K{number}", "U1", f"digest-{number}", "user", False, None, float(number)))
    book.do(RevokeKey("K2", 9.0))
    person = book.ask(ReadPerson("U1", 2, *TODAY))
    assert isinstance(person, Person)
    assert person.keys == (KeyRow("K2", "user", False, 2.0, 9.0), KeyRow("K1", "user", False, 1.0, None))
    assert book.ask(ReadPerson("nobody", 2, *TODAY)) == Nothing()
    assert book.ask(ReadNames(("U2", "U1", "U9"))) == Names({"U1": "ann", "U2": "ben"})


def test_a_ban_is_told_once_and_lifted_once(book: Book) -> None:
    book.do(AddKey("K1", "U1", "digest", "user", False, None, 1.0))
    for banned in (True, False):
        assert isinstance(book.do(Ban("U1", banned, 2.0)), Applied)
        assert isinstance(book.do(Ban("U1", banned, 2.0)), Stale)
        holder = book.ask(FindKey("digest", 3.0))
        assert isinstance(holder, KeyHolder)
        assert holder.banned is banned
    assert isinstance(book.do(Ban("U9", True, 2.0)), Refused)


def test_a_key_is_revoked_by_its_id_once(book: Book) -> None:
    book.do(AddKey("K1", "U1", "digest", "user", False, None, 1.0))
    assert book.do(RevokeKey("K1", 2.0)) == Revoked("U1", "digest", fresh=True)
    assert book.do(RevokeKey("K1", 3.0)) == Revoked("U1", "digest", fresh=False)
    assert book.ask(FindKey("digest", 4.0)) == Nothing()
    refused = book.do(RevokeKey("K9", 2.0))
    assert isinstance(refused, Refused)
    assert refused.code == "not_found"


def test_a_quota_is_set_on_its_day_alone_also_where_nothing_was_used(book: Book) -> None:
    book.queued()
    assert isinstance(book.do(SetQuota("U1", DAY, 7, None, 2.0)), Applied)
    assert isinstance(book.do(SetQuota("U1", DAY, 7, None, 2.0)), Stale)
    assert isinstance(book.do(SetQuota("U1", "2026-01-02", 3, None, 2.0)), Applied)
    assert (book.used(), book.used(day="2026-01-02"), book.used(day="2026-01-03")) == (7, 3, 0)
    assert isinstance(book.do(SetQuota("U9", DAY, 7, None, 2.0)), Refused)


def test_another_plan_holds_for_jobs_that_have_not_ended(book: Book) -> None:
    ended, drawing, waiting = book.done(), book.drawing(), book.queued()
    assert isinstance(book.do(SetQuota("U1", DAY, None, "studio", 2.0)), Applied)
    assert [book.job(job).plan for job in (ended, drawing, waiting)] == ["free", "studio", "studio"]
    moved = book.grant(waiting)
    assert book.job(moved).plan == "studio"
    assert isinstance(book.do(SetQuota("U1", DAY, None, "studio", 2.0)), Stale)
