"""A wish to cancel reaches the drawing bot, whoever dies on the way."""

from __future__ import annotations

import asyncio

import pytest

from core.job import TERMINAL
from tests.actors.calm import Calm, live


async def an_endless_drawing(town: Calm) -> str:
    town.weather.chance["never_finishes"] = 1.0
    town.order()
    (job,) = await town.reach("drawing")
    return job.id


async def is_cancelled_at_the_bot(town: Calm) -> None:
    (job,) = await town.all_ended(120.0)
    assert (job.state, job.code, job.charged) == ("cancelled", "cancelled", True)
    assert [row.outcome for row in town.discord.ledger if row.kind == "imagine"] == ["cancelled"]


@pytest.mark.parametrize("who", ["account/fox", "queue", "scheduler", "store"])
def test_a_cancel_is_not_lost_with_the_one_who_was_told(who: str) -> None:
    async def scene(town: Calm) -> None:
        job = await an_endless_drawing(town)
        town.cancel(job)
        town.strike(who)
        await is_cancelled_at_the_bot(town)

    live(scene)


def test_a_cancel_that_finds_no_account_waits_for_it() -> None:
    async def scene(town: Calm) -> None:
        job = await an_endless_drawing(town)
        town.strike("account/fox")
        town.cancel(job)
        await is_cancelled_at_the_bot(town)

    live(scene)


def test_a_cancel_outlives_the_daemon() -> None:
    async def scene(town: Calm) -> None:
        job = await an_endless_drawing(town)
        town.weather.chance["event_lost"] = 1.0  # so the account does not know the button yet
        town.cancel(job)
        await town.until(lambda: town.jobs()[0].cancel_asked_at is not None)
        town.kill()
        town.weather.chance["event_lost"] = 0.0
        town.start()
        await is_cancelled_at_the_bot(town)

    live(scene)


def test_a_cancel_of_a_doubt_that_was_never_taken_ends_it_and_it_is_not_sent_again() -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["post_lost"] = 1.0
        town.order()
        (job,) = await town.reach("undecided")
        town.weather.chance["post_lost"] = 0.0
        town.cancel(job.id)
        (job,) = await town.all_ended()
        assert (job.state, job.charged, job.attempt) == ("cancelled", False, 1)
        assert town.discord.ledger == []

    live(scene)


@pytest.mark.parametrize("wait_s", [0.0, 0.05, 0.15, 0.3, 0.5, 1.0, 2.0, 3.5, 5.0, 8.0, 10.0])
def test_a_cancel_at_any_moment_ends_the_job_once_and_leaves_nothing_behind(wait_s: float) -> None:
    async def scene(town: Calm) -> None:
        town.order()
        await town.until(lambda: bool(town.jobs()))
        await asyncio.sleep(wait_s)
        town.cancel(town.jobs()[0].id)
        (job,) = await town.all_ended(120.0)
        assert job.state in ("cancelled", "done")
        assert [moment.state in TERMINAL for moment in job.history].count(True) == 1
        drew = [row.outcome for row in town.discord.ledger if row.kind == "imagine"]
        assert len(drew) <= 1
        assert job.charged == bool(drew)
        assert town.used("2026-01-01") == int(job.charged)
        await town.until(lambda: not town.actor("account/fox").works and not len(town.actor("account/fox").outbox))
        assert town.actor("queue").unwanted == set()

    live(scene)
