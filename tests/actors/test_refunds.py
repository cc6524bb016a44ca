"""A refund happens once, to the day that was charged, whoever dies between the end of a job and the news of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.queue.actor import Queue
from actors.queue.messages import Failed, JobSettled
from actors.shell import Kill
from actors.store import Store
from actors.store_messages import Commit, Committed, LookedUp, Lookup
from storage.groups import tidy
from storage.operations import ReadUser, Settle, UserRecord
from tests.actors.queue.test_actor import accepted, set_up, submitted
from tests.actors.stage import CONFIG, Stage, play

#: The stage plays from midnight on, UTC; where the users live it is an hour before it.
PLACE = CONFIG.replace("daily = 5", 'daily = 5\ntimezone = "Etc/GMT+1"')
DAY, NEXT_DAY = "2025-12-31", "2026-01-01"
HOUR_S = 3_600.0


class Mumbling(Store):
    """A Store that applies every write and tells the end of a job to nobody, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.swallows = 0
        self.settled: set[str] = set()

    def receiveMsg_Commit(self, commit: Commit, sender: Any) -> None:
        if isinstance(commit.write, Settle):
            self.settled.add(commit.op_id)
        super().receiveMsg_Commit(commit, sender)

    def tell(self, name: str, message: Any) -> None:
        if isinstance(message, Committed) and message.op_id in self.settled and self.swallows > 0:
            self.swallows -= 1
        else:
            super().tell(name, message)


async def used(stage: Stage, day: str) -> int:
    stage.tell("store", Lookup("look", "monitor", ReadUser("ana", day)))
    found = (await stage.one("monitor", LookedUp)).found
    assert isinstance(found, UserRecord)
    return found.used


def failed(job: str, attempt: int = 1) -> Failed:
    return Failed("fox", job, attempt, "failed", "upstream_rejected", "no", False)


@pytest.mark.parametrize("who", ["nobody", "queue", "store"])
def test_a_refund_whose_answer_was_lost_is_made_once_and_to_the_day_of_the_charge(who: str, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Mumbling)
        await stage.quiet(HOUR_S - 60.0)
        go_job = await accepted(stage)
        await submitted(stage)
        await stage.quiet(120.0)  # and a day begins
        await accepted(stage, request_id="r2")
        assert (await used(stage, DAY), await used(stage, NEXT_DAY)) == (1, 1)
        stage.instance("store").swallows = 2
        stage.tell("queue", failed(go_job.job.id), failed(go_job.job.id))
        await stage.quiet()
        assert await stage.heard("lobby", JobSettled) == []
        if who != "nobody":
            stage.tell(who, Kill("test"))
            await stage.quiet()
            stage.cast(who, {"queue": Queue, "store": Mumbling}[who])
        await stage.quiet(20.0)
        stage.tell("queue", failed(go_job.job.id))
        await stage.quiet(20.0)
        assert (await used(stage, DAY), await used(stage, NEXT_DAY)) == (0, 1)
        # Told by the one who asked; a new Queue knows only of jobs that go on, and sessions ask the store themselves.
        assert len(await stage.heard("lobby", JobSettled)) == (0 if who == "queue" else 1)

    play(scene, config=PLACE, database=f"sqlite:///{tmp_path}/limner.db")


def test_a_write_that_is_sent_again_when_its_answer_is_forgotten_refunds_nothing_more() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        told = await accepted(stage)
        await submitted(stage)
        settle = Settle(told.job.id, 1, ("submitting",), "failed", "undecided", "no", False, (), 1.0)
        stage.tell("store", Commit("x", "monitor", settle))
        await stage.quiet()
        tidy(stage.instance("store").database, stage.base.wall(), stage.base.wall() + 7_200.0)
        stage.tell("store", Commit("x", "monitor", settle), Commit("y", "monitor", settle))
        await stage.quiet()
        assert await used(stage, DAY) == 0
        await accepted(stage, request_id="r2")
        assert await used(stage, DAY) == 1

    play(scene, config=PLACE)
