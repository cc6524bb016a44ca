"""Resumable gateway sessions, and suspensions."""

from __future__ import annotations

from storage.operations import (
    Applied,
    GatewayRecord,
    Nothing,
    ReadGateway,
    ReadSuspension,
    Refused,
    SaveGateway,
    SaveSuspension,
    SuspensionRecord,
)
from tests.storage.book import Book


def test_a_session_is_kept_replaced_and_forgotten(book: Book) -> None:
    assert book.ask(ReadGateway("fox")) == Nothing()
    book.do(SaveGateway("fox", "s1", 5, "wss://resume", 1.0))
    book.do(SaveGateway("owl", "s2", 7, "wss://other", 1.0))
    assert book.ask(ReadGateway("fox")) == GatewayRecord("fox", "s1", 5, "wss://resume")
    book.do(SaveGateway("fox", "s1", 9, "wss://resume", 2.0))
    assert book.ask(ReadGateway("fox")).seq == 9
    assert book.do(SaveGateway("fox", None, None, None, 3.0)) == Applied()
    assert book.ask(ReadGateway("fox")) == Nothing()
    assert book.ask(ReadGateway("owl")).seq == 7


def test_half_a_session_is_a_mistake_of_ours(book: Book) -> None:
    assert isinstance(book.do(SaveGateway("fox", "s1", None, "wss://resume", 1.0)), Refused)
    assert book.ask(ReadGateway("fox")) == Nothing()


def test_a_suspension_is_kept_replaced_and_lifted_for_its_account_only(book: Book) -> None:
    assert book.ask(ReadSuspension("fox")) == Nothing()
    book.do(SaveSuspension("fox", "paused: Captcha", 1.0))
    book.do(SaveSuspension("owl", "by the operator", 1.0))
    assert book.ask(ReadSuspension("fox")) == SuspensionRecord("fox", "paused: Captcha", 1.0)
    book.do(SaveSuspension("fox", "paused: Warning", 2.0))
    assert book.ask(ReadSuspension("fox")) == SuspensionRecord("fox", "paused: Warning", 2.0)
    assert book.do(SaveSuspension("fox", None, 3.0)) == Applied()
    assert book.do(SaveSuspension("fox", None, 4.0)) == Applied()
    assert book.ask(ReadSuspension("fox")) == Nothing()
    assert book.ask(ReadSuspension("owl")).reason == "by the operator"
