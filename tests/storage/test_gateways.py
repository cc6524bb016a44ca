"""Resumable gateway sessions, and suspensions."""

from __future__ import annotations

import pytest

from protocol.identifies import DAY_S, IDENTIFIES_A_DAY_MAX, IDENTIFY_EACH_S
from storage.operations import (
    Applied,
    ClaimIdentify,
    GatewayRecord,
    IdentifyClaim,
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


def test_an_identify_is_counted_once_by_application_and_the_count_outlives_us(book: Book) -> None:
    def claim(application: str, at: float, remaining: int | None = None) -> float:
        found = book.do(ClaimIdentify(application, remaining, None if remaining is None else 60.0, at))
        assert isinstance(found, IdentifyClaim)
        return found.wait_s

    now = 1_800_000_000.0
    assert claim("7", now) == 0.0
    assert 0.0 < claim("7", now + 1.0) <= IDENTIFY_EACH_S
    assert claim("8", now + 1.0) == 0.0
    assert claim("7", now + 6.0) == 0.0
    for count in range(IDENTIFIES_A_DAY_MAX - 2):
        assert claim("7", now + 12.0 + 6.0 * count) == 0.0
    full = now + 12.0 + 6.0 * IDENTIFIES_A_DAY_MAX
    assert claim("7", full) == pytest.approx(now + DAY_S - full)
    assert claim("7", now + DAY_S + 1.0) == 0.0
    assert claim("9", now, remaining=0) == 60.0
