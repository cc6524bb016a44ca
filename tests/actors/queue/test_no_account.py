"""What one account only can draw, or go on with, does not wait for one that is gone from the config."""

from __future__ import annotations

import pytest
from msgspec import structs

from actors.queue.actor import Queue
from actors.queue.messages import (
    Acknowledged,
    Demand,
    Enqueue,
    JobAccepted,
    JobRefused,
    JobSettled,
    Kept,
    LedgerOpen,
    Next,
    Sighted,
)
from actors.shell import Kill
from core.config import AccountConfig, Secret
from storage.operations import JobRecord
from tests.actors.queue.test_actor import accepted, demand, drawn, picture, set_up, submitted
from tests.actors.stage import Stage, play

OWL = AccountConfig("owl", Secret("t"), "1", "3")
FAST_FOX = AccountConfig("fox", Secret("t"), "1", "2", modes=("fast",))


async def a_picture(stage: Stage) -> JobRecord:
    """Drawn by fox."""
    await set_up(stage)
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    return (await stage.one("lobby", JobSettled)).job


def act(parent: JobRecord, mode: str = "fast") -> Enqueue:
    return Enqueue("ana", "r2", "free", None, "act", "a fox", mode, (), "upscale", 1, parent.id)


async def start_again(stage: Stage, *accounts: AccountConfig) -> None:
    """The Queue is rebuilt, with other accounts in the config."""
    process = stage.instance("queue").process
    process.config = structs.replace(process.config, accounts=accounts)
    stage.tell("queue", Kill("test"))
    await stage.quiet()
    stage.cast("queue", Queue)
    await stage.one("scheduler", LedgerOpen)


@pytest.mark.parametrize(("accounts", "mode"), [((OWL,), "fast"), ((FAST_FOX, OWL), "relax")])
def test_an_act_that_its_pictures_account_cannot_do_is_refused(accounts: tuple[AccountConfig, ...], mode: str) -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        await start_again(stage, *accounts)
        stage.tell("queue", act(parent, mode))
        assert (await stage.one("lobby", JobRefused)).code == "no_account"
        assert await stage.heard("lobby", JobAccepted) == []

    play(scene)


@pytest.mark.parametrize("granted", [False, True])
def test_an_act_that_waits_for_an_account_that_is_gone_fails_refunded(granted: bool) -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        stage.tell("queue", act(parent))
        waiting = await stage.one("lobby", JobAccepted)
        if granted:
            stage.tell("queue", demand("l9"))
            await stage.one("scheduler", Next)
        other = await accepted(stage)
        await start_again(stage, OWL)
        ended = (await stage.one("lobby", JobSettled)).job
        assert (ended.id, ended.state, ended.code, ended.charged) == (waiting.job.id, "failed", "no_account", False)
        stage.tell("queue", Demand("l1", 1, "owl", ("fast",), 0.0))
        assert (await stage.one("scheduler", Next)).job == other.job.id

    play(scene)


def test_a_drawing_of_an_account_that_is_gone_fails_refunded() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await accepted(stage)
        go = await submitted(stage)
        stage.tell("queue", Sighted("fox", go.job.id, 1, "i1", "m1", None))
        await stage.one("account/fox", Acknowledged)
        await start_again(stage, OWL)
        ended = (await stage.one("lobby", JobSettled)).job
        assert (ended.id, ended.state, ended.code, ended.charged) == (go.job.id, "failed", "no_account", False)

    play(scene)
