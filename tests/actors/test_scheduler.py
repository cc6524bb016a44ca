"""Capacity is doled out as leases: asked for, granted, begun, freed; a new scheduler starts from what accounts say."""

from __future__ import annotations

from actors.monitor.messages import Surveyed
from actors.queue.messages import Capacity, Demand, LeaseVoid, LeaseVoided, LedgerOpen, Next, Withdraw
from actors.scheduler import AccountDown, AccountUp, Announce, Renew, Scheduler, SlotFree, Token
from tests.actors.stage import Stage, play


async def set_up(stage: Stage) -> None:
    for name in ("monitor", "lobby", "queue", "accounts"):
        stage.cast(name)
    stage.cast("scheduler", Scheduler)


def up(account: str = "fox", slots: int = 2, holding: tuple[str, ...] = ()) -> AccountUp:
    return AccountUp(account, slots, ("fast",), 1.0, holding)


def next_for(demand: Demand, job: str = "j1") -> Next:
    return Next(demand.lease, demand.epoch, "ana", job, 1, demand.account)


def test_every_place_of_an_account_is_asked_for_and_a_grant_becomes_a_token_for_the_users_session() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up())
        demands = await stage.heard("queue", Demand)
        assert [demand.account for demand in demands] == ["fox", "fox"]
        assert (await stage.heard("queue", Capacity))[-1].slots == 2
        stage.tell("scheduler", next_for(demands[0]))
        token = await stage.one("lobby", Token)
        assert (token.user, token.job, token.account, token.lease) == ("ana", "j1", "fox", demands[0].lease)

    play(scene)


def test_a_place_is_asked_for_again_only_when_the_account_frees_it_and_once_however_often_it_says_so() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=1))
        demand = await stage.one("queue", Demand)
        stage.tell("scheduler", next_for(demand), Renew("fox", demand.lease))
        assert await stage.heard("queue", Demand) == []
        stage.tell("scheduler", SlotFree("fox", demand.lease), SlotFree("fox", demand.lease))
        assert (await stage.one("queue", Demand)).lease != demand.lease

    play(scene)


def test_a_grant_that_does_not_begin_is_taken_back_after_ten_seconds_and_its_place_asked_for_again() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=1))
        demand = await stage.one("queue", Demand)
        stage.tell("scheduler", next_for(demand))
        await stage.quiet(9)
        assert await stage.heard("queue", LeaseVoid) == []
        await stage.quiet(2)
        assert await stage.one("queue", LeaseVoid) == LeaseVoid(demand.lease, "j1", 1)
        stage.tell("scheduler", LeaseVoided(demand.lease, begun=False))
        await stage.one("queue", Demand)

    play(scene)


def test_a_grant_that_began_after_all_keeps_its_place() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=1))
        demand = await stage.one("queue", Demand)
        stage.tell("scheduler", next_for(demand), LeaseVoided(demand.lease, begun=True))
        assert await stage.heard("queue", Demand) == []

    play(scene)


def test_a_grant_of_another_epoch_is_sent_back() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=1))
        demand = await stage.one("queue", Demand)
        stage.tell("scheduler", Next(demand.lease, demand.epoch - 1, "ana", "j1", 1, "fox"))
        await stage.one("queue", LeaseVoid)
        assert await stage.heard("lobby", Token) == []

    play(scene)


def test_an_account_that_goes_down_is_asked_nothing_and_its_free_places_are_withdrawn() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up())
        leases = {demand.lease for demand in await stage.heard("queue", Demand)}
        stage.tell("scheduler", AccountDown("fox", "gateway lost"))
        assert {gone.lease for gone in await stage.heard("queue", Withdraw)} == leases
        assert (await stage.heard("queue", Capacity))[-1].slots == 0

    play(scene)


def test_a_new_scheduler_asks_accounts_what_they_hold_and_does_not_oversell() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await stage.one("accounts", Announce)
        stage.tell("scheduler", up(slots=3, holding=("a", "b")))
        await stage.one("queue", Demand)

    play(scene)


def test_a_queue_that_forgot_is_asked_again() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up())
        before = {demand.lease for demand in await stage.heard("queue", Demand)}
        stage.tell("scheduler", LedgerOpen())
        after = {demand.lease for demand in await stage.heard("queue", Demand)}
        assert len(after) == 2
        assert not before & after
        assert (await stage.heard("queue", Capacity))[-1].slots == 2

    play(scene)


def test_of_several_free_accounts_the_idler_one_comes_first() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up("fox", 3, ("held",)), up("owl", 3))
        loads = sorted((demand.load, demand.account) for demand in await stage.heard("queue", Demand))
        assert loads[0][1] == "owl"
        assert [account for _, account in loads].count("fox") == 2

    play(scene)


def test_an_unrenewed_lease_makes_accounts_announce_themselves() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=1, holding=("a",)))
        await stage.heard("accounts", Announce)
        await stage.quiet(60)
        assert await stage.heard("accounts", Announce) == []
        await stage.quiet(60)
        assert await stage.heard("accounts", Announce)

    play(scene)


def test_the_places_of_all_accounts_are_told_each_five_seconds_and_not_of_those_that_are_gone() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("scheduler", up(slots=2), up("gone", slots=1))
        demand = (await stage.heard("queue", Demand))[0]
        stage.tell("scheduler", next_for(demand))
        await stage.quiet(5)
        told = await stage.one("monitor", Surveyed)
        assert told.metric == "limner_tokens"
        assert dict(told.rows) == {("fox", "free"): 1, ("fox", "granted"): 1, ("fox", "begun"): 0}
        stage.tell("scheduler", Renew("fox", demand.lease))
        await stage.quiet(5)
        assert dict((await stage.one("monitor", Surveyed)).rows)["fox", "begun"] == 1

    play(scene)
