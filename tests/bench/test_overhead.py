"""What the measurement of watching makes of what it saw."""

from __future__ import annotations

import random
from datetime import timedelta
from statistics import median
from types import SimpleNamespace

import pytest
from thespian.actors import WakeupMessage

from actors.monitor.actor import Monitor, Sample
from actors.monitor.messages import Observed
from bench.overhead.__main__ import Block, answers_told, overhead_told
from bench.overhead.paired import difference, order, quantile, value_at
from bench.overhead.switched import HEEDFUL, Deaf, watch


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == expected


def test_a_counter_is_read_between_its_readings_on_a_straight_line() -> None:
    points = [(10.0, 0.0), (11.0, 4.0), (13.0, 6.0)]
    assert [value_at(points, at) for at in (9.0, 10.0, 10.5, 12.0, 13.0, 99.0)] == [0.0, 0.0, 2.0, 5.0, 6.0, 6.0]


def test_a_difference_is_found_though_the_machine_drifts_by_far_more() -> None:
    dice, pairs = random.Random(3), []
    for number in range(27):
        speed = 500.0 - 10.0 * number + (200.0 if number == 13 else 0.0)
        pairs.append((0.98 * speed * dice.gauss(1.0, 0.02), speed * dice.gauss(1.0, 0.02)))
    found = difference(pairs)
    assert found.low < -0.02 < found.high
    assert found.high - found.low < 0.03


def test_the_interval_holds_the_truth_19_times_of_20() -> None:
    dice = random.Random(5)
    held = 0
    for _ in range(400):
        found = difference([(dice.gauss(97.0, 3.0), dice.gauss(100.0, 3.0)) for _ in range(20)])
        held += found.low <= -0.03 <= found.high
    assert held == pytest.approx(380, abs=15)


def test_one_bad_pair_moves_it_hardly() -> None:
    good = [(98.0 + number % 3 - 1, 100.0) for number in range(15)]
    assert difference([*good, (1.0, 100.0)]).estimate == pytest.approx(difference(good).estimate, abs=0.006)


def test_each_pair_has_both_and_neither_is_always_first() -> None:
    assert order(3) == (True, False, False, True, True, False)


@pytest.mark.parametrize(("watched", "expected"), [(99.0, "shown"), (98.0, "neither"), (90.0, "not so")])
def test_the_verdict_is_that_of_the_interval(watched: float, expected: str) -> None:
    dice = random.Random(1)
    blocks = [
        Block(is_on, (watched if is_on else 100.0) + dice.gauss(0.0, 1.5), 2.06 if is_on else 2.0)
        for is_on in order(20)
    ]
    text, is_shown = overhead_told(blocks)
    assert expected in text.splitlines()[-1]
    assert is_shown is (expected == "shown")
    assert "+3.00% (+3.00% to +3.00%)" in text


def test_answers_are_told_by_question_and_held_against_200_ms() -> None:
    slow = [*(float(number) for number in range(1, 99)), 300.0, 400.0]
    text, is_met = answers_told({"status": slow})
    assert "| `status` | 100 | 50 | 300 | 400 | 98.0% |" in text
    assert not is_met
    assert answers_told({"status": [median(slow)]})[1]


def test_who_is_not_watched_counts_nothing_and_hears_who_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    heeded: list[object] = []
    monkeypatch.setattr("bench.overhead.switched.HEEDFUL", lambda monitor, message, sender: heeded.append(message))
    again: list[object] = []
    monitor = SimpleNamespace(interval_s=5.0, after=lambda seconds, message: again.append((seconds, message)))
    is_up = Observed("limner_account_up", 1.0, ("fox",))
    for message in (Observed("limner_queue_depth", 3.0), is_up, WakeupMessage(timedelta(seconds=5), Sample())):
        Deaf.receiveMessage(monitor, message, None)  # type: ignore[arg-type]
    assert heeded == [is_up]
    assert again == [(5.0, Sample())]


def test_the_switch_gives_the_monitor_its_ears_back() -> None:
    watch(False)
    assert Monitor.receiveMessage is Deaf.receiveMessage
    watch(True)
    assert Monitor.receiveMessage is HEEDFUL
