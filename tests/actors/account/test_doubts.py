"""What was never taken is proven so however short the lives of the daemon are, and by nothing that could be wrong."""

from __future__ import annotations

import asyncio

import pytest

from actors.account.hearing import HELD_EVENTS_MAX
from actors.account.presence import SAVE_EACH_S, SAVE_EVENTS_MAX
from core.reconcile import TRACE_S
from storage.operations import JobRecord
from tests.actors.account.test_evidence import UNDECIDED_S, forget_sessions
from tests.actors.calm import CHANNEL, Calm, live
from tests.city.discord import IN_FLIGHT_S

#: Long enough to RESUME, and no more.
LIFE_S = 1.5
STEP_S = 0.05


async def a_post_that_is_lost(town: Calm) -> JobRecord:
    """The daemon dies as soon as the job is in doubt."""
    town.weather.chance["post_lost"] = 1.0
    town.order()
    (job,) = await town.reach("undecided")
    town.weather.chance["post_lost"] = 0.0
    return job


async def is_decided_in_short_lives(town: Calm, limit_s: float, clocks: tuple[str, ...] = ("boot-1",)) -> float | None:
    """How long it took until the job was no longer in doubt; None: it still is after `limit_s`."""
    began_at = town.loop.time()
    while (took_s := town.loop.time() - began_at) < limit_s:
        town.kill()
        town.start()
        town.process.clock = clocks[town.lives % len(clocks)]
        for _ in range(int(LIFE_S / STEP_S)):
            await asyncio.sleep(STEP_S)
            if town.jobs()[0].state != "undecided":
                return took_s
    return None


def test_a_daemon_that_dies_every_other_second_proves_what_was_never_taken_in_the_time_that_one_life_needs() -> None:
    async def scene(town: Calm) -> None:
        town.process.clock = "boot-1"
        await a_post_that_is_lost(town)
        took_s = await is_decided_in_short_lives(town, UNDECIDED_S)
        assert took_s is not None
        assert IN_FLIGHT_S + TRACE_S - LIFE_S <= took_s <= IN_FLIGHT_S + TRACE_S + 2 * LIFE_S
        (job,) = await town.all_ended()
        assert (job.state, job.attempt) == ("done", 2)
        assert len(town.discord.ledger) == 1

    live(scene, undecided_s=UNDECIDED_S)


@pytest.mark.parametrize("clocks", [("boot-1", "boot-2"), (None,)])
def test_a_clock_that_is_not_the_one_of_the_doubt_proves_nothing_to_short_lives(clocks: tuple[str, ...]) -> None:
    async def scene(town: Calm) -> None:
        town.process.clock = "boot-0"
        await a_post_that_is_lost(town)
        assert await is_decided_in_short_lives(town, UNDECIDED_S / 2, clocks) is None
        (job,) = await town.all_ended()  # one life that lasts
        assert (job.state, job.attempt) == ("done", 2)

    live(scene, undecided_s=UNDECIDED_S)


def test_a_clock_on_the_wall_that_was_set_proves_nothing() -> None:
    async def scene(town: Calm) -> None:
        town.process.clock = "boot-1"
        await a_post_that_is_lost(town)
        town.loop.set_back_s = -IN_FLIGHT_S
        assert await is_decided_in_short_lives(town, IN_FLIGHT_S / 2) is None

    live(scene, undecided_s=UNDECIDED_S)


def test_a_session_that_is_gone_takes_the_proof_along() -> None:
    async def scene(town: Calm) -> None:
        town.process.clock = "boot-1"
        await a_post_that_is_lost(town)
        forget_sessions(town)
        await asyncio.sleep(IN_FLIGHT_S + TRACE_S)
        (job,) = await town.all_ended()
        assert (job.state, job.code, job.charged, job.attempt) == ("failed", "undecided", False, 1)

    live(scene, undecided_s=UNDECIDED_S)


def test_what_waits_for_evidence_keeps_no_session_so_far_back_that_discord_would_end_it() -> None:
    async def scene(town: Calm) -> None:
        town.discord.drops_metadata = True
        town.weather.chance["never_finishes"] = 1.0
        town.order()
        town.order()
        await town.reach("drawing", "drawing")
        stranger = {"id": town.discord.snowflake(), "channel_id": CHANNEL, "author": {"id": "936929561302675456"}}
        picture = {"id": "1", "filename": "x.png", "url": "http://127.0.0.1/cdn/x.png", "content_type": "image/png"}
        result = {"content": "**x** - <@700> (fast)", "attachments": [picture], "components": [], "embeds": []}
        town.discord.gateway.publish("fox", "MESSAGE_CREATE", stranger | result)
        account = town.actor("account/fox")
        await town.until(lambda: account.held_seq is not None)
        for _ in range(2 * SAVE_EVENTS_MAX):
            town.discord.gateway.publish("fox", "TYPING_START", {})
        await asyncio.sleep(2 * SAVE_EACH_S)
        assert account.held_seq is not None, "the claim is about a result that is still held"
        (session,) = town.discord.gateway.sessions.values()
        assert session.seq - HELD_EVENTS_MAX - SAVE_EVENTS_MAX <= (town.saved_seq() or 0) < session.seq

    live(scene)
