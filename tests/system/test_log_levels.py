"""Who is heard from which level on."""

from __future__ import annotations

import logging

import pytest

from system.log_levels import ACTORS_MAX, LogLevels

FOX = "account/fox-07"


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def levels(clock):
    return LogLevels(now=lambda: clock[0])


def test_as_long_as_nobody_asks_everybody_says_what_is_usual(levels):
    assert levels.wants(FOX, logging.INFO)
    assert not levels.wants(FOX, logging.DEBUG)
    assert not levels.wants(None, logging.DEBUG)


def test_one_actor_says_more_until_its_time_is_over_and_the_others_do_not(levels, clock):
    assert levels.set(FOX, "debug", until=300.0)
    clock[0] = 299.9
    assert levels.wants(FOX, logging.DEBUG)
    assert not levels.wants("queue", logging.DEBUG)
    clock[0] = 300.0
    assert not levels.wants(FOX, logging.DEBUG)
    assert levels.wants(FOX, logging.INFO)


def test_one_actor_may_also_be_told_to_say_less(levels):
    levels.set(FOX, "error", until=300.0)
    assert not levels.wants(FOX, logging.WARNING)
    assert levels.wants(FOX, logging.ERROR)
    assert levels.wants("queue", logging.INFO)


def test_the_same_level_once_more_is_no_change_but_goes_on_for_longer(levels, clock):
    assert levels.set(FOX, "debug", until=300.0)
    assert not levels.set(FOX, "debug", until=600.0)
    clock[0] = 599.0
    assert levels.wants(FOX, logging.DEBUG)
    clock[0] = 601.0
    assert levels.set(FOX, "debug", until=900.0), "it was over, so this is a change"


def test_a_level_that_is_none_is_refused_and_nothing_changes(levels):
    with pytest.raises(KeyError):
        levels.set(FOX, "loud", until=300.0)
    assert levels.level_of(FOX) == logging.INFO


def test_actors_with_a_level_of_their_own_are_bounded_and_the_one_that_ends_first_gives_way(levels):
    for number in range(ACTORS_MAX + 1):
        levels.set(f"session/U{number}", "debug", until=1000.0 + number)
    heard = [number for number in range(ACTORS_MAX + 1) if levels.wants(f"session/U{number}", logging.DEBUG)]
    assert heard == list(range(1, ACTORS_MAX + 1))
