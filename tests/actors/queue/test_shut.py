"""What only one account can go on with waits for its operator for a while, and not for ever."""

from __future__ import annotations

import asyncio

from actors.queue.actor import Queue
from actors.queue.messages import AccountShut, Capacity, JobAccepted, JobRefused, JobSettled, LedgerOpen, Next
from actors.queue.shut import BOUND_S_MAX, HEARD_S_MAX, LOOK_EACH_S
from actors.shell import Kill
from tests.actors.queue.test_actor import accepted, demand
from tests.actors.queue.test_no_account import a_picture, act
from tests.actors.stage import Stage, play

SAID_EACH_S = 10.0


async def say_shut(stage: Stage, seconds: float) -> None:
    """The account says that it is out of work, for so long."""
    for _ in range(int(seconds / SAID_EACH_S)):
        stage.tell("queue", AccountShut("fox"))
        await asyncio.sleep(SAID_EACH_S)


def test_a_bound_job_waits_for_the_operator_and_then_fails_refunded_while_others_wait_on() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        stage.tell("queue", act(parent))
        bound = await stage.one("lobby", JobAccepted)
        free = await accepted(stage)
        await say_shut(stage, BOUND_S_MAX - LOOK_EACH_S)
        assert await stage.heard("lobby", JobSettled) == []
        await say_shut(stage, 3 * LOOK_EACH_S)
        ended = (await stage.one("lobby", JobSettled)).job
        assert (ended.id, ended.state, ended.code) == (bound.job.id, "failed", "upstream_blocked")
        assert not ended.charged
        stage.tell("queue", demand("l9"))
        assert (await stage.one("scheduler", Next)).job == free.job.id

    play(scene)


def test_a_new_act_waits_at_first_and_is_refused_when_the_account_is_out_of_work_for_long() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        await say_shut(stage, 60.0)
        stage.tell("queue", act(parent))
        await stage.one("lobby", JobAccepted)
        await say_shut(stage, BOUND_S_MAX)
        stage.tell("queue", act(parent))
        assert (await stage.one("lobby", JobRefused)).code == "no_account"

    play(scene)


def test_an_account_that_works_again_is_waited_for_again() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        await say_shut(stage, BOUND_S_MAX + LOOK_EACH_S)
        stage.tell("queue", Capacity(2, {"fox": ("fast", "relax")}))
        stage.tell("queue", act(parent))
        waiting = await stage.one("lobby", JobAccepted)
        stage.tell("queue", demand("l9"))
        assert (await stage.one("scheduler", Next)).job == waiting.job.id

    play(scene)


def test_an_account_that_says_nothing_any_more_is_not_held_to_be_out_of_work() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        await say_shut(stage, 60.0)
        stage.tell("queue", act(parent))
        await stage.one("lobby", JobAccepted)
        await asyncio.sleep(BOUND_S_MAX + HEARD_S_MAX + LOOK_EACH_S)
        assert await stage.heard("lobby", JobSettled) == []

    play(scene)


def test_a_queue_that_is_rebuilt_hears_it_again() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        stage.tell("queue", act(parent))
        bound = await stage.one("lobby", JobAccepted)
        await say_shut(stage, 60.0)
        stage.tell("queue", Kill("test"))
        await stage.quiet()
        stage.cast("queue", Queue)
        await stage.one("scheduler", LedgerOpen)
        await say_shut(stage, BOUND_S_MAX + 2 * LOOK_EACH_S)
        assert (await stage.one("lobby", JobSettled)).job.id == bound.job.id

    play(scene)
