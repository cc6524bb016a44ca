"""Frame rates: a minute's worth at once, then an even pace; nobody's count is another's or outlasts silence."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from protocol.frame_rate import MINUTE_S, FrameRates

STEPS_S = st.lists(st.floats(0.0, 30.0), max_size=120)


@given(st.integers(1, 30), STEPS_S)
def test_in_no_time_more_is_taken_than_a_minutes_worth_and_the_even_pace(per_min: int, steps: list[float]) -> None:
    rates = FrameRates(per_min)
    taken = [now for now in accumulate(steps, initial=100.0) if rates.takes("ana", now)]
    for first, begin in enumerate(taken):
        for count, end in enumerate(taken[first:], start=1):
            assert count <= per_min * (1 + (end - begin) / MINUTE_S) + 0.001


@given(st.integers(1, 30), STEPS_S)
def test_who_sends_no_faster_than_the_even_pace_is_never_refused(per_min: int, steps: list[float]) -> None:
    rates, even_s = FrameRates(per_min), MINUTE_S / per_min
    assert all(rates.takes("ana", now) for now in accumulate((even_s + step for step in steps), initial=100.0))


def test_one_users_frames_are_not_anothers() -> None:
    rates = FrameRates(2)
    assert [rates.takes(name, 5.0) for name in ("ana", "ana", "ana", "ben")] == [True, True, False, True]


@given(st.integers(1, 30), STEPS_S)
def test_to_be_forgotten_changes_nothing_and_only_the_last_minutes_are_remembered(
    per_min: int, steps: list[float]
) -> None:
    forgetful, mindful = FrameRates(per_min), FrameRates(per_min)
    for number, now in enumerate(accumulate(steps, initial=100.0)):
        mindful._forget_at = float("inf")
        forgetful.takes(f"passer-by {number}", now)
        assert forgetful.takes("ana", now) == mindful.takes("ana", now)
    forgetful.takes("ben", 1e6)
    assert len(forgetful) == 1
