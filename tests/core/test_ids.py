"""Ids sort by time, and nonces have Discord's form."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.ids import DISCORD_EPOCH_MS, first_id, new_id, new_nonce, time_of

WALLS = st.floats(1.6e9, 4e9)


@given(earlier=WALLS, later=WALLS, seed=st.integers())
def test_a_later_id_sorts_after_an_earlier_one(earlier: float, later: float, seed: int) -> None:
    dice = random.Random(seed)
    if int(earlier * 1000) < int(later * 1000):
        assert new_id("j", earlier, dice) < new_id("j", later, dice)


@given(walls=st.lists(WALLS, min_size=2, max_size=30), seed=st.integers())
def test_each_id_sorts_after_the_latest_one_however_the_clock_is_set(walls: list[float], seed: int) -> None:
    dice = random.Random(seed)
    made = [""]
    for wall in walls:
        made.append(new_id("j", wall, dice, made[-1]))
        assert time_of(made[-1]) >= int(wall * 1000) / 1000
    assert made == sorted(set(made))
    assert max(map(time_of, made)) < max(walls) + len(walls) / 1000


@given(wall=WALLS, seed=st.integers())
def test_an_id_tells_its_time_to_the_millisecond(wall: float, seed: int) -> None:
    assert time_of(new_id("j", wall, random.Random(seed))) == int(wall * 1000) / 1000


def test_a_latest_id_that_is_not_of_our_making_is_no_hindrance() -> None:
    assert time_of("zebra") == time_of("j" + "u" * 19) == 0.0
    assert len({new_id("j", 1.8e9, random.Random(seed), "zebra") for seed in range(9)}) == 9


def test_ids_of_one_moment_differ() -> None:
    dice = random.Random(1)
    assert len({new_id("j", 1.8e9, dice) for _ in range(10_000)}) == 10_000


@given(wall=WALLS, seed=st.integers())
def test_a_nonce_is_a_snowflake_of_at_most_25_digits_that_tells_its_time(wall: float, seed: int) -> None:
    nonce = new_nonce(wall, random.Random(seed))
    assert nonce.isdigit()
    assert len(nonce) <= 25
    assert (int(nonce) >> 22) + DISCORD_EPOCH_MS == int(wall * 1000)


@given(moment=WALLS, made_at=WALLS, seed=st.integers())
def test_the_first_id_of_a_moment_parts_those_made_before_it_from_the_others(
    moment: float, made_at: float, seed: int
) -> None:
    is_before = new_id("j", made_at, random.Random(seed)) < first_id("j", moment)
    assert is_before is (int(made_at * 1000) < int(moment * 1000))


@given(walls=st.lists(WALLS, min_size=2, max_size=30), seed=st.integers())
def test_each_nonce_is_greater_than_the_latest_one_and_the_answer_to_its_form_however_the_clock_is_set(
    walls: list[float], seed: int
) -> None:
    dice, made = random.Random(seed), [""]
    for wall in walls:
        made.append(new_nonce(wall, dice, made[-1]))
    numbers = [int(nonce) for nonce in made[1:]]
    assert all(later >= earlier + 2 for earlier, later in pairwise(numbers))


def test_a_day_of_nonces_made_thirty_in_a_millisecond_holds_none_twice_and_they_still_tell_their_time() -> None:
    dice, nonce, made = random.Random(1), "", set()
    for number in range(300_000):
        wall = 1.8e9 + number // 30 / 1000
        nonce = new_nonce(wall, dice, nonce)
        made.add(nonce)
        assert 0 <= (int(nonce) >> 22) + DISCORD_EPOCH_MS - int(wall * 1000) <= 1
    assert len(made) == 300_000
