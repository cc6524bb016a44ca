"""IDENTIFYs are rationed: one by one, well below what a day allows, and as Discord says."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.identifies import (
    DAY_S,
    IDENTIFIES_A_DAY_MAX,
    IDENTIFY_EACH_S,
    StartLimit,
    identify_wait_s,
    start_limit,
)

NOW = 1_800_000_000.0


def test_the_first_may_begin_at_once_and_the_next_after_five_seconds() -> None:
    assert identify_wait_s([], NOW, None) == 0.0
    assert identify_wait_s([NOW - 1.0], NOW, None) == pytest.approx(IDENTIFY_EACH_S - 1.0)
    assert identify_wait_s([NOW - IDENTIFY_EACH_S], NOW, None) == 0.0


def test_a_day_s_budget_is_waited_for_until_the_oldest_is_a_day_old() -> None:
    past = [NOW - 3_600.0 - count for count in range(IDENTIFIES_A_DAY_MAX)]
    assert identify_wait_s(past, NOW, None) == pytest.approx(min(past) + DAY_S - NOW)
    assert identify_wait_s(past[:-1], NOW, None) == 0.0


def test_what_discord_says_is_left_is_believed_over_our_own_count() -> None:
    assert identify_wait_s([], NOW, StartLimit(0, 7_200.0)) == 7_200.0
    assert identify_wait_s([], NOW, StartLimit(0, 0.0)) == IDENTIFY_EACH_S
    assert identify_wait_s([], NOW, StartLimit(1, 7_200.0)) == 0.0


def test_a_clock_that_was_set_back_makes_nobody_wait_for_the_time_it_told() -> None:
    assert identify_wait_s([NOW + 3_600.0], NOW, None) == 0.0


@given(st.lists(st.floats(0.0, 2 * DAY_S), max_size=2 * IDENTIFIES_A_DAY_MAX))
def test_whoever_waits_as_told_never_passes_more_than_the_budget_in_any_day(asked_after_s: list[float]) -> None:
    granted: list[float] = []
    now = NOW
    for after_s in sorted(asked_after_s):
        now = max(now, NOW + after_s)
        now += identify_wait_s(granted, now, None)
        assert identify_wait_s(granted, now, None) <= 1e-3
        granted.append(now)
    for first in range(len(granted) - IDENTIFIES_A_DAY_MAX):
        assert granted[first + IDENTIFIES_A_DAY_MAX] - granted[first] >= DAY_S - 1e-3
    assert all(after - before >= IDENTIFY_EACH_S - 1e-3 for before, after in pairwise(granted))


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ({"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}, StartLimit(999, 14_400.0)),
        ({"remaining": 0, "reset_after": 1e300}, StartLimit(0, DAY_S)),
        ({"remaining": "0"}, None),
        (None, None),
        ([], None),
    ],
)
def test_the_session_start_limit_is_read_as_far_as_it_is_one(limit: object, found: StartLimit | None) -> None:
    assert start_limit(json.dumps({"url": "wss://x", "session_start_limit": limit}).encode()) == found
    assert start_limit(b"no json") is None
