"""Claims about telling old stamps from young ones by a clock that is set now and then."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.horizon import Horizon

SPAN_S = 600.0
STEPS = st.lists(
    st.tuples(st.floats(0.0, 200.0), st.sampled_from((0.0, 0.0, 0.0, -3600.0, 3600.0))), min_size=1, max_size=60
)


@settings(max_examples=500, deadline=None)
@given(steps=STEPS)
def test_nothing_stamped_within_the_span_is_ever_called_old_however_the_clock_is_set(
    steps: list[tuple[float, float]],
) -> None:
    now, set_by = 0.0, 0.0
    horizon = Horizon(SPAN_S, now)
    stamps: list[tuple[float, float]] = []
    for passed, jump in steps:
        now, set_by = now + passed, set_by + jump
        wall = 1e9 + now + set_by
        horizon.note(now, wall)
        stamps.append((now, wall))
        before = horizon.before(now, wall)
        young = [stamp for made, stamp in stamps if now - made < SPAN_S]
        assert before is None or all(stamp >= before for stamp in young)


def test_with_a_clock_that_nobody_sets_what_is_older_than_the_span_and_a_tenth_is_old() -> None:
    horizon = Horizon(SPAN_S, 0.0)
    for second in range(0, 3000, 7):
        before = horizon.before(float(second), 1e9 + second)
        assert (before is None) == (second < SPAN_S)
        if before is not None:
            assert second - SPAN_S * 1.1 - 7 <= before - 1e9 <= second - SPAN_S + 7
