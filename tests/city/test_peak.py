"""The peak in small: the same code as `make peak`, with fewer users, a shorter day, and deaths all the same."""

from __future__ import annotations

import random

import pytest

from tests.city.crowd import SWING, arrivals
from tests.city.peak import MORTALS, Size, percentiles, run, told

SMALL = Size(jobs=1_500, users=200, hours=0.15, accounts=40, draw_s=(8.0, 16.0))


def test_a_peak_in_small_loses_nothing_doubles_nothing_and_swaps_nothing():
    figures = run(SMALL)
    assert figures.broken == [], told(figures)
    assert figures.done == figures.accepted == figures.ordered == SMALL.jobs
    assert len(figures.deaths) == SMALL.deaths == len(MORTALS)
    assert 0 < figures.busy_most <= figures.places
    assert "nothing lost" in told(figures)


def test_a_day_has_all_its_orders_and_most_of_them_in_the_middle():
    day_s, jobs = 1000.0, 40_000
    found = arrivals(jobs, day_s, random.Random(3))
    assert len(found) == jobs
    assert found == sorted(found)
    assert all(0.0 <= at <= day_s for at in found)
    middle = sum(0.45 * day_s < at < 0.55 * day_s for at in found) / (0.1 * jobs)
    assert middle == pytest.approx(1 + SWING, rel=0.05)


def test_percentiles_of_nothing_are_nothing():
    assert percentiles([]) == {}
    assert percentiles([3.0, 1.0, 2.0]) == {"p50": 2.0, "p90": 3.0, "p99": 3.0, "most": 3.0}
