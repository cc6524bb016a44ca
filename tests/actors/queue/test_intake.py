"""What pacing lets in: a share of wishes, or none; who is refused hears when to come again."""

from __future__ import annotations

import asyncio

from actors.monitor.messages import SetIntake
from actors.queue.messages import JobAccepted, JobRefused
from tests.actors.account.test_pause import is_in_work
from tests.actors.calm import Calm, live

WISHES = 20


def answers(town: Calm) -> list[JobAccepted | JobRefused]:
    """Everything that the Queue says to those who order, from now on."""
    queue, heard = town.actor("queue"), []
    tell = queue.tell

    def listen(name: str, message: object) -> None:
        if isinstance(message, JobAccepted | JobRefused):
            heard.append(message)
        tell(name, message)

    queue.tell = listen
    return heard


async def order(town: Calm, heard: list[JobAccepted | JobRefused]) -> list[JobRefused]:
    """So many wishes; the refusals among the answers."""
    for _ in range(WISHES):
        town.order()
    await town.until(lambda: len(heard) == WISHES)
    return [answer for answer in heard if isinstance(answer, JobRefused)]


def test_of_a_share_of_a_quarter_every_fourth_is_accepted() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        heard = answers(town)
        town.base.tell("queue", SetIntake(0.25))
        refused = await order(town, heard)
        assert len(refused) == WISHES * 3 / 4
        assert {(answer.code, answer.retry_after_s) for answer in refused} == {("queue_full", 5.0)}
        assert len(town.jobs()) == WISHES / 4

    live(scene)


def test_an_alarm_lets_nobody_in_and_what_was_accepted_is_drawn() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.order()
        await town.reach("drawing")
        heard = answers(town)
        town.base.tell("queue", SetIntake(1.0, "disk_full"))
        refused = await order(town, heard)
        assert {(answer.code, answer.retry_after_s) for answer in refused} == {("draining", 30.0)}
        assert len(refused) == WISHES
        await town.reach("done")
        town.base.tell("queue", SetIntake(1.0))
        town.order()
        await town.reach("done", "done")

    live(scene)


def test_a_queue_that_was_restarted_hears_within_two_looks_what_it_may_let_in() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.host.disk_bytes = 0
        await town.until(lambda: town.actor("queue").stopped_by == "disk_full", 10.0)
        town.strike("queue")
        await asyncio.sleep(1.0)
        await town.until(lambda: town.actor("queue").stopped_by == "disk_full", 10.0)

    live(scene)


def test_a_monitor_that_was_restarted_opens_what_the_one_before_it_had_closed() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.host.disk_bytes = 0
        await town.until(lambda: town.actor("queue").stopped_by == "disk_full", 10.0)
        town.host.disk_bytes = 1 << 40
        town.strike("monitor")
        await town.until(lambda: town.actor("queue").stopped_by is None, 10.0)

    live(scene)
