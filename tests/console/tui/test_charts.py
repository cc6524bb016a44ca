"""Charts and what they are drawn from: the newest at the right, holes where nobody answered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.tui.history import SAMPLES_MAX, STEP_S, History, Series
from console.tui.words import chart, spark

values = st.lists(st.none() | st.floats(0, 1e6), max_size=40)


def series(*samples: tuple[float, float]) -> Series:
    made = Series()
    for at, value in samples:
        made.add(value, at)
    return made


def test_of_the_looks_within_a_step_the_last_one_counts():
    assert series((0.0, 1), (1.0, 2), (2.0, 3)).last(9) == [2, 3]


def test_a_late_look_leaves_no_hole_and_a_daemon_that_was_away_does():
    assert series((0, 1), (6, 4)).last(9) == [1, 1, 1, 4]
    assert series((0, 1), (20, 4)).last(4) == [None, None, None, 4]


def test_what_is_no_number_is_no_sample_and_history_is_bounded():
    history = History()
    history.add({"jobs": {"per_s": None, "queued": True}, "wait": None}, 0.0)
    assert history.per_s.last(5) == history.queued.last(5) == history.wait.last(5) == []
    long = series(*((STEP_S * step, step) for step in range(SAMPLES_MAX + 50)))
    assert len(long.last(10_000)) == SAMPLES_MAX
    assert long.last(2) == [SAMPLES_MAX + 48, SAMPLES_MAX + 49]


def test_a_clock_that_goes_back_overwrites_and_breaks_nothing():
    assert series((10, 1), (4, 2)).last(3) == [2]


def test_a_chart_is_filled_by_its_most_and_tells_nothing_from_not_known():
    assert chart([0, 1, 4, 8, 1000], 6, 2) == ["     █", " ▁▁▁▁█"]
    assert chart([None, 2, None, 4], 4, 1) == [" ▄ █"]
    assert spark([None, 1, 2], 8) == " ▄▇"


@given(values, st.integers(1, 60), st.integers(1, 12))
def test_a_chart_is_as_wide_and_high_as_it_may_be(given_values, width, height):
    rows = chart(given_values, width, height)
    assert [len(row) for row in rows] == [width] * height
    assert len(spark(given_values, width)) == min(width, len(given_values))
