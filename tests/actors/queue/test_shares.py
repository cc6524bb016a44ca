"""Shares of the places there are, when the store takes its time and users reach their limits of drawings at once."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from actors.queue.actor import Queue
from actors.queue.messages import Begin, Demand, Drawn, Enqueue, Failed, Go, LedgerOpen, Next
from actors.store import Store
from actors.store_messages import Commit
from storage.operations import AddUser
from tests.actors.stage import CONFIG, Stage, play

PLANS = {"ana": "free", "ben": "pro"}
TWO_PLANS = f"""{CONFIG.replace("daily = 5", "daily = 500").replace("queued = 4", "queued = 500")}
[plans.pro]
weight = 2
daily = 500
queued = 500
concurrent = 3
"""
SLOTS = 4
TURNS = 90


class FourPlaces:
    """An account that draws whatever it is given; all drawings take equally long."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.drawing: list[Go] = []
        self.begun: Counter[str] = Counter()
        self.leases = count()

    async def open(self) -> None:
        for name in ("monitor", "lobby", "scheduler", "gallery", "account/fox"):
            self.stage.cast(name)
        self.stage.cast("store", Store)
        for user, plan in PLANS.items():
            self.stage.tell("store", Commit(f"add-{user}", "monitor", AddUser(user, user, plan, False, 1.0)))
        self.stage.cast("queue", Queue)
        await self.stage.one("scheduler", LedgerOpen)
        for number in range(TURNS + SLOTS):
            for user, plan in PLANS.items():
                draw = Enqueue(user, f"r{number}", plan, None, "imagine", "a fox", "fast")
                self.stage.tell("queue", draw)
        await self.stage.quiet()
        for _ in range(SLOTS):
            self.stage.tell("queue", self.free_place())
        await self.begin()

    def free_place(self) -> Demand:
        return Demand(f"l{next(self.leases)}", 1, "fox", ("fast",), 0.0)

    async def begin(self) -> None:
        """What the Queue gives begins."""
        for following in await self.stage.heard("scheduler", Next):
            self.stage.tell("queue", Begin("fox", following.job, following.attempt, following.lease, "gs1"))
        for go in await self.stage.heard("account/fox", Go):
            self.drawing.append(go)
            self.begun[go.job.user] += 1

    async def end(self, *, well: bool) -> None:
        """The oldest drawing ends: the Queue hears it, and of the free place, before the store has written it."""
        job = self.drawing.pop(0).job
        self.stage.tell("queue", drawn(job.id) if well else failed(job.id), self.free_place())
        await self.begin()


def drawn(job: str) -> Drawn:
    return Drawn("fox", job, 1, "m", "http://cdn/x.png", "hash", (), None)


def failed(job: str) -> Failed:
    return Failed("fox", job, 1, "failed", "upstream_rejected", "The bot refused.", False)


@pytest.mark.parametrize("well", [True, False])
def test_weights_hold_for_users_who_reach_their_limit_of_drawings_at_once(well: bool) -> None:
    async def scene(stage: Stage) -> None:
        account = FourPlaces(stage)
        await account.open()
        for _ in range(TURNS):
            await account.end(well=well)
            assert len(account.drawing) == SLOTS
        assert account.begun["ben"] == pytest.approx(2 * account.begun["ana"], rel=0.1)

    play(scene, config=TWO_PLANS)
