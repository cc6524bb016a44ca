"""A picture is charged to the user's own day, which ends at the plan's local midnight."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.quota import SET_BACK_S_MAX, day_of, never_before, resets_at

ZONES = st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"))


def at(zone: str, *moment: int) -> float:
    return datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp()


def test_the_day_is_the_local_one() -> None:
    moment = at("Europe/Berlin", 2026, 11, 24, 0, 30)
    assert day_of(moment, "Europe/Berlin") == "2026-11-24"
    assert day_of(moment, "UTC") == "2026-11-23"


def test_a_day_of_25_hours_resets_at_its_own_midnight() -> None:
    morning = at("Europe/Berlin", 2026, 10, 25, 1, 0)
    assert resets_at(morning, "Europe/Berlin") == at("Europe/Berlin", 2026, 10, 26)
    assert resets_at(morning, "Europe/Berlin") - morning == 24 * 3600


@given(wall=st.floats(1.6e9, 2.2e9), zone=ZONES)
def test_the_next_day_begins_at_the_reset_and_not_before(wall: float, zone: str) -> None:
    reset = resets_at(wall, zone)
    assert wall < reset <= wall + 25.1 * 3600
    assert day_of(reset - 0.001, zone) == day_of(wall, zone)
    assert day_of(reset, zone) > day_of(wall, zone)


def test_a_clock_set_back_a_little_changes_no_day_and_one_that_was_far_ahead_is_believed_again() -> None:
    just_after, just_before = 1_800_000_000.0, 1_800_000_000.0 - 3600.0
    assert never_before(just_after, just_before) == just_after
    assert never_before(just_before, just_after) == just_after
    assert never_before(just_after + SET_BACK_S_MAX + 1.0, just_after) == just_after
