"""A rate limit fails no job, however long it lasts: the job waits, and the account asks ever less often."""

from __future__ import annotations

import asyncio

from actors.account.work import REFUSALS_MAX
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


def test_a_job_that_was_limited_often_is_still_asked_for_as_often_as_any_when_it_is_refused_for_something_else() -> (
    None
):
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["rate_limited"] = 1.0
        town.order()
        await asyncio.sleep(LIMIT_S)
        (waiting,) = town.jobs()
        assert waiting.attempt > REFUSALS_MAX
        town.weather.chance |= {"rate_limited": 0.0, "queue_full": 1.0}
        await town.until(lambda: len(town.discord.ledger) >= REFUSALS_MAX // 2, limit_s=LIMIT_S)
        assert town.jobs()[0].code is None
        town.weather.chance["queue_full"] = 0.0
        (done,) = await town.reach("done", limit_s=LIMIT_S)
        assert done.charged
        assert "account/fox" in town.base.names

    live(scene)


def test_a_job_that_is_refused_for_something_else_again_and_again_ends_refunded() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["queue_full"] = 1.0
        town.order()
        (failed,) = await town.reach("failed", limit_s=LIMIT_S)
        assert (failed.code, failed.charged) == ("upstream_rejected", False)
        assert len(town.discord.ledger) == REFUSALS_MAX
        assert town.actor("queue").refusals == {}

    live(scene)
