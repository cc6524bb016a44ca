"""A place is the number of turns that come before: counted one by one or found by bisection, it is the same."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from core.places import CATCH_UP_MAX, Places

COSTS = (2, 3, 7)


@dataclass
class Plain:
    """One user's turns, as a naive account of them keeps them."""

    tag: int
    cost: int
    count: int

    def turns(self, order: int) -> list[tuple[int, int]]:
        return [(self.tag + number * self.cost, order) for number in range(self.count)]


def all_turns(users: dict[int, Plain]) -> list[tuple[int, int]]:
    return sorted(turn for order, user in users.items() for turn in user.turns(order))


CHANGES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(-3, 40), st.sampled_from(COSTS), st.integers(0, 6)), max_size=30
)


@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_places_are_counted_right_however_turns_move(changes: list[tuple[int, int, int, int]]) -> None:
    places, users = Places(), dict[int, Plain]()
    for order, tag, cost, count in changes:
        places.put(order, tag, cost, count, fixed=True)
        users[order] = Plain(tag, cost, count)
        turns = all_turns(users)
        assert len(places) == len(turns)
        for other, user in users.items():
            for before, turn in enumerate(user.turns(other)):
                assert places.place(other, before) == turns.index(turn) + 1
    turns = all_turns(users)
    assert places.place_of_new(places.turn_of_new(9, 20, 1, 0)) == 1 + sum(turn < (20, 9) for turn in turns)


def test_one_more_turn_comes_after_the_users_others() -> None:
    places = Places()
    places.put(1, 10, 2, 2)
    places.put(2, 13, 2, 1)
    places.add(1)
    assert [places.place(1, before) for before in range(3)] == [1, 2, 4]
    assert places.place_of_new(places.turn_of_new(2, 0, 1, 1)) == 5


def test_who_is_a_whole_turn_behind_is_moved_up_by_whole_turns() -> None:
    places = Places()
    places.put(1, 0, 10, 3)
    places.put(2, 95, 10, 2)
    places.catch_up(93)
    assert [places.place(1, before) for before in range(3)] == [2, 4, 5]
    places.put(1, 0, 10, 3)  # the tag itself follows only later: no way back
    assert places.place(1, 0) == 2


def test_who_is_less_than_a_turn_behind_or_was_given_a_turn_back_is_not_moved() -> None:
    places = Places()
    places.put(1, 90, 10, 1)
    places.put(2, 0, 10, 1, fixed=True)
    places.put(3, 99, 10, 1)
    places.catch_up(99)
    assert [places.place(order, 0) for order in (2, 1, 3)] == [1, 2, 3]


def test_catching_up_is_done_in_bounded_portions() -> None:
    places = Places()
    for order in range(2 * CATCH_UP_MAX):
        places.put(order, order, 1, 1)
    places.put(500, 999, 1, 1)
    places.catch_up(1_000)
    places.catch_up(1_000)
    assert places.place(500, 0) == 1


def test_a_new_turn_comes_after_those_that_are_expected_before_it() -> None:
    places = Places()
    places.put(1, 10, 10, 2)
    for order, tag, before in ((2, 10, 0), (2, 10, 1), (1, 0, 2), (3, 15, 0)):
        places.expect(places.turn_of_new(order, tag, 10, before))
    assert places.place_of_new(places.turn_of_new(4, 10, 10, 0)) == 3
    assert places.place_of_new(places.turn_of_new(2, 10, 10, 2)) == 7
    places.unexpect(places.turn_of_new(3, 15, 10, 0))
    assert places.place_of_new(places.turn_of_new(2, 10, 10, 2)) == 6
