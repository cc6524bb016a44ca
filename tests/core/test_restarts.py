"""A dead child is started again by OTP's rules, and a child that keeps dying is given up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.restarts import BACKOFF_S_MAX, STEADY_S, Restart, Restarts, backoff_s, is_due, next_attempt


@pytest.mark.parametrize(
    ("restart", "normal", "due"),
    [
        (Restart.PERMANENT, True, True),
        (Restart.PERMANENT, False, True),
        (Restart.TRANSIENT, True, False),
        (Restart.TRANSIENT, False, True),
        (Restart.TEMPORARY, True, False),
        (Restart.TEMPORARY, False, False),
    ],
)
def test_a_permanent_child_always_comes_back_a_transient_one_only_after_a_fault(
    restart: Restart, normal: bool, due: bool
) -> None:
    assert is_due(restart, normal) is due


def test_more_restarts_than_the_intensity_within_the_period_are_too_many() -> None:
    restarts = Restarts(intensity=3, period_s=10.0)
    for moment in (0.0, 1.0, 2.0):
        restarts = restarts.add(moment)
    assert not restarts.too_many
    assert restarts.add(9.0).too_many
    assert not restarts.add(10.5).too_many  # the first has left the window


@given(attempt=st.integers(-3, 5000), seed=st.integers())
def test_a_backoff_is_never_negative_and_never_longer_than_its_limit(attempt: int, seed: int) -> None:
    assert 0.0 <= backoff_s(attempt, random.Random(seed)) <= BACKOFF_S_MAX


def test_the_first_restart_is_at_once_and_later_ones_are_spread() -> None:
    dice = random.Random(1)
    assert backoff_s(0, dice) == 0.0
    assert len({backoff_s(8, dice) for _ in range(50)}) == 50


def test_a_steady_life_starts_the_count_anew() -> None:
    assert next_attempt(7, STEADY_S) == 0
    assert next_attempt(7, STEADY_S - 1) == 8
