"""Jain's index says how equal shares are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jain import jain

SHARES = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=50)


def test_equal_shares_are_fair_and_one_who_has_all_is_not() -> None:
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([9.0, 0.0, 0.0]) == pytest.approx(1 / 3)


def test_where_nothing_was_shared_nothing_was_unfair() -> None:
    assert jain([]) == 1.0
    assert jain([0.0, 0.0]) == 1.0


@given(SHARES)
def test_it_is_between_one_share_in_n_and_one(shares: list[float]) -> None:
    assert 1 / len(shares) - 1e-9 <= jain(shares) <= 1 + 1e-9


@given(SHARES, st.floats(0.5, 100.0))
def test_it_does_not_depend_on_the_unit(shares: list[float], unit: float) -> None:
    assert jain(share * unit for share in shares) == pytest.approx(jain(shares))
