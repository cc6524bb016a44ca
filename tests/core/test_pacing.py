"""A pace is never below one nor above the slots; it halves at trouble and comes back by little; a share is exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pacing import (
    DECREASE,
    ROUND_TRIP_S_MAX,
    SHARE_MIN,
    SHARE_MORE,
    Reading,
    Seen,
    Sluice,
    Verdict,
    next_pace,
    next_share,
    over,
    places,
    under,
)

slots = st.integers(1, 200)
counts = st.integers(0, 50)
sights = st.builds(*(Seen, counts, counts, counts, counts), st.none() | st.floats(0, 100), st.booleans())
verdicts = st.sampled_from(Verdict)


@given(st.lists(st.tuples(slots, sights), max_size=60), st.floats(-5, 500))
def test_whatever_is_seen_at_least_one_place_and_never_more_than_the_slots_are_allowed(course, pace):
    for slots_now, seen in course:
        pace, _ = next_pace(pace, slots_now, seen)
        assert 1.0 <= pace <= slots_now
        assert 1 <= places(pace, slots_now) <= slots_now


@given(slots, st.floats(1, 200), sights)
def test_a_pace_falls_only_with_a_reason_and_by_half_at_most(slots_now, pace, seen):
    pace = min(pace, slots_now)
    after, why = next_pace(pace, slots_now, seen)
    assert (after < pace) <= (why is not None)
    assert after >= pace * DECREASE
    assert (why is None) or slots_now > 1


@given(st.integers(2, 200))
def test_from_one_place_an_account_is_back_at_all_its_slots_within_forty_quiet_intervals(slots_now):
    pace, intervals = 1.0, 0
    while places(pace, slots_now) < slots_now:
        pace, why = next_pace(pace, slots_now, Seen())
        assert why is None
        intervals += 1
    assert intervals <= 40


def test_while_it_is_down_nothing_is_learned():
    assert next_pace(2.0, 5, Seen(up=False)) == (2.0, None)
    assert next_pace(4.0, 5, Seen(limited=1, up=False)) == (2.0, "1 answer of 429")


@pytest.mark.parametrize(
    ("seen", "trouble"),
    [
        (Seen(limited=3), "3 answers of 429"),
        (Seen(failed=2, done=1), "2 failures, 1 done"),
        (Seen(reconnects=2), "2 connections lost"),
        (Seen(round_trip_s=ROUND_TRIP_S_MAX + 1), "a heartbeat took 3.0 s"),
    ],
)
def test_each_trouble_says_what_it_is(seen, trouble):
    assert next_pace(8.0, 8, seen) == (4.0, trouble)


@pytest.mark.parametrize(
    "seen", [Seen(failed=1), Seen(failed=2, done=3), Seen(reconnects=1), Seen(round_trip_s=ROUND_TRIP_S_MAX)]
)
def test_what_happens_now_and_then_is_no_trouble(seen):
    assert next_pace(4.0, 8, seen)[0] > 4.0


@given(st.lists(st.lists(verdicts, max_size=4), max_size=60), st.floats(0, 1))
def test_a_share_stays_in_its_bounds_and_falls_only_with_a_reason(course, share):
    share = max(share, SHARE_MIN)
    for looks in course:
        after, why = next_share(share, [Reading(verdict, verdict) for verdict in looks])
        assert SHARE_MIN <= after <= 1.0
        assert (after < share) <= (why is not None)
        assert after >= share * DECREASE
        assert after <= share + SHARE_MORE
        share = after


def test_what_is_between_well_and_bad_changes_nothing():
    assert next_share(0.5, [Reading(Verdict.BETWEEN, "the store"), Reading(Verdict.WELL, "the loop")]) == (0.5, None)


def test_every_reason_is_told():
    readings = [Reading(Verdict.BAD, "the store is slow"), Reading(Verdict.BAD, "the loop is late")]
    assert next_share(1.0, readings) == (0.5, "the store is slow; the loop is late")


@given(st.floats(0, 1000), st.floats(0.001, 1000))
def test_the_three_verdicts_lie_in_order(value, limit):
    order = [Verdict.WELL, Verdict.BETWEEN, Verdict.BAD]
    assert order.index(over(value, limit)) <= order.index(over(value * 2 + 1, limit))
    assert order.index(under(value, limit)) >= order.index(under(value * 2 + 1, limit))
    assert over(limit, limit) is not Verdict.BAD
    assert under(limit, limit) is not Verdict.BAD


def test_a_limit_of_zero_is_none_and_of_what_was_not_seen_nothing_bad_is_known():
    assert over(1e9, 0.0) is under(0.0, 0.0) is over(None, 1.0) is under(None, 1.0) is Verdict.WELL


@given(st.floats(SHARE_MIN, 1.0), st.integers(1, 400))
def test_of_any_run_of_wishes_the_share_is_let_in_to_within_one(share, count):
    sluice = Sluice()
    sluice.share = share
    let_in = sum(sluice.lets_in() for _ in range(count))
    assert abs(let_in - share * count) <= 1.0 + 1e-6


def test_at_the_full_share_everybody_is_let_in():
    sluice = Sluice()
    assert all(sluice.lets_in() for _ in range(1000))
