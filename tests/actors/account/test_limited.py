"""A rate limit fails no job, however long it lasts: the job waits, and the account asks ever less often."""

from __future__ import annotations

import asyncio

from core.health import Cause
from tests.actors.account.test_pause import is_in_work
from tests.actors.calm import Calm, live

LIMIT_S = 300.0
#: A wait of 15 s and more between two, after the first few.
ATTEMPTS_MAX = 25


def test_a_job_outlasts_a_rate_limit_of_minutes_in_few_attempts_and_is_drawn_then() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["rate_limited"] = 1.0
        town.order()
        await asyncio.sleep(LIMIT_S)
        (waiting,) = town.jobs()
        assert (waiting.state, waiting.code) == ("queued", None)
        assert town.actor("account/fox").health.has(Cause.RATE_LIMIT)
        assert 12 < waiting.attempt < ATTEMPTS_MAX
        town.weather.chance["rate_limited"] = 0.0
        (done,) = await town.reach("done", limit_s=60.0)
        assert done.charged
        assert [row.outcome for row in town.discord.ledger] == ["done"]

    live(scene)
