"""The small instruments behind the console's numbers."""

from hypothesis import given
from hypothesis import strategies as st

from system.stats import LAG_WINDOW_S, BoundedTable, LagMeter


@given(st.lists(st.tuples(st.text(max_size=2), st.integers())), st.integers(1, 8))
def test_a_bounded_table_keeps_the_keys_written_last(writes: list[tuple[str, int]], length_max: int) -> None:
    table: BoundedTable[int] = BoundedTable(length_max)
    for key, value in writes:
        table.put(key, value)
    latest = list(dict.fromkeys(key for key, _ in reversed(writes)))[:length_max]
    assert set(table.snapshot()) == set(latest)
    assert all(table.get(key) == dict(writes)[key] for key in latest)


def test_the_lag_is_the_worst_of_the_last_seconds_and_fades() -> None:
    lag = LagMeter()
    lag.sample(100.0, 0.3)
    lag.sample(101.0, 0.1)
    assert lag.worst(101.0) == 0.3
    assert lag.worst(100.0 + LAG_WINDOW_S + 1) == 0.3
    assert lag.worst(100.0 + 4 * LAG_WINDOW_S) == 0.0
