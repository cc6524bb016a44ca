"""What is counted is counted for its span and then forgotten; a quantile is right to five in a hundred."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.recent import LEAST, PRECISION, RecentCount, RecentSpread

SPAN_S, SLICES = 60.0, 12
moments = st.lists(st.floats(0, 500), max_size=80).map(sorted)


@given(moments, st.floats(0, 200))
def test_what_happened_within_the_span_is_counted_to_one_slice(times, later):
    recent = RecentCount(SPAN_S, SLICES)
    for moment in times:
        recent.add("done", moment)
    now = (times[-1] if times else 0.0) + later
    surely = sum(now - moment < SPAN_S - SPAN_S / SLICES for moment in times)
    perhaps = sum(now - moment <= SPAN_S for moment in times)
    assert surely <= recent.totals(now)["done"] <= perhaps


def test_kinds_are_counted_apart():
    recent = RecentCount(SPAN_S, SLICES)
    recent.add("done", 1.0)
    recent.add("failed", 1.0, 3)
    assert recent.totals(2.0) == {"done": 1, "failed": 3}


@given(st.lists(st.floats(LEAST * 1.1, 100_000), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_as_precise_as_it_says(values, share):
    spread = RecentSpread(SPAN_S, SLICES)
    for value in values:
        spread.add(value, 1.0)
    (found,) = spread.quantiles(1.0, share)
    exact = min(sorted(values), key=lambda value: sum(other <= value for other in values) < share * len(values))
    assert found == pytest.approx(exact, rel=PRECISION)


def test_of_nothing_there_is_no_quantile_and_nothing_is_a_value():
    spread = RecentSpread(SPAN_S, SLICES)
    assert spread.quantiles(0.0, 0.5, 0.99) == (None, None)
    spread.add(0.0, 1.0)
    assert spread.quantiles(1.0, 0.5) == (0.0,)
    assert spread.quantiles(1.0 + 2 * SPAN_S, 0.5) == (None,)
