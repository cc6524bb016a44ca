"""A suspended account stays so whatever dies, until the operator says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from actors.account_messages import Reinstate, Suspend
from storage.operations import Found, Nothing, ReadSuspension, SaveSuspension, SuspensionRecord
from tests.actors.calm import Calm, live
from tests.actors.test_account_resume import a_deaf_store

WORDS = "by the operator"
#: Longer than an account needs to come up and take what waits.
LONG_S = 30.0


def stored(town: Calm) -> Found:
    return town.ask(ReadSuspension("fox"))


async def is_in_work(town: Calm) -> None:
    await town.until(lambda: "account/fox" in town.base.names and town.actor("account/fox").told is None)


def kill(town: Calm) -> None:
    town.kill()
    town.start()


def strike(town: Calm) -> None:
    town.strike("account/fox")


async def by_the_operator(town: Calm) -> None:
    town.base.tell("account/fox", Suspend("fox", WORDS))
    await town.until(lambda: stored(town) != Nothing())
    town.order()
    await town.reach("queued")


async def by_a_notice(town: Calm) -> None:
    town.weather.chance["credits_exhausted"] = 1.0
    town.order()
    await town.until(lambda: stored(town) != Nothing())
    town.weather.chance["credits_exhausted"] = 0.0
    await town.reach("queued")


@pytest.mark.parametrize("death", [kill, strike])
@pytest.mark.parametrize("suspension", [by_the_operator, by_a_notice])
def test_a_suspended_account_gets_no_work_after_a_death_until_it_is_reinstated_for_good(
    suspension: Callable[[Calm], asyncio.Future[None]], death: Callable[[Calm], None]
) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        await suspension(town)
        sent = len(town.discord.ledger)
        death(town)
        await asyncio.sleep(LONG_S)
        await town.reach("queued", limit_s=0.1)
        assert len(town.discord.ledger) == sent
        record = stored(town)
        assert isinstance(record, SuspensionRecord)
        assert town.actor("account/fox").told == record.reason
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done")
        assert stored(town) == Nothing()
        death(town)
        await is_in_work(town)
        town.order()
        await town.reach("done", "done")

    live(scene)


def test_an_account_that_discord_turned_away_knocks_again_at_a_restart_as_its_token_may_be_another_one() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.discord.gateway.locked["fox"] = 4004
        (wire,) = town.discord.gateway.live
        wire.shut(4004)
        await town.until(lambda: town.actor("account/fox").suspended is not None)
        town.order()
        await asyncio.sleep(LONG_S)
        assert stored(town) == Nothing()
        del town.discord.gateway.locked["fox"]
        town.discord.gateway.forgive("fox")
        kill(town)
        await town.reach("done")

    live(scene)


def test_a_notice_whose_suspension_was_not_stored_is_replayed_to_the_next_process() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["credits_exhausted"] = 1.0
        with a_deaf_store(SaveSuspension):
            town.order()
            await town.until(lambda: town.actor("account/fox").suspended is not None)
            await asyncio.sleep(LONG_S)
            assert stored(town) == Nothing()
            town.kill()
        town.weather.chance["credits_exhausted"] = 0.0
        town.start()
        await town.until(lambda: stored(town) != Nothing())
        await asyncio.sleep(LONG_S)
        await town.reach("queued", limit_s=0.1)

    live(scene)


def test_the_last_word_is_stored_however_fast_it_follows_the_one_before() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        for _ in range(3):
            town.base.tell("account/fox", Suspend("fox", WORDS))
            town.base.tell("account/fox", Reinstate("fox"))
        await asyncio.sleep(LONG_S)
        assert stored(town) == Nothing()
        town.base.tell("account/fox", Reinstate("fox"))
        town.base.tell("account/fox", Suspend("fox", WORDS))
        await asyncio.sleep(LONG_S)
        assert isinstance(stored(town), SuspensionRecord)

    live(scene)
