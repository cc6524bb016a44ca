"""Users and their keys."""

from __future__ import annotations

from sqlalchemy import update

from storage.operations import (
    AddKey,
    AddUser,
    Applied,
    DropKey,
    FindKey,
    FindKeys,
    KeyHolder,
    Nothing,
    ReadUser,
    Refused,
    Stale,
    UserRecord,
)
from storage.tables import users
from tests.storage.book import DAY, Book

ANN = UserRecord("U1", "ann", "free", banned=False, seq=0, used=0)


def key(digest: str = "digest", user: str = "U1", role: str = "user", expires_at: float | None = None) -> AddKey:
    return AddKey(f"K-{digest}", user, digest, role, expires_at is not None, expires_at, 1.0)


def test_a_user_is_found_by_id_and_by_name(book: Book) -> None:
    assert book.ask(ReadUser("U1", DAY)) == ANN
    assert book.ask(ReadUser("ann", DAY)) == ANN
    assert book.ask(ReadUser("nobody", DAY)) == Nothing()


def test_an_id_goes_before_a_name(book: Book) -> None:
    book.do(AddUser("U3", "U1", "free", or_keep=False, at=1.0))
    assert book.ask(ReadUser("U1", DAY)) == ANN


def test_a_user_record_tells_the_seq_and_what_was_used_that_day(book: Book) -> None:
    book.queued()
    found = book.ask(ReadUser("ann", DAY))
    assert (found.seq, found.used) == (1, 1)
    assert book.ask(ReadUser("ann", "2026-01-02")).used == 0


def test_a_user_record_tells_the_latest_of_all_jobs_whose_ever_it_is(book: Book) -> None:
    assert book.ask(ReadUser("ann", DAY)).newest == ""
    job = book.queued()
    book.do(AddUser("U9", "bea", "free", or_keep=False, at=1.0))
    assert book.ask(ReadUser("U9", DAY)).newest == job


def test_a_name_is_given_once(book: Book) -> None:
    outcome = book.do(AddUser("U9", "ann", "studio", or_keep=False, at=1.0))
    assert isinstance(outcome, Refused)
    assert outcome.code == "ref_conflict"
    assert book.ask(ReadUser("U9", DAY)) == Nothing()


def test_a_user_may_be_kept_as_it_is(book: Book) -> None:
    assert book.do(AddUser("U9", "ann", "studio", or_keep=True, at=1.0)) == Applied(user=ANN)


def test_a_key_speaks_for_its_user(book: Book) -> None:
    assert book.do(key(user="ann", role="admin")) == Applied(user=ANN)
    found = book.ask(FindKey("digest", 2.0))
    assert found == KeyHolder("K-digest", "U1", "ann", "free", "admin", login=False)


def test_a_key_for_nobody_is_refused(book: Book) -> None:
    outcome = book.do(key(user="nobody"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_found"


def test_an_unknown_key_speaks_for_nobody(book: Book) -> None:
    assert book.ask(FindKey("digest", 2.0)) == Nothing()


def test_the_same_key_may_be_added_at_every_start(book: Book) -> None:
    assert isinstance(book.do(key()), Applied)
    assert isinstance(book.do(key()), Applied)


def test_a_key_of_someone_else_or_of_another_role_is_not_taken_over(book: Book) -> None:
    book.do(key())
    for other in (key(user="U2"), key(role="admin")):
        outcome = book.do(other)
        assert isinstance(outcome, Refused)
        assert outcome.code == "ref_conflict"
    assert book.ask(FindKey("digest", 2.0)).user == "U1"


def test_many_keys_are_looked_up_at_once_each_as_if_alone(book: Book) -> None:
    book.do(key())
    book.do(key(digest="login", expires_at=100.0))
    asked = ("unknown", "login", "digest", "login")
    alone = [book.ask(FindKey(digest, 100.0)) for digest in asked]
    assert book.ask(FindKeys(asked, 99.9)).holders[1] is not None
    assert [holder or Nothing() for holder in book.ask(FindKeys(asked, 100.0)).holders] == alone


def test_a_login_ends_at_its_time(book: Book) -> None:
    book.do(key(expires_at=100.0))
    assert book.ask(FindKey("digest", 99.9)).login
    assert book.ask(FindKey("digest", 100.0)) == Nothing()


def test_a_dropped_key_is_worth_nothing_and_never_comes_back(book: Book) -> None:
    book.do(key())
    assert book.do(DropKey("digest", 3.0)) == Applied()
    assert book.ask(FindKey("digest", 4.0)) == Nothing()
    assert isinstance(book.do(key()), Refused)
    assert book.do(DropKey("digest", 5.0)) == Stale()
    assert book.do(DropKey("unknown", 5.0)) == Stale()


def test_a_banned_users_key_says_so_and_the_user_draws_nothing(book: Book) -> None:
    book.do(key())
    with book.database.writing() as connection:
        connection.execute(update(users).where(users.c.id == "U1").values(banned=True))
    assert book.ask(FindKey("digest", 2.0)) == KeyHolder("K-digest", "U1", "ann", "free", "user", False, banned=True)
    outcome = book.accept()
    assert isinstance(outcome, Refused)
    assert outcome.code == "forbidden"
