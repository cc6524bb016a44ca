"""What an image API answers is a picture, a refusal with whose matter it is, or a doubt: never two drawings."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from protocol.openai import (
    BUSY_S,
    BUSY_S_MAX,
    BUSY_S_MIN,
    Doubtful,
    Painted,
    Refused,
    get_models,
    outcome,
    post_generation,
    prompt_for,
)

BASE = "http://127.0.0.1:9000/v1"
PNG = b"\x89PNG\r\n\x1a\n..."


def error(**told: Any) -> bytes:
    return json.dumps({"error": told}).encode()


def refused(status: int, headers: dict[str, str] | None = None, **told: Any) -> Refused:
    found = outcome(status, headers or {}, error(**told))
    assert isinstance(found, Refused), found
    return found


def test_one_picture_is_asked_for_with_the_token_as_bearer_and_neither_shows() -> None:
    call = post_generation(f"{BASE}/", "hush", "painter-1", "a fox", "1024x1024", "77")
    assert (call.method, call.url) == ("POST", f"{BASE}/images/generations")
    assert json.loads(call.body or b"") == {"model": "painter-1", "prompt": "a fox", "n": 1, "size": "1024x1024"}
    assert (call.headers["Authorization"], call.headers["Idempotency-Key"]) == ("Bearer hush", "77")
    assert "hush" not in repr(call)
    assert "fox" not in repr(call)


def test_a_server_without_tokens_is_sent_none_and_without_a_size_chooses_its_own() -> None:
    call = post_generation(BASE, "", "painter-1", "a fox", "", "77")
    assert "Authorization" not in call.headers
    assert "size" not in json.loads(call.body or b"")
    assert (get_models(BASE, "").method, get_models(BASE, "").url) == ("GET", f"{BASE}/models")


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("a fox --ar 3:2 --v 7", "a fox"),
        ("a fox — in the snow —ar 3:2", "a fox — in the snow"),
        ("well-known -- twice", "well-known -- twice"),
        ("--tile", "--tile"),
    ],
)
def test_the_drawing_bots_flags_are_left_out_and_nothing_else(prompt: str, sent: str) -> None:
    assert prompt_for(prompt) == sent


def test_a_picture_comes_as_bytes_or_as_an_address() -> None:
    inside = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(PNG).decode(), "url": None}]})
    assert outcome(200, {}, inside.encode()) == Painted(PNG, None)
    address = json.dumps({"data": [{"url": "https://pictures.example/1.png", "revised_prompt": "a red fox"}]})
    assert outcome(200, {}, address.encode()) == Painted(None, "https://pictures.example/1.png")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b'{"data": []}', b'{"data": [{}]}', b'{"data": [{"url": "file:///etc/passwd"}]}',
     b'{"data": [{"b64_json": "***"}]}', b'{"data": 3}'],
)  # fmt: skip
def test_a_success_without_a_picture_is_a_failure_that_nobody_repeats(body: bytes) -> None:
    found = outcome(200, {}, body)
    assert isinstance(found, Refused)
    assert found.kind == "other"


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (400, {"code": "content_policy_violation", "message": "no"}, "prompt"),
        (400, {"code": "moderation_blocked", "type": "image_generation_user_error"}, "prompt"),
        (403, {"code": "content_filter"}, "prompt"),
        (400, {"param": "prompt", "message": "too long"}, "input"),
        (400, {"param": "size", "message": "no such size"}, "other"),
        (400, {"code": "billing_hard_limit_reached"}, "credits"),
        (402, {}, "credits"),
        (429, {"code": "insufficient_quota"}, "credits"),
        (429, {"code": "rate_limit_exceeded"}, "busy"),
        (401, {"code": "invalid_api_key"}, "token"),
        (403, {"message": "not verified"}, "rights"),
        (404, {"code": "model_not_found"}, "setup"),
        (400, {"code": "model_not_found"}, "setup"),
        (422, {}, "other"),
        (301, {}, "setup"),
        (308, {}, "setup"),
    ],
)
def test_a_refusal_says_whose_matter_it_is(status: int, told: dict[str, str], kind: str) -> None:
    assert refused(status, **told).kind == kind


@pytest.mark.parametrize("status", [100, 204, 303, 408, 500, 502, 503, 504, 520])
def test_what_may_have_been_drawn_is_in_doubt(status: int) -> None:
    assert isinstance(outcome(status, {}, b"{}"), Doubtful)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("3", 3.0),
        ("0", BUSY_S_MIN),
        ("-1", BUSY_S_MIN),
        ("1e9", BUSY_S_MAX),
        ("nan", BUSY_S),
        ("soon", BUSY_S),
        ("", BUSY_S),
    ],
)
def test_a_busy_server_is_left_alone_for_as_long_as_it_says_within_bounds(told: str, seconds: float) -> None:
    assert refused(429, {"retry-after": told}).after_s == seconds


KEYS = some.sampled_from(["error", "data", "b64_json", "url", "message", "code", "type", "param"])
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(some.integers(100, 599), some.binary(max_size=200) | JSON.map(lambda found: json.dumps(found).encode()))
def test_any_answer_at_all_is_one_of_the_three(status: int, body: bytes) -> None:
    found = outcome(status, {}, body)
    assert isinstance(found, Painted | Refused | Doubtful)
    if isinstance(found, Refused):
        assert "\n" not in found.message
        assert 0 <= found.after_s <= BUSY_S_MAX
