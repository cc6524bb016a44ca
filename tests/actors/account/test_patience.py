"""How long an account leaves those alone who say that it asks too often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from actors.account.patience import BEYOND_S_MAX, WAIT_S_MIN, Patience


def test_each_refusal_after_a_wait_doubles_the_next_up_to_a_bound_and_what_is_taken_ends_it() -> None:
    patience, now, waits = Patience(), 100.0, []
    for _ in range(7):
        waits.append(patience.refused(1.5, now, now + 0.1))
        now += 0.1 + waits[-1]
    assert waits == [1.5, 3.0, 6.0, 12.0, 16.5, 16.5, 16.5]
    patience.taken(now)
    assert patience.refused(1.5, now, now) == 1.5


def test_a_burst_that_is_refused_is_one_refusal() -> None:
    patience = Patience()
    assert [patience.refused(2.0, asked_at, 10.0) for asked_at in (9.0, 9.1, 9.2)] == [2.0, 2.0, 2.0]


def test_what_was_asked_before_the_limit_came_does_not_end_it() -> None:
    patience = Patience()
    patience.refused(2.0, 9.0, 10.0)
    patience.taken(8.0)
    assert patience.refused(2.0, 12.0, 12.0) == 4.0


@given(some.lists(some.floats(0.0, 86_400.0), min_size=1, max_size=50))
def test_a_wait_is_never_shorter_than_told_nor_much_longer(told: list[float]) -> None:
    patience, now = Patience(), 0.0
    for told_s in told:
        wait_s = patience.refused(told_s, now, now)
        assert max(told_s, WAIT_S_MIN) <= wait_s <= max(told_s, WAIT_S_MIN) + BEYOND_S_MAX
        now += wait_s
