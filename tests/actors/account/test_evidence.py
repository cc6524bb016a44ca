"""Evidence is not lost with the process or the gateway session that it was told to, nor by a clock that was set."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from actors.account.errands import HISTORY_MARGIN_S, Errands, HistoryCame
from actors.account.midjourney import TOOK_TOLD_S
from actors.account.presence import CALM_TICK_S
from actors.account.work import Step
from core.correlate import SETTLE_S
from core.ids import DISCORD_EPOCH_MS
from protocol.rest import Request
from storage.operations import Gather, Track
from system.links import Response
from tests.actors.account.test_resume import a_deaf_store
from tests.actors.calm import CHANNEL, Calm, live
from tests.city.bot import QUEUED_S, Bot
from tests.city.cdn import nonce_in
from tests.city.gateway import Gateway

HOUR_S = 3_600.0
DRAWN_S = 20.0
UNDECIDED_S = 60.0
#: Fills more than a page of the channel's history.
STRANGERS = 250


def forget_sessions(town: Calm) -> None:
    """What Discord told in them, it tells nobody again."""
    for session in list(town.discord.gateway.sessions.values()):
        town.discord.gateway._forget(session)
    for wire in list(town.discord.gateway.live):
        wire.cut()


async def each_has_its_own(town: Calm) -> None:
    for job in await town.all_ended():
        assert (job.state, job.code) == ("done", None)
        assert nonce_in(await town.pictures.get(job.images[0].path)) == job.nonce
    assert len(town.discord.ledger) == len(town.jobs())


def test_what_the_bot_has_put_in_its_queue_outlives_the_process_and_the_session_that_were_told() -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["job_queued"] = 1.0
        town.order("a fox")
        town.order("the sea")
        await town.until(lambda: len(town.discord.ledger) == 2)
        await town.reach("drawing", "drawing", limit_s=QUEUED_S / 2)
        town.kill()
        forget_sessions(town)
        await asyncio.sleep(DRAWN_S)
        town.start()
        await each_has_its_own(town)

    live(scene)


@pytest.mark.parametrize("gone", [True, False])
def test_what_was_taken_is_stored_when_no_start_message_comes_or_the_session_is_gone(gone: bool) -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["never_finishes"] = 1.0
        town.order()
        await town.until(lambda: any(work.took_seq is not None for work in town.actor("account/fox").works.values()))
        if gone:
            forget_sessions(town)
        (job,) = await town.reach("drawing", limit_s=TOOK_TOLD_S + CALM_TICK_S)
        assert job.interaction_id == town.discord.ledger[0].interaction_id
        assert job.start_message_id is None

    with patch.object(Bot, "_start", lambda *_: None):
        live(scene)


def test_the_only_result_is_found_also_by_a_process_that_resumes_a_session_of_after_it() -> None:
    async def scene(town: Calm) -> None:
        with patch.object(Gateway, "publish", lambda *_: None):
            town.order()
            await town.until(lambda: bool(town.discord.ledger))
            town.kill()
            forget_sessions(town)
            await asyncio.sleep(DRAWN_S)
        town.start()
        await town.until(lambda: bool(town.discord.gateway.sessions))
        await asyncio.sleep(SETTLE_S / 2)
        town.kill()
        town.start()
        await each_has_its_own(town)
        assert len(town.discord.gateway.sessions) == 1, "the claim is about a session that was resumed"

    live(scene)


def test_the_only_result_is_found_of_what_was_taken_when_the_session_that_was_told_is_gone() -> None:
    async def scene(town: Calm) -> None:
        with patch.object(Gateway, "publish", lambda *_: None):
            town.order()
            await town.until(lambda: any(w.step is Step.WITH_BOT for w in town.actor("account/fox").works.values()))
            forget_sessions(town)
            await town.until(lambda: town.discord.ledger[0].outcome == "done")
        await each_has_its_own(town)

    live(scene)


def test_a_doubt_that_came_due_a_moment_ago_is_not_given_up_before_the_replay_that_decides_it() -> None:
    async def scene(town: Calm) -> None:
        with a_deaf_store(Track, Gather):
            town.order()
            await town.until(lambda: bool(town.discord.ledger))
            town.kill()
            town.start()
            await town.reach("undecided")
            town.kill()
        await asyncio.sleep(UNDECIDED_S + DRAWN_S / 2)
        town.start()
        await each_has_its_own(town)

    live(scene, undecided_s=UNDECIDED_S)


def test_a_clock_that_was_set_forward_leaves_time_to_find_what_was_drawn() -> None:
    async def scene(town: Calm) -> None:
        town.order()
        await town.reach("drawing")
        town.kill()
        await asyncio.sleep(DRAWN_S)
        town.loop.set_back_s = -DRAWN_S  # what takes 30 s has been waited for some 40
        town.start()
        await each_has_its_own(town)

    live(scene, drawing_s=30.0)


def test_a_clock_that_was_ahead_hides_no_result_in_a_busy_channel() -> None:
    async def scene(town: Calm) -> None:
        town.loop.set_back_s = -HOUR_S
        town.order()
        await town.reach("drawing")
        town.kill()
        await asyncio.sleep(DRAWN_S)
        forget_sessions(town)
        messages = town.discord.channels[CHANNEL].messages
        (result,) = (message for message in messages.values() if message["id"] == town.discord.ledger[0].message_id)
        for _ in range(STRANGERS):
            stranger = result | {"id": town.discord.snowflake(), "author": {"id": "5"}, "application_id": None}
            messages[stranger["id"]] = stranger
        town.loop.set_back_s = 0.0
        town.start()
        await each_has_its_own(town)

    live(scene)


@pytest.mark.parametrize(
    ("since_s", "ahead_s", "date", "pages"),
    [
        (100.0, 0.0, None, 2),
        (100.0, 0.0, "Thu, 01 Jan 2026 00:00:00 GMT", 2),
        (100.0, HOUR_S, "Thu, 01 Jan 2026 00:00:00 GMT", 2),
        (100.0, 0.0, "no date", 2),
        (-HOUR_S, 0.0, None, 10),
    ],
    ids=["right", "right, says Discord", "ahead, says Discord", "nobody knows", "put right since"],
)
def test_the_channel_is_read_back_by_the_clock_of_those_who_number_its_messages(
    since_s: float, ahead_s: float, date: str | None, pages: int
) -> None:
    true = 1_767_225_600.0  # that date; a message a second, to 1,000 s back
    wall = true + ahead_s
    ids = [(int((true - age) * 1000) - DISCORD_EPOCH_MS) << 22 for age in range(1_000)]
    came: list[HistoryCame] = []

    async def read(request: Request) -> Response:
        page = len(came) * 100
        body = msgspec.json.encode([{"id": str(each)} for each in ids[page : page + 100]])
        return Response(200, {} if date is None else {"Date": date}, body)

    owner: Any = SimpleNamespace(wall=lambda: wall, post=came.append, process=None)
    account: Any = SimpleNamespace(channel_id="800")
    calls: Any = SimpleNamespace(read=read)
    came.append(asyncio.run(Errands(owner, account, calls).history(wall - since_s)))
    assert len(came) == pages + (pages == 10)  # after ten full pages an empty one says that there is no more
    assert since_s + HISTORY_MARGIN_S < 200.0
