"""What an operator orders of an account holds at once and after any death: drained, resized, on its way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from actors.account.messages import Reinstate, SetSlots, Suspend
from actors.queue.messages import AccountsChanged
from core.config import AccountConfig, Secret
from core.health import Cause, State
from storage.added import ReadSlots, SlotsRecord
from storage.operations import Nothing, ReadSuspension, SuspensionRecord
from tests.actors.calm import Calm, live

LONG_S = 30.0


def kill(town: Calm) -> None:
    town.kill()
    town.start()


def strike(town: Calm) -> None:
    town.strike("account/fox")


async def is_in_work(town: Calm) -> None:
    await town.until(lambda: "account/fox" in town.base.names and town.actor("account/fox").told is None)


def slots_of(town: Calm) -> int:
    """The places that the Scheduler has of the account."""
    return int(town.actor("scheduler").ledger.pools["fox"].slots)


@pytest.mark.parametrize("death", [kill, strike])
def test_a_drained_account_finishes_what_it_holds_and_gets_nothing_more_until_it_is_resumed(
    death: Callable[[Calm], None],
) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.order()
        await town.reach("drawing")
        town.base.tell("account/fox", Suspend("fox", "drained by op", cause=Cause.DRAIN))
        await town.until(lambda: town.ask(ReadSuspension("fox")) != Nothing())
        health = town.actor("account/fox").health
        assert (health.state, health.worst.cause, health.is_draining) == (State.SUSPENDED, Cause.DRAIN, True)
        town.order()
        await town.reach("done", "queued")
        death(town)
        await asyncio.sleep(LONG_S)
        record = town.ask(ReadSuspension("fox"))
        assert isinstance(record, SuspensionRecord)
        assert record.cause == Cause.DRAIN
        assert town.actor("account/fox").health.is_draining
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done", "done")
        assert town.ask(ReadSuspension("fox")) == Nothing()

    live(scene)


@pytest.mark.parametrize("death", [kill, strike])
def test_slots_hold_after_a_death_and_the_configs_own_number_is_not_stored(death: Callable[[Calm], None]) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        own = slots_of(town)
        town.base.tell("account/fox", SetSlots("fox", own + 4))
        await town.until(lambda: town.ask(ReadSlots("fox")) == SlotsRecord("fox", own + 4))
        await town.until(lambda: slots_of(town) == own + 4)
        death(town)
        await asyncio.sleep(LONG_S)
        await is_in_work(town)
        assert slots_of(town) == own + 4
        town.base.tell("account/fox", SetSlots("fox", own))
        await town.until(lambda: town.ask(ReadSlots("fox")) == Nothing())
        await town.until(lambda: slots_of(town) == own)

    live(scene)


def test_fewer_slots_than_it_draws_lose_no_lease_and_it_draws_no_more_than_that_afterwards() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        assert slots_of(town) >= 2
        for _ in range(2):
            town.order()
        await town.reach("drawing", "drawing")
        town.base.tell("account/fox", SetSlots("fox", 1))
        await town.until(lambda: slots_of(town) == 1)
        assert len(town.actor("scheduler").ledger.pools["fox"].leases) == 2
        for _ in range(2):
            town.order()
        await town.reach("done", "done", "done", "done")
        assert len(town.discord.ledger) == 4

    live(scene)


def test_one_that_leaves_says_so_when_its_last_drawing_has_ended_and_not_before() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.order()
        await town.reach("drawing")
        town.base.tell("account/fox", Suspend("fox", "being removed by op", cause=Cause.LEAVING))
        await town.until(lambda: town.ask(ReadSuspension("fox")) != Nothing())
        account = town.actor("account/fox")
        assert not account.holds_nothing
        assert account.health.is_draining
        await town.reach("done")
        await town.until(lambda: account.holds_nothing)

    live(scene)


def test_one_that_nobody_can_speak_for_is_shown_with_the_reason_and_all_others_work() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        process = town.process
        process.withheld = {"owl": "its token cannot be opened"}
        process.added = (AccountConfig("owl", Secret(""), "1", "9"),)
        town.base.tell("accounts", AccountsChanged())
        await town.until(lambda: "account/owl" in town.base.names and town.actor("account/owl").health.has(Cause.SETUP))
        for _ in range(2):
            health = town.actor("account/owl").health
            assert (health.state, health.worst.words) == (State.SUSPENDED, "its token cannot be opened")
            town.base.tell("account/owl", Reinstate("owl"))  # which makes it no better
            await asyncio.sleep(LONG_S)
        town.order()
        await town.reach("done")

    live(scene)
