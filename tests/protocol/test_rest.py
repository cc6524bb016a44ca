"""REST requests as values, and the reading of an interaction's outcome."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import rest
from protocol.rest import Doubtful, Refused, Taken, outcome

STALE = {
    "code": 50035,
    "message": "Invalid Form Body",
    "errors": {"data": {"_errors": [{"code": rest.STALE_VERSION, "message": "stale"}]}},
}


def refusal(status: int, body: object, headers: dict[str, str] | None = None) -> Refused:
    found = outcome(status, headers or {}, json.dumps(body).encode())
    assert isinstance(found, Refused)
    return found


def test_204_is_taken() -> None:
    assert outcome(204, {}, b"") == Taken()


@pytest.mark.parametrize("status", [200, 202, 302, 408, 500, 502, 503, 504])
def test_an_answer_that_is_neither_204_nor_a_refusal_is_doubtful(status: int) -> None:
    given_up = status in (408, 504)
    assert outcome(status, {}, b'{"code": 0, "message": "x"}') == Doubtful(f"HTTP {status}", answered=not given_up)


@pytest.mark.parametrize("body", [b"", b"<html>denied</html>", b"[]", b"\xff", b"[" * 100_000])
def test_a_4xx_that_cannot_be_read_is_doubtful(body: bytes) -> None:
    assert isinstance(outcome(400, {}, body), Doubtful)


def test_no_answer_is_doubtful_but_a_connection_never_made_is_not() -> None:
    assert outcome(None, {}, b"", "timeout") == Doubtful("timeout")
    found = outcome(None, {}, b"", "refused", never_sent=True)
    assert isinstance(found, Refused)
    assert found.retry


def test_a_429_is_a_refusal_with_its_own_wait() -> None:
    assert refusal(429, {"message": "slow", "retry_after": 1.337, "global": False}).after_s == 1.337
    html = outcome(429, {"Retry-After": "7"}, b"<html>")
    assert html == Refused(None, "rate limited", retry=True, after_s=7.0, kind="rate_limited")


def test_a_stale_command_version_is_retried_after_learning_anew() -> None:
    found = refusal(400, STALE)
    assert (found.kind, found.retry, found.code) == ("stale_version", True, 50035)


def test_a_refused_token_is_the_accounts_trouble_and_a_bad_body_nobody_retries() -> None:
    assert refusal(401, {"message": "401: Unauthorized", "code": 0}).kind == "token"
    assert refusal(403, {"message": "Missing Access", "code": 50001}).kind == "account"
    asked = refusal(
        400, {"captcha_key": ["captcha-required"], "captcha_sitekey": "a9b5fb07", "captcha_service": "hcaptcha"}
    )
    assert (asked.kind, asked.retry, asked.message) == ("captcha", True, "a captcha is asked for")
    assert refusal(400, {"message": "Invalid Form Body", "code": 50035}).retry is False


@given(st.one_of(st.none(), st.integers(100, 599)), st.binary(max_size=60), st.dictionaries(st.text(), st.text()))
def test_only_a_204_is_ever_taken(status: int | None, body: bytes, headers: dict[str, str]) -> None:
    assert isinstance(outcome(status, headers, body), Taken) is (status == 204)


def test_a_request_shows_neither_token_nor_prompt() -> None:
    request = rest.post_callback("1", "interaction-token", {"content": "a prompt"})
    assert "interaction-token" not in repr(request)
    assert "a prompt" not in repr(request)


def test_authorization_is_bare_for_a_user_and_prefixed_for_a_bot() -> None:
    assert rest.authorization("T", "user")["Authorization"] == "T"
    assert rest.authorization("T", "bot")["Authorization"] == "Bot T"


def test_an_upload_slot_is_read_where_there_is_one() -> None:
    slot = rest.upload_slot(b'{"attachments": [{"id": 0, "upload_url": "https://up/1", "upload_filename": "a/b.png"}]}')
    assert slot == rest.UploadSlot("https://up/1", "a/b.png")
    assert rest.upload_slot(b'{"attachments": []}') is None


def test_a_page_of_history_is_asked_within_discords_limits() -> None:
    request = rest.get_messages("5", before="9", limit=1000)
    assert request.path == "/channels/5/messages?limit=100&before=9"
    assert request.major == "5"


def test_a_message_pings_nobody_and_is_made_once_under_its_nonce() -> None:
    request = rest.post_message("2", {"content": "@everyone, look"}, "n1")
    assert request.json["allowed_mentions"] == {"parse": []}
    assert (request.json["nonce"], request.json["enforce_nonce"]) == ("n1", True)


@pytest.mark.parametrize("kind", ["bot", "user"])
def test_every_call_says_who_calls(kind: str) -> None:
    assert re.fullmatch(r"DiscordBot \(\S+, \S+\)", rest.authorization("t", kind)["User-Agent"])
