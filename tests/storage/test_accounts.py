"""Added accounts and the slots that operators set: kept, replaced, forgotten, and the tokens sealed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from core.config import AccountConfig, Secret
from core.secret import key_bytes
from storage.added import (
    AddAccount,
    AddedAccount,
    AddedAccounts,
    DropAccount,
    ReadAccounts,
    ReadSlots,
    SaveSlots,
    SlotsRecord,
)
from storage.operations import (
    Applied,
    Nothing,
    ReadGateway,
    ReadSuspension,
    Refused,
    SaveGateway,
    SaveSuspension,
    Stale,
)
from storage.sealed import Seal, WrongKey, without_token
from tests.storage.book import Book

FOX, OWL = AddedAccount("fox", "{}", b"sealed"), AddedAccount("owl", '{"slots":3}', b"\x00\xff")
ACCOUNT = AccountConfig("fox", Secret("a token"), "1", "2", modes=("turbo",), slots=7)


def test_accounts_are_kept_in_the_order_of_their_coming_and_a_name_is_taken_once(book: Book) -> None:
    assert book.ask(ReadAccounts()) == AddedAccounts(())
    assert book.do(AddAccount(OWL, 1.0)) == Applied()
    assert book.do(AddAccount(FOX, 2.0)) == Applied()
    taken = book.do(AddAccount(structs.replace(OWL, token=b"another"), 3.0))
    assert isinstance(taken, Refused)
    assert taken.code == "ref_conflict"
    assert book.ask(ReadAccounts()) == AddedAccounts((OWL, FOX))


def test_of_an_account_that_is_dropped_nothing_is_left_and_of_others_all(book: Book) -> None:
    for account in (FOX, OWL):
        book.do(AddAccount(account, 1.0))
        book.do(SaveSlots(account.name, 9, 1.0))
        book.do(SaveSuspension(account.name, "being removed", 1.0, "leaving"))
        book.do(SaveGateway(account.name, "s1", 5, "wss://resume", 1.0))
    assert book.do(DropAccount("fox")) == Applied()
    assert book.do(DropAccount("fox")) == Stale()
    assert book.ask(ReadAccounts()) == AddedAccounts((OWL,))
    for read in (ReadSlots, ReadSuspension, ReadGateway):
        assert book.ask(read("fox")) == Nothing()
        assert book.ask(read("owl")) != Nothing()


def test_of_an_account_that_was_not_added_nothing_is_dropped(book: Book) -> None:
    book.do(SaveSuspension("fox", "by the operator", 1.0))
    assert book.do(DropAccount("fox")) == Stale()
    assert book.ask(ReadSuspension("fox")) != Nothing()


def test_slots_are_kept_replaced_and_given_back_to_the_config(book: Book) -> None:
    assert book.ask(ReadSlots("fox")) == Nothing()
    for slots in (5, 7):
        book.do(SaveSlots("fox", slots, 1.0))
        assert book.ask(ReadSlots("fox")) == SlotsRecord("fox", slots)
    assert book.do(SaveSlots("fox", None, 2.0)) == Applied()
    assert book.do(SaveSlots("fox", None, 3.0)) == Applied()
    assert book.ask(ReadSlots("fox")) == Nothing()


# --- sealed -----------------------------------------------------------------------------------------------------


@given(some.text(some.characters(codec="ascii"), max_size=200), some.binary(min_size=32, max_size=64))
def test_what_is_sealed_is_opened_with_the_same_key(token: str, key: bytes) -> None:
    account = structs.replace(ACCOUNT, token=Secret(token))
    stored = Seal(key).close(account)
    assert Seal(key).open(stored).reveal() == token
    assert without_token(stored) == structs.replace(account, token=Secret(""))


def test_what_is_sealed_shows_nothing_and_looks_different_each_time() -> None:
    seal = Seal(b"k" * 32)
    first, second = seal.close(ACCOUNT), seal.close(ACCOUNT)
    assert b"a token" not in first.token
    assert "a token" not in repr(first)
    assert first.token != second.token


@pytest.mark.parametrize(
    "change",
    [
        {"token": b""},
        {"token": b"short"},
        {"settings": '{"name":"fox","url":"https://elsewhere"}'},
    ],
)
def test_what_was_changed_in_the_database_is_not_opened(change: dict[str, object]) -> None:
    """Else a token could be had sent to another address, or to another account's channel."""
    seal = Seal(b"k" * 32)
    stored = seal.close(ACCOUNT)
    with pytest.raises(WrongKey):
        seal.open(structs.replace(stored, **change))
    flipped = bytes([*stored.token[:-1], stored.token[-1] ^ 1])
    with pytest.raises(WrongKey):
        seal.open(structs.replace(stored, token=flipped))


def test_another_key_opens_nothing() -> None:
    with pytest.raises(WrongKey, match="fox"):
        Seal(b"l" * 32).open(Seal(b"k" * 32).close(ACCOUNT))


# --- the key ----------------------------------------------------------------------------------------------------


def test_a_key_is_32_bytes_or_more_in_either_base64() -> None:
    assert key_bytes(Secret("-_" * 21 + "8=")) == key_bytes(Secret("+/" * 21 + "8"))
    assert len(key_bytes(Secret("A" * 43))) == 32


@pytest.mark.parametrize("key", ["", "A" * 42, "spaces are none", "!" * 44, "ä" * 44])
def test_what_is_no_key_is_refused_by_what_to_do_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="openssl rand") as refused:
        key_bytes(Secret(key))
    assert not key or key not in str(refused.value)
