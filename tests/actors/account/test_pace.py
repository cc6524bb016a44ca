"""An account holds no more than its pace allows, and goes on where it was when the Monitor is another."""

from __future__ import annotations

import asyncio

from actors.monitor.messages import SetPace
from tests.actors.account.test_pause import is_in_work
from tests.actors.calm import Calm, live

SLOTS = 3


def held(town: Calm) -> int:
    return sum(row.outcome == "accepted" for row in town.discord.ledger)


async def peak(town: Calm, seconds: float) -> int:
    """The most that Discord drew at once in this time."""
    most = 0
    for _ in range(int(seconds * 10)):
        most = max(most, held(town))
        await asyncio.sleep(0.1)
    return most


def test_a_pace_holds_an_account_below_its_slots_until_it_is_told_of_more() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.base.tell("account/fox", SetPace("fox", 1))
        for _ in range(6):
            town.order()
        assert await peak(town, 20.0) == 1
        town.base.tell("account/fox", SetPace("fox", SLOTS))
        assert await peak(town, 20.0) == SLOTS
        await town.all_ended()
        assert town.actor("account/fox").places == SLOTS

    # Its own looks are far apart: nothing here is the Monitor's doing.
    live(scene, slots=SLOTS)


def test_a_slower_pace_takes_no_drawing_back_that_is_under_way() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        for _ in range(SLOTS):
            town.order()
        await town.until(lambda: held(town) == SLOTS)
        town.base.tell("account/fox", SetPace("fox", 1))
        await town.all_ended()
        assert [(row.outcome) for row in town.discord.ledger] == ["done"] * SLOTS

    live(scene, slots=SLOTS)


def test_a_new_monitor_takes_an_account_on_at_its_pace_and_brings_it_back_to_all_its_slots() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["rate_limited"] = 1.0
        town.order()
        await town.until(lambda: town.actor("account/fox").places == 1)
        town.weather.chance["rate_limited"] = 0.0
        town.strike("monitor")
        await asyncio.sleep(1.0)
        assert town.actor("monitor").watch.places("fox") == 1
        await town.until(lambda: town.actor("account/fox").places == SLOTS)
        assert town.actor("monitor").watch.places("fox") == SLOTS

    live(scene, slots=SLOTS)


def test_an_account_that_was_restarted_hears_its_pace_again() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["rate_limited"] = 1.0
        town.order()
        await town.until(lambda: town.actor("account/fox").places == 1)
        town.strike("account/fox")
        await town.until(lambda: town.actor("account/fox").places == SLOTS)
        await town.until(lambda: town.actor("account/fox").places == 1)

    live(scene, slots=SLOTS)


def test_the_round_trip_of_heartbeats_is_known() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        tallies = town.actor("monitor").tallies
        await town.until(lambda: tallies.account("fox").round_trip_s is not None)
        assert 0.0 <= tallies.account("fox").round_trip_s < 1.0

    live(scene)
