"""Rate limits: learnt from headers, kept a bucket and major parameter, global and invalid-request guards."""

from __future__ import annotations

import json

import pytest

from protocol import buckets as limits
from protocol.buckets import Buckets, InvalidBudget
from protocol.rest import Request, get_message, get_messages, post_callback, post_interaction

READ = get_messages("1")
READ_OTHER = get_messages("2")


def headers(remaining: int, reset_after_s: float, bucket: str = "abc") -> dict[str, str]:
    return {
        "X-RateLimit-Bucket": bucket,
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": str(reset_after_s),
    }


def limited(buckets: Buckets, request: Request, retry_after_s: float, scope: str = "user", now: float = 0.0) -> None:
    body = {"message": "slow", "retry_after": retry_after_s, "global": scope == "global"}
    extra = {"X-RateLimit-Scope": scope, "X-RateLimit-Remaining": "3"}
    buckets.answered(request, 429, extra, json.dumps(body).encode(), now)


def test_a_bucket_used_up_is_waited_for_and_another_channel_is_not_held() -> None:
    buckets = Buckets()
    buckets.answered(READ, 200, headers(0, 2.5), b"[]", now=10.0)
    assert buckets.delay(READ, 10.0) == pytest.approx(2.5)
    assert buckets.delay(READ, 12.5) == 0.0
    assert buckets.delay(READ_OTHER, 10.0) == 0.0


def test_routes_with_one_bucket_hash_share_their_limit() -> None:
    buckets = Buckets()
    other = get_message("1", "5")
    buckets.answered(other, 200, headers(4, 2.0), b"{}", now=0.0)
    buckets.answered(READ, 200, headers(0, 2.0), b"[]", now=0.0)
    assert buckets.delay(other, 0.0) == pytest.approx(2.0)


def test_requests_under_way_count_before_their_answers_come() -> None:
    buckets = Buckets()
    buckets.answered(READ, 200, headers(2, 5.0), b"[]", now=0.0)
    for _ in range(2):
        assert buckets.delay(READ, 0.0) == 0.0
        buckets.began(READ, 0.0)
    assert buckets.delay(READ, 0.0) == pytest.approx(5.0)


def test_a_late_answer_does_not_give_back_what_was_used() -> None:
    buckets = Buckets()
    buckets.answered(READ, 200, headers(0, 5.0), b"[]", now=0.0)
    buckets.answered(READ, 200, headers(1, 5.0), b"[]", now=0.1)
    assert buckets.delay(READ, 0.1) > 0


def test_a_changed_bucket_hash_is_followed() -> None:
    buckets = Buckets()
    buckets.answered(READ, 200, headers(0, 50.0, bucket="old"), b"[]", now=0.0)
    buckets.answered(READ, 200, headers(3, 1.0, bucket="new"), b"[]", now=1.0)
    assert buckets.delay(READ, 1.0) == 0.0


@pytest.mark.parametrize("scope", ["user", "shared"])
def test_a_429_with_remaining_requests_is_still_waited_for(scope: str) -> None:
    buckets = Buckets()
    limited(buckets, READ, 3.25, scope)
    assert buckets.delay(READ, 0.0) == pytest.approx(3.25)
    assert buckets.delay(READ_OTHER, 0.0) == 0.0


def test_a_global_429_stops_everything_but_interaction_callbacks() -> None:
    buckets = Buckets()
    limited(buckets, READ, 4.0, "global")
    assert buckets.delay(READ_OTHER, 0.0) == pytest.approx(4.0)
    assert buckets.delay(post_interaction({"channel_id": "9"}), 0.0) == pytest.approx(4.0)
    assert buckets.delay(post_callback("1", "t", {}), 0.0) == 0.0


def test_an_html_429_comes_from_the_edge_and_stops_the_whole_address() -> None:
    budget = InvalidBudget()
    buckets, other = Buckets(budget), Buckets(budget)
    buckets.answered(READ, 429, {"Content-Type": "text/html"}, b"<html>", now=0.0)
    for request in (READ_OTHER, post_callback("1", "t", {})):
        assert buckets.delay(request, 0.0) == other.delay(request, 0.0) == limits.EDGE_RETRY_S
    assert other.delay(READ, limits.EDGE_RETRY_S) == 0.0


def test_a_global_429_stops_no_other_token() -> None:
    budget = InvalidBudget()
    buckets, other = Buckets(budget), Buckets(budget)
    limited(buckets, READ, 4.0, "global")
    assert other.delay(READ, 0.0) == 0.0


def test_one_account_is_stopped_long_before_it_stops_the_others() -> None:
    budget = InvalidBudget()
    one, other = Buckets(budget), Buckets(budget)
    for count in range(limits.ACCOUNT_INVALID_COUNT_MAX):
        one.answered(READ, 403, {}, b"{}", now=float(count))
    assert one.delay(READ, 200.0) == pytest.approx(400.0)
    assert other.delay(READ, 200.0) == 0.0


def test_the_global_rate_is_kept_without_being_told() -> None:
    buckets = Buckets()
    for _ in range(limits.GLOBAL_COUNT_MAX):
        assert buckets.delay(READ, 0.0) == 0.0
        buckets.began(READ, 0.0)
    assert buckets.delay(READ, 0.0) == pytest.approx(limits.GLOBAL_WINDOW_S)
    assert buckets.delay(READ, 1.0) == 0.0


def test_invalid_answers_stop_all_accounts_of_an_address_far_below_the_ban() -> None:
    budget = InvalidBudget()
    one, other = Buckets(budget), Buckets(budget)
    for count in range(limits.INVALID_COUNT_MAX):
        one.answered(READ, 403, {}, b"{}", now=float(count) / 100)
    assert other.delay(READ, 20.0) == pytest.approx(580.0)
    assert other.delay(READ, 600.0) == 0.0


def test_a_shared_429_is_not_an_invalid_answer() -> None:
    budget = InvalidBudget(count_max=1)
    limited(Buckets(budget), READ, 1.0, "shared")
    assert budget.delay(0.0) == 0.0


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "x", "", "1e999"])
def test_nonsense_in_headers_changes_nothing(value: str) -> None:
    buckets = Buckets()
    buckets.answered(READ, 200, {"X-RateLimit-Remaining": value, "X-RateLimit-Reset-After": value}, b"", now=0.0)
    assert buckets.delay(READ, 0.0) == 0.0
