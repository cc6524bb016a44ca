"""How long the machine waits: claims about one trouble, from its first failure to a session that holds."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.gateway_backoff import BACKOFF_S_BASE, BACKOFF_S_MAX, STABLE_S, Backoff


def outage(seed: int, lasts_s: float) -> list[float]:
    """When each connection was tried, in seconds since the loss; the last try is the first after the outage."""
    backoff, rng, tried_at, now = Backoff(), random.Random(seed), [0.0], 0.0
    while now < lasts_s:
        backoff.failed(now)
        now += backoff.wait_s(now, rng)
        tried_at.append(now)
    return tried_at


@given(st.integers(0, 1 << 32), st.floats(1.0, 3_600.0))
def test_who_was_away_for_a_while_is_back_within_as_long_again_and_never_more_than_a_minute(
    seed: int, lasts_s: float
) -> None:
    back_after_s = outage(seed, lasts_s)[-1] - lasts_s
    assert back_after_s <= min(lasts_s, BACKOFF_S_MAX)


def test_an_outage_of_ten_minutes_costs_few_tries() -> None:
    tries = [len(outage(seed, 600.0)) for seed in range(100)]
    assert max(tries) < 60
    assert sum(tries) / len(tries) < 40


def test_the_first_wait_is_short_and_the_next_ones_are_drawn_from_ever_longer_spans() -> None:
    spans = []
    for number in range(1, 9):
        tries = [outage(seed, 3_600.0) for seed in range(200)]
        spans.append(max(later - at for at, later in (list(pairwise(each))[number - 1] for each in tries)))
    assert spans[0] <= BACKOFF_S_BASE
    assert spans[-1] > 10 * spans[0]
    assert max(spans) <= BACKOFF_S_MAX


@pytest.mark.parametrize(("live_s", "forgotten"), [(STABLE_S - 1, False), (STABLE_S, True)])
def test_only_a_session_that_held_makes_an_end_of_the_trouble(live_s: float, forgotten: bool) -> None:
    waits = []
    for seed in range(100):
        backoff, now = Backoff(), 0.0
        for _ in range(12):
            backoff.failed(now)
            now += 10.0
        backoff.held(live_s)
        backoff.failed(now)
        waits.append(backoff.wait_s(now, random.Random(seed)))
    assert (max(waits) <= BACKOFF_S_BASE) is forgotten
