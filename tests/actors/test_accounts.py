"""Accounts come and go while the daemon runs: the Queue, the scheduler and users know at once, nobody restarts."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from actors.monitor.messages import Observed
from actors.queue.messages import (
    AccountsChanged,
    Begin,
    Demand,
    Go,
    JobAccepted,
    JobMoved,
    JobRefused,
    JobSettled,
    Next,
    Sighted,
)
from actors.scheduler import AccountDown
from actors.shell import Kill, Shell
from actors.supervisor import Child, Supervisor
from core.config import AccountConfig, Secret
from tests.actors.calm import Calm, live
from tests.actors.queue.test_actor import accepted, demand, set_up, submitted, wish
from tests.actors.queue.test_no_account import OWL, a_picture, act
from tests.actors.stage import Recorder, Stage, play
from tests.city.discord import GUILD, Channel, Resident

TURBO = AccountConfig("owl", Secret("t"), "1", "3", modes=("turbo",))


def reconfigure(stage: Stage, *accounts: AccountConfig, keep: bool = True) -> None:
    """Other accounts in the config of the running process; `keep`: beside those that are there."""
    process = stage.base.process
    before = process.config.accounts if keep else ()
    process.config = structs.replace(process.config, accounts=(*before, *accounts))


# --- the Queue -------------------------------------------------------------------------------------------------


def test_a_job_in_a_mode_that_only_a_new_account_offers_is_drawn_without_a_restart_of_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        turbo = structs.replace(wish(), mode="turbo")
        stage.tell("queue", turbo)
        assert (await stage.one("lobby", JobRefused)).code == "no_account"
        reconfigure(stage, TURBO)
        stage.tell("queue", AccountsChanged(), turbo, Demand("l1", 1, "owl", ("turbo",), 0.0))
        job = (await stage.one("lobby", JobAccepted)).job
        stage.cast("account/owl")
        stage.tell("queue", Begin("owl", job.id, (await stage.one("scheduler", Next)).attempt, "l1", "gs1"))
        assert (await stage.one("account/owl", Go)).job.id == job.id

    play(scene)


def test_a_mode_that_nobody_offers_any_more_is_refused_without_a_restart_of_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        reconfigure(stage, structs.replace(OWL, modes=("relax",)), keep=False)
        stage.tell("queue", AccountsChanged(), wish())
        assert (await stage.one("lobby", JobRefused)).code == "no_account"

    play(scene)


def test_an_act_whose_account_is_removed_while_it_waits_fails_refunded_and_others_wait_on() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        stage.tell("queue", act(parent))
        waiting = (await stage.one("lobby", JobAccepted)).job
        other = (await accepted(stage)).job
        reconfigure(stage, OWL, keep=False)
        stage.tell("queue", AccountsChanged(), AccountsChanged())
        ended = (await stage.one("lobby", JobSettled)).job
        assert (ended.id, ended.state, ended.code, ended.charged) == (waiting.id, "failed", "no_account", False)
        stage.tell("queue", Demand("l1", 1, "owl", ("fast",), 0.0))
        assert (await stage.one("scheduler", Next)).job == other.id

    play(scene)


@pytest.mark.parametrize("sighted", [True, False])
def test_a_drawing_whose_account_is_removed_fails_refunded_or_is_undecided(sighted: bool) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await accepted(stage)
        go = await submitted(stage)
        if sighted:
            stage.tell("queue", Sighted("fox", go.job.id, 1, "i1", "m1", None))
            await stage.heard("lobby", JobMoved)
        reconfigure(stage, OWL, keep=False)
        stage.tell("queue", AccountsChanged())
        if not sighted:
            assert [moved.job.state for moved in await stage.heard("lobby", JobMoved)][-1:] == ["undecided"]
            await stage.quiet(stage.base.process.config.limits.undecided_s + 60.0)
        ended = (await stage.one("lobby", JobSettled)).job
        expected = "no_account" if sighted else "undecided"
        assert (ended.id, ended.state, ended.code, ended.charged) == (go.job.id, "failed", expected, False)

    play(scene)


def test_a_job_that_can_be_drawn_elsewhere_is_not_touched_when_an_account_is_removed() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await accepted(stage)
        stage.tell("queue", demand("l1"))
        await stage.one("scheduler", Next)
        reconfigure(stage, OWL, keep=False)
        stage.tell("queue", AccountsChanged())
        assert await stage.heard("lobby", JobSettled) == []

    play(scene)


# --- the supervisor --------------------------------------------------------------------------------------------


class Team(Supervisor):
    """Two children, of which one may be dismissed."""

    CHILDREN = (Child("first", Recorder), Child("second", Recorder))

    def __init__(self) -> None:
        super().__init__()
        self.lost: list[str] = []

    def on_child_lost(self, employed: object, reason: str | None) -> None:
        self.lost.append(employed.child.name)  # type: ignore[attr-defined]


@pytest.mark.parametrize("waits_for_its_restart", [True, False])
def test_a_child_that_is_dismissed_ends_and_is_not_started_again(waits_for_its_restart: bool) -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("monitor")
        team: Team = stage.cast("team", Team)
        await stage.quiet()
        if waits_for_its_restart:
            stage.tell("first", Kill("test"))
            await stage.base.idle()
            team.lost.clear()
        team.dismiss("first")
        team.dismiss("nobody")
        await stage.quiet(60.0)
        assert "first" not in stage.base.names
        assert "second" in stage.base.names
        assert team.lost == ["first"]
        team.employ(Child("first", Recorder))
        await stage.quiet()
        assert "first" in stage.base.names

    play(scene)


# --- the whole daemon ------------------------------------------------------------------------------------------


def move_in(town: Calm, name: str, modes: tuple[str, ...]) -> AccountConfig:
    """Another account of Discord's, which the config may name."""
    resident = Resident(name, f"token-{name}", "701", "801")
    town.discord.residents.append(resident)
    town.discord.by_token[resident.token] = resident
    town.discord.bot.busy[name] = []
    town.discord.channels["801"] = Channel("801", [resident])
    return AccountConfig(name, Secret(resident.token), GUILD, "801", "user", 2, 1.0, modes)  # type: ignore[arg-type]


def set_accounts(town: Calm, *accounts: AccountConfig) -> None:
    town.process.config = structs.replace(town.process.config, accounts=accounts)
    town.base.tell("accounts", AccountsChanged())


def test_an_account_that_is_added_draws_and_one_that_is_removed_is_gone() -> None:
    async def scene(town: Calm) -> None:
        (fox,) = town.process.config.accounts
        owl = move_in(town, "owl", ("turbo",))
        await asyncio.sleep(30.0)
        town.order(mode="turbo")
        await asyncio.sleep(30.0)
        assert town.jobs() == []
        set_accounts(town, fox, owl)
        town.order(mode="turbo")
        (job,) = await town.reach("done")
        assert job.account == "owl"
        set_accounts(town, owl)
        await town.until(lambda: "account/fox" not in town.base.names)
        town.order(mode="fast")
        town.order(mode="turbo")
        await town.reach("done", "done")
        assert [job.mode for job in town.jobs()] == ["turbo", "turbo"]
        assert town.actor("scheduler").ledger.modes == {"owl": ("turbo",)}

    live(scene)


def test_an_account_that_is_taken_out_and_put_back_at_once_goes_on() -> None:
    async def scene(town: Calm) -> None:
        (fox,) = town.process.config.accounts
        await asyncio.sleep(30.0)
        set_accounts(town)
        set_accounts(town, fox)
        town.order()
        await town.reach("done")

    live(scene)


def test_scheduler_monitor_and_queue_hear_of_a_removed_account_when_it_has_ended() -> None:
    async def scene(town: Calm) -> None:
        await asyncio.sleep(30.0)
        heard: dict[str, list[object]] = {}
        for name, kind in (("scheduler", AccountDown), ("monitor", Observed), ("queue", AccountsChanged)):
            heard[name] = overhear(town, name, kind)
        set_accounts(town)
        await asyncio.sleep(5.0)
        assert AccountDown("fox", "removed from the config") in heard["scheduler"]
        assert Observed("limner_account_up", 0.0, ("fox",)) in heard["monitor"]
        assert heard["queue"] == [AccountsChanged()]

    live(scene)


def overhear(town: Calm, name: str, kind: type) -> list[object]:
    """What the actor is told of this kind from now on."""
    actor: Shell = town.actor(name)
    found: list[object] = []
    receive = actor.receiveMessage

    def receiveMessage(message: object, sender: object) -> None:
        if isinstance(message, kind):
            found.append(message)
        receive(message, sender)

    actor.receiveMessage = receiveMessage  # type: ignore[method-assign]
    return found
