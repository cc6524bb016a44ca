"""One user floods ten thousand jobs, ninety-nine send five each: the light ones hardly notice."""

from __future__ import annotations

import heapq
import random
from collections import Counter

import pytest

from core.fairness import FairQueue, Waiting
from core.jain import jain

SLOTS = 300
DRAWING_S = 60.0
LIGHT = [f"light-{number:02}" for number in range(99)]
CAME_AT = 30.0
NO_LIMIT = 100_000


def played(flood: int, concurrent: int, seed: int) -> tuple[dict[str, float], list[Counter[str]]]:
    """How long each light user waited until the last of their jobs began, and how many each had begun, time by time.

    The light ones come when the flood has filled every slot.
    """
    dice = random.Random(seed)
    queue = FairQueue()
    coming = [(0.0, f"flood-{number}", "flood") for number in range(flood)]
    coming += [(CAME_AT, f"{user}-{number}", user) for user in LIGHT for number in range(5)]
    running: list[tuple[float, str]] = []
    waited: dict[str, float] = {}
    begun = [Counter[str]()]
    while any(begun[-1][user] < 5 for user in LIGHT):
        now = min(events[0][0] for events in (coming, running) if events)
        while running and running[0][0] <= now:
            queue.ended(heapq.heappop(running)[1])
        while coming and coming[0][0] <= now:
            _, job, user = heapq.heappop(coming)
            queue.add(Waiting(job, user, "fast"), weight=1.0, concurrent=concurrent)
        counts = begun[-1].copy()
        while len(running) < SLOTS and (taken := queue.take("fox", ("fast",))) is not None:
            heapq.heappush(running, (now + DRAWING_S * dice.uniform(0.5, 1.5), taken.user))
            waited[taken.user] = now - CAME_AT
            counts[taken.user] += 1
        begun.append(counts)
    return waited, begun


@pytest.mark.parametrize("concurrent", [3, NO_LIMIT])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_flood_at_most_doubles_a_light_users_wait_plus_one_drawing(concurrent: int, seed: int) -> None:
    calm, _ = played(0, concurrent, seed)
    flooded, begun = played(10_000, concurrent, seed)
    assert begun[-1]["flood"] >= 3
    for user in LIGHT:
        assert flooded[user] <= 2 * calm[user] + DRAWING_S


def test_equal_users_get_equal_shares_though_one_has_ten_thousand_jobs() -> None:
    queue = FairQueue()
    for user, count in ({"flood": 10_000} | dict.fromkeys(LIGHT, 60)).items():
        for number in range(count):
            queue.add(Waiting(f"{user}-{number}", user, "fast"), weight=1.0, concurrent=NO_LIMIT)
    queue.look_anew()
    for _ in range(5_050):
        queue.take("fox", ("fast",))
    assert len(queue.shares()) == 100
    assert jain(queue.shares()) >= 0.99


def test_shares_are_of_those_who_could_have_begun_more_all_the_time() -> None:
    queue = FairQueue()
    for user, jobs, concurrent in (("flood", 50, NO_LIMIT), ("heavy", 50, NO_LIMIT), ("done", 2, 9), ("limit", 9, 2)):
        for number in range(jobs):
            queue.add(Waiting(f"{user}-{number}", user, "fast"), weight=1.0 + (user == "heavy"), concurrent=concurrent)
    queue.look_anew()
    for _ in range(34):
        queue.take("fox", ("fast",))
    assert queue.shares() == [10.0, 10.0]
    queue.look_anew()
    assert queue.shares() == [0.0, 0.0]
