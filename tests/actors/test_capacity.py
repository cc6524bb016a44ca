"""Who gets the next job: an account that may draw it, of these the one with most room; nobody more than it holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from actors.account.messages import Perform, Reinstate, SetSlots, Suspend
from actors.queue.actor import Queue
from actors.scheduler import AccountDown, AccountUp, Announce, Renew, Scheduler, SlotFree, Token
from actors.shell import Kill
from actors.store import Store
from actors.store_messages import Commit
from core.tokens import LEASE_S
from storage.operations import AddUser
from tests.actors.calm import Calm, live
from tests.actors.queue.test_actor import wish
from tests.actors.stage import CONFIG, Stage, play

BLINK_S = 1.0

ROOMY = CONFIG.replace("daily = 5", "daily = 500").replace("queued = 4", "queued = 500")
ROOMY = ROOMY.replace("concurrent = 3", "concurrent = 50")


async def set_up(stage: Stage) -> None:
    """Real store, queue and scheduler; everybody else is a recorder."""
    for name in ("monitor", "lobby", "gallery", "accounts", "account/fox"):
        stage.cast(name)
    stage.cast("store", Store)
    stage.tell("store", Commit("add-ana", "monitor", AddUser("ana", "ana", "free", False, 1.0)))
    stage.cast("queue", Queue)
    stage.cast("scheduler", Scheduler)
    await stage.quiet()


def up(account: str, slots: int = 6, weight: float = 1.0, holding: tuple[str, ...] = ()) -> AccountUp:
    return AccountUp(account, slots, ("fast",), weight, holding)


async def order(stage: Stage, count: int, mode: str = "fast") -> list[Token]:
    """Orders so many, and the tokens that came of it."""
    for number in range(count):
        stage.tell("queue", replace(wish(request_id=f"{mode}{number}"), mode=mode))
    return await stage.heard("lobby", Token)


def test_the_account_with_most_room_is_next_and_a_greater_weight_is_more_room() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", weight=2.0), up("owl", weight=1.0), up("elk", slots=3))
        tokens = await order(stage, 9)
        assert Counter(token.account for token in tokens) == {"fox": 5, "owl": 3, "elk": 1}

    play(scene, config=ROOMY)


def test_a_job_goes_only_to_an_account_that_draws_in_its_mode() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        relaxed = AccountUp("owl", 2, ("relax",), 1.0, ("held",))
        stage.tell("scheduler", up("fox"), relaxed)
        assert [token.account for token in await order(stage, 3, "relax")] == ["owl"]
        assert [token.account for token in await order(stage, 1, "fast")] == ["fox"]

    play(scene, config=ROOMY)


def test_an_account_that_is_down_gets_nothing_and_the_others_all_of_it() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox"), up("owl", slots=2))
        stage.tell("scheduler", AccountDown("fox", "suspended by the operator"))
        assert [token.account for token in await order(stage, 5)] == ["owl", "owl"]
        stage.tell("scheduler", up("fox"))
        assert [token.account for token in await stage.heard("lobby", Token)] == ["fox"] * 3

    play(scene, config=ROOMY)


def test_a_token_that_died_with_its_session_comes_back_and_its_job_is_given_to_somebody_again() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", slots=1))
        (lost,) = await order(stage, 1)
        await stage.quiet(12.0)
        (again,) = await stage.heard("lobby", Token)
        assert (again.job, again.attempt) == (lost.job, 2)
        stage.tell("scheduler", SlotFree("fox", lost.lease), SlotFree("fox", lost.lease))  # late, and twice
        assert await order(stage, 1, "fast") == []
        assert len(stage.instance("scheduler").ledger.pools["fox"].leases) == 1

    play(scene, config=ROOMY)


def test_a_lease_that_died_with_its_account_is_free_when_that_says_what_it_holds() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", slots=2))
        kept, lost = await order(stage, 3)
        stage.tell("scheduler", Renew("fox", kept.lease), Renew("fox", lost.lease))
        assert await stage.heard("lobby", Token) == []
        stage.tell("scheduler", AccountDown("fox", "not started yet"), up("fox", slots=2, holding=(kept.lease,)))
        assert len(await stage.heard("lobby", Token)) == 1

    play(scene, config=ROOMY)


def test_an_account_that_says_nothing_of_a_lease_is_asked_and_its_place_is_not_used_before_it_answers() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", slots=1))
        (first,) = await order(stage, 2)
        stage.tell("scheduler", Renew("fox", first.lease))
        await stage.heard("accounts", Announce)
        await stage.quiet(LEASE_S + 20.0)
        assert await stage.heard("accounts", Announce)
        assert await stage.heard("lobby", Token) == []
        stage.tell("scheduler", up("fox", slots=1))
        assert len(await stage.heard("lobby", Token)) == 1

    play(scene, config=ROOMY)


def test_a_lease_that_begins_under_a_new_scheduler_takes_a_place_that_this_one_thought_free() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", slots=2))
        (first,) = await order(stage, 1)
        stage.tell("scheduler", Kill("test"))
        await stage.quiet()
        stage.cast("scheduler", Scheduler)
        stage.tell("scheduler", up("fox", slots=2), Renew("fox", first.lease))
        await stage.quiet()
        leases = stage.instance("scheduler").ledger.pools["fox"].leases
        assert len(leases) == 2
        assert first.lease in leases
        assert len(stage.instance("queue").demands) <= 1

    play(scene, config=ROOMY)


@pytest.mark.parametrize("slots", [1, 2])
def test_an_account_takes_no_token_beyond_its_slots_whoever_gives_it(slots: int) -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["never_finishes"] = 1.0
        for _ in range(slots):
            town.order()
        await town.reach(*["drawing"] * slots)
        account = town.actor("account/fox")
        held = set(account.works)
        town.base.tell("account/fox", Perform("ana", "j-of-an-old-epoch", 1, "l-of-an-old-epoch", "fox", 1))
        await town.base.idle()
        assert set(account.works) == held

    live(scene, slots=slots)


@pytest.mark.parametrize("code", [None, 4000])
def test_a_token_that_comes_while_the_gateway_connection_blinks_is_held_until_it_is_back(code: int | None) -> None:
    async def scene(town: Calm) -> None:
        account = town.actor("account/fox")
        await town.until(lambda: account.told is None)
        connect = town.discord.gateway.connect

        async def slowly(url: str) -> Any:
            await asyncio.sleep(BLINK_S)
            return await connect(url)

        with patch.object(town.discord.gateway, "connect", slowly):
            (wire,) = town.discord.gateway.live
            town.discord.gateway.ask_to_reconnect(wire) if code is None else wire.shut(code)
            await town.until(lambda: account.line.session_id is None)
            began = town.loop.time()
            town.order()
            await town.until(lambda: town.discord.ledger, limit_s=2 * BLINK_S + 1.0)
        assert town.loop.time() - began >= BLINK_S / 2
        (job,) = await town.reach("done")
        assert job.attempt == 1

    live(scene)


def test_a_suspended_account_gets_nothing_ends_what_it_has_and_draws_again_when_it_may() -> None:
    async def scene(town: Calm) -> None:
        town.order()
        await town.reach("drawing")
        town.base.tell("account/fox", Suspend("fox", "by the operator"))
        town.order()
        await town.reach("done", "queued")
        town.strike("scheduler")
        await town.until(lambda: "scheduler" in town.base.names)
        town.base.tell("account/fox", SetSlots("fox", 3))
        await asyncio.sleep(30.0)
        await town.reach("done", "queued", limit_s=0.1)
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done", "done")

    live(scene)
