"""Whatever dies and whatever is lost: an image API is never asked twice for what it may have drawn, and nothing hangs.

The whole daemon in virtual time, before an API in memory that refuses, loses answers and draws on when nobody listens.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections import Counter

import pytest
from msgspec import structs

from core.config import AccountConfig
from core.job import TERMINAL
from protocol.openai import Call
from system.links import LinkBroken, Response
from tests.actors.calm import Calm, live
from tests.actors.easel import png

SEEDS = range(25)
ORDERS = 14
DEATHS = ("account/easel", "queue", "scheduler", "store", "gallery", "accounts", "process")
EASEL = AccountConfig("easel", driver="openai-images", url="http://127.0.0.1:1/v1", model="m", slots=2)
BUSY = json.dumps({"error": {"code": "rate_limit_exceeded", "message": "busy"}}).encode()
BANNED = json.dumps({"error": {"code": "content_policy_violation", "message": "no"}}).encode()


class Painter:
    """The API. `asked`: each nonce; `drawn`: of each prompt, how often, and the picture."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.calm = False
        self.asked: Counter[str] = Counter()
        self.drawn: Counter[str] = Counter()
        self.pictures: dict[str, bytes] = {}

    async def call(self, call: Call, limit_bytes: int, timeout_s: float) -> Response:
        await asyncio.sleep(self.dice.uniform(0.0, 1.0))
        if call.method == "GET":
            return Response(200, {}, b'{"data": []}')
        fate = 1.0 if self.calm else self.dice.random()
        if fate < 0.1:
            raise LinkBroken("refused", False)
        self.asked[call.headers["Idempotency-Key"]] += 1
        if fate < 0.2:
            return Response(429, {"retry-after": "3"}, BUSY)
        if fate < 0.25:
            return Response(400, {}, BANNED)
        if fate < 0.3:
            raise LinkBroken("cut on the way there", None)
        # From here on it is drawn, whoever listens: also when the task that asked is cancelled while it waits.
        prompt = json.loads(call.body or b"")["prompt"]
        self.drawn[prompt] += 1
        picture = self.pictures[prompt] = png(len(self.pictures), 16 + len(self.pictures))
        await asyncio.sleep(self.dice.uniform(0.0, 20.0))
        if fate < 0.4:
            raise LinkBroken("cut on the way back", None)
        if fate < 0.45:
            return Response(502, {}, b"<html>")
        return Response(200, {}, json.dumps({"data": [{"b64_json": base64.b64encode(picture).decode()}]}).encode())


async def live_through(town: Calm, painter: Painter) -> None:
    """Orders and deaths, then quiet until all has ended."""
    town.kill()
    town.config = structs.replace(town.config, accounts=(EASEL,))
    town.discord.call = painter.call  # type: ignore[attr-defined]
    town.start()
    for number in range(ORDERS):
        town.order(f"fox number {number}", ref=f"fox-{number}")
        await asyncio.sleep(painter.dice.uniform(0.0, 8.0))
        if painter.dice.random() < 0.5:
            who = painter.dice.choice(DEATHS)
            if who == "process":
                town.kill()
                town.start()
            else:
                town.strike(who)
        if painter.dice.random() < 0.15:
            jobs = town.jobs()
            if jobs:
                town.cancel(painter.dice.choice(jobs).id)
    painter.calm = True
    await town.until(lambda: all(job.state in TERMINAL for job in town.jobs()), 2_000.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_drawn_twice_given_to_another_or_left(seed: int) -> None:
    painter = Painter(random.Random(seed))

    async def scene(town: Calm) -> None:
        await live_through(town, painter)
        jobs = town.jobs()
        assert len(jobs) > ORDERS // 2
        assert max(painter.asked.values()) == 1
        assert max(painter.drawn.values(), default=0) <= 1
        for job in jobs:
            if job.state == "done":
                assert await picture_of(town, job.id) == painter.pictures[job.prompt]
            elif job.state == "failed":
                assert job.charged is (job.code == "banned_prompt"), (job.id, job.code)
                assert job.code in ("banned_prompt", "undecided", "upstream_rejected"), job.code
        assert Counter(job.state for job in jobs)["done"] > 0

    async def picture_of(town: Calm, job: str) -> bytes:
        path = f"{job}/{next(found.attempt for found in town.jobs() if found.id == job)}-1.png"
        return await town.pictures.get(path)

    live(scene, seed=seed + 1, drawing_s=120.0)


def test_the_chaos_meets_what_it_is_about() -> None:
    met: Counter[str] = Counter()

    async def scene(town: Calm, painter: Painter) -> None:
        await live_through(town, painter)
        met.update(job.code or job.state for job in town.jobs())
        met.update("again" for job in town.jobs() if job.attempt > 1)

    for seed in range(6):
        painter = Painter(random.Random(seed))
        live(lambda town, painter=painter: scene(town, painter), seed=seed + 1, drawing_s=120.0)  # type: ignore[misc]
    assert {"done", "undecided", "banned_prompt", "cancelled", "again"} <= set(met), met
