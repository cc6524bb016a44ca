"""Ids sort by time, and nonces have Discord's form."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from core.ids import DISCORD_EPOCH_MS, new_id, new_nonce

WALLS = st.floats(1.6e9, 4e9)


@given(earlier=WALLS, later=WALLS, seed=st.integers())
def test_a_later_id_sorts_after_an_earlier_one(earlier: float, later: float, seed: int) -> None:
    dice = random.Random(seed)
    if int(earlier * 1000) < int(later * 1000):
        assert new_id("j", earlier, dice) < new_id("j", later, dice)


def test_ids_of_one_moment_differ() -> None:
    dice = random.Random(1)
    assert len({new_id("j", 1.8e9, dice) for _ in range(10_000)}) == 10_000


@given(wall=WALLS, seed=st.integers())
def test_a_nonce_is_a_snowflake_of_at_most_25_digits_that_tells_its_time(wall: float, seed: int) -> None:
    nonce = new_nonce(wall, random.Random(seed))
    assert nonce.isdigit()
    assert len(nonce) <= 25
    assert (int(nonce) >> 22) + DISCORD_EPOCH_MS == int(wall * 1000)
