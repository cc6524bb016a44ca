"""The table of a job's life is closed, ends, and never submits twice by accident."""

from __future__ import annotations

import itertools

from core.job import NEXT, TERMINAL, WITH_THE_BOT, State, charge_of, may_move


def test_every_state_is_reached_from_queued_and_every_path_can_end() -> None:
    reached = {State.QUEUED}
    while new := {after for before in reached for after in NEXT.get(before, ())} - reached:
        reached |= new
    assert reached == set(State)
    for state in NEXT:
        ends = {state}
        while new := {after for before in ends for after in NEXT.get(before, ())} - ends:
            ends |= new
        assert ends & TERMINAL


def test_a_terminal_state_is_never_left() -> None:
    for before, after in itertools.product(TERMINAL, State):
        assert not may_move(before, after)


def test_what_may_be_with_the_bot_is_submitted_again_only_by_way_of_the_queue() -> None:
    for state in WITH_THE_BOT - {State.SUBMITTING}:
        assert not may_move(state, State.SUBMITTING)
        assert not may_move(state, State.GRANTED)
    assert not may_move(State.DRAWING, State.QUEUED)
    assert not may_move(State.KEEPING, State.QUEUED)


def test_only_words_are_free() -> None:
    assert [charge_of(kind) for kind in ("imagine", "act", "blend", "describe", "shorten")] == [1, 1, 1, 0, 0]
    assert [charge_of("act", action) for action in ("upscale", "vary_region", "seed")] == [1, 1, 0]
