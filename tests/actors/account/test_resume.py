"""The gateway session is never saved ahead of what is stored: what a crash loses between the two, a RESUME tells again.

The store is made deaf to the effect of an event while the account has time to save its session; then the process is
killed. The channel is emptied, so that a replayed event alone can tell the next process what happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from actors.account.midjourney import Account
from actors.account.presence import SAVE_APART_S, SAVE_EACH_S, SAVE_EVENTS_MAX
from actors.store_client import StoreClient
from core.correlate import SETTLE_S
from storage.operations import Gather, JobRecord, Settle, Track
from tests.actors.calm import CHANNEL, Calm, live
from tests.city.bot import Bot
from tests.city.cdn import nonce_in

SAVED_S = 4 * SAVE_EACH_S
Scene = Callable[[Calm], Coroutine[Any, Any, None]]


@contextmanager
def a_deaf_store(*kinds: type) -> Iterator[None]:
    """Writes of these kinds never reach it."""
    send = StoreClient._send

    def tell_the_rest(self: StoreClient, ask_id: str, what: Any, *, again: bool = False) -> None:
        if not isinstance(what, kinds):
            send(self, ask_id, what, again=again)

    with patch.object(StoreClient, "_send", tell_the_rest):
        yield


def events(town: Calm, name: str, *links: str) -> list[int]:
    """Numbers of the gateway events of this name that show one of these."""
    (session,) = town.discord.gateway.sessions.values()
    return [seq for seq, kind, data in session.events if kind == name and any(data.get(link) for link in links)]


async def die_and_return(town: Calm, first_unstored: int) -> list[JobRecord]:
    """Killed now, the session resumes from before that event, and the event alone decides."""
    saved = town.saved_seq()
    town.kill()
    assert saved is not None
    assert saved < first_unstored, f"saved up to {saved}, and {first_unstored} has effects that are not stored"
    town.discord.channels[CHANNEL].messages.clear()
    town.start()
    jobs = await town.all_ended()
    assert sum(row.kind == "imagine" for row in town.discord.ledger) == len(jobs)
    return jobs


async def a_start_that_is_not_stored(town: Calm) -> None:
    town.weather.chance["never_finishes"] = 1.0
    with a_deaf_store(Track):
        town.order()
        await town.reach("submitting")
        await asyncio.sleep(SAVED_S)
        first = min(events(town, "INTERACTION_CREATE", "nonce"))
        saved = town.saved_seq()
    assert saved is not None
    assert saved < first, f"saved up to {saved}, and {first} has effects that are not stored"
    town.kill()
    town.discord.channels[CHANNEL].messages.clear()
    town.start()
    (job,) = await town.reach("drawing", limit_s=10.0)
    assert job.interaction_id == town.discord.ledger[0].interaction_id


def test_who_hears_much_saves_its_session_before_discord_has_forgotten_what_would_be_replayed() -> None:
    async def scene(town: Calm) -> None:
        await asyncio.sleep(SAVE_EACH_S)  # it has just been saved for the time's sake
        await town.until(lambda: town.saved_seq() is not None)
        before = town.saved_seq() or 0
        for _ in range(5):
            for _ in range(SAVE_EVENTS_MAX):
                town.discord.gateway.publish("fox", "TYPING_START", {})
            await asyncio.sleep(SAVE_APART_S)
        assert (town.saved_seq() or 0) >= before + 3 * SAVE_EVENTS_MAX

    live(scene)


async def a_picture_that_is_not_stored(town: Calm) -> None:
    with a_deaf_store(Gather):
        town.order()
        await town.reach("drawing")
        await town.until(lambda: town.discord.ledger[0].outcome == "done")
        await asyncio.sleep(SAVED_S)
        result = max(events(town, "MESSAGE_CREATE", "attachments"))
    (job,) = await die_and_return(town, result)
    assert job.state == "done"
    assert nonce_in(await town.pictures.get(job.images[0].path)) == job.nonce


async def a_refusal_that_is_not_stored(town: Calm) -> None:
    town.weather.chance["banned_prompt"] = 1.0
    with a_deaf_store(Settle):
        town.order()
        await town.until(lambda: bool(town.discord.ledger))
        await asyncio.sleep(SAVED_S)
        refusal = min(events(town, "MESSAGE_CREATE", "embeds"))
    (job,) = await die_and_return(town, refusal)
    assert job.code == "banned_prompt"


async def a_picture_that_is_held(town: Calm) -> None:
    """Nothing proves yet whose it is, so nothing of it is stored."""
    town.discord.drops_metadata = True
    town.weather.chance["start_not_deleted"] = 1.0
    with patch.object(Bot, "_progress", lambda *_: None):
        town.order()
        await town.until(lambda: bool(town.discord.ledger) and town.discord.ledger[0].outcome == "done")
        await asyncio.sleep(SETTLE_S / 2)
    (job,) = await die_and_return(town, max(events(town, "MESSAGE_CREATE", "attachments")))
    assert job.state == "done"
    assert nonce_in(await town.pictures.get(job.images[0].path)) == job.nonce


SCENES: dict[str, Scene] = {
    "a start": a_start_that_is_not_stored,
    "a picture": a_picture_that_is_not_stored,
    "a refusal": a_refusal_that_is_not_stored,
    "a held picture": a_picture_that_is_held,
}


@pytest.mark.parametrize("what", SCENES)
def test_what_was_heard_and_not_stored_is_replayed_to_the_next_process(what: str) -> None:
    live(SCENES[what])


@pytest.mark.parametrize("what", SCENES)
def test_a_session_that_is_saved_ahead_of_what_is_stored_comes_to_light(what: str) -> None:
    with (
        patch.object(Account, "stored_seq", lambda self: self.seq),
        pytest.raises(AssertionError, match="has effects that are not stored"),
    ):
        live(SCENES[what])
