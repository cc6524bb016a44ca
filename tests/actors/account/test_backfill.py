"""After a gateway session is lost nothing of it is replayed: what was missed is read back in the channel.

What is found there is evidence. What is not found there is none: history has no nonce and no ephemeral message, and
start messages are deleted.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.actors.account.test_evidence import DRAWN_S, STRANGERS, UNDECIDED_S, each_has_its_own, forget_sessions
from tests.actors.calm import CHANNEL, Calm, live


async def lose_the_session(town: Calm, for_s: float) -> None:
    """Discord forgets it, and takes no new line for a while."""
    town.weather.chance["connect_refused"] = 1.0
    forget_sessions(town)
    await asyncio.sleep(for_s)
    town.weather.chance["connect_refused"] = 0.0


def crowd(town: Calm) -> None:
    """Strangers fill more than a page of the channel after what is there."""
    messages = town.discord.channels[CHANNEL].messages
    some = next(iter(messages.values()))
    for _ in range(STRANGERS):
        stranger = some | {"id": town.discord.snowflake(), "author": {"id": "5"}, "application_id": None}
        messages[stranger["id"]] = stranger


@pytest.mark.parametrize("rewritten", [False, True], ids=["as asked", "rewritten"])
def test_results_that_came_between_two_sessions_are_found_each_by_its_owner(rewritten: bool) -> None:
    async def scene(town: Calm) -> None:
        town.discord.rewrites = rewritten
        for _ in range(3):
            town.order("the same fox")
        await town.until(lambda: len(town.discord.ledger) == 3)
        await town.reach("drawing", "drawing", "drawing")
        await lose_the_session(town, DRAWN_S)
        crowd(town)
        assert [row.outcome for row in town.discord.ledger] == ["done"] * 3
        assert [job.state for job in town.jobs()] == ["drawing"] * 3  # nobody has told of them
        await each_has_its_own(town)
        assert len({note.split()[1] for note in town.log if note.startswith("session ")}) == 2

    live(scene, slots=3)


def test_a_result_that_is_not_in_the_channel_either_is_not_drawn_again() -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["answer_lost"] = 1.0
        town.order("a fox")
        await town.until(lambda: len(town.discord.ledger) == 1)
        forget_sessions(town)  # before a trace of it has come
        await lose_the_session(town, DRAWN_S)
        town.discord.channels[CHANNEL].messages.clear()  # somebody has tidied up
        town.weather.chance["answer_lost"] = 0.0
        (job,) = await town.all_ended()
        assert (job.state, job.code, job.charged) == ("failed", "undecided", False)
        assert len(town.discord.ledger) == 1

    live(scene, undecided_s=UNDECIDED_S)


def test_no_more_than_so_many_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.account.errands.HISTORY_PAGES_MAX", 2)
    pages: list[Any] = []

    async def scene(town: Calm) -> None:
        town.order("a fox")
        await town.reach("drawing")
        await lose_the_session(town, DRAWN_S)
        crowd(town)  # two pages do not reach back to it
        read = town.discord._history
        monkeypatch.setattr(town.discord, "_history", lambda request: pages.append(request) or read(request))
        (job,) = await town.all_ended()
        assert (job.state, job.code) == ("failed", "upstream_timeout")
        assert len(town.discord.ledger) == 1
        searches = sum("before" not in request.path for request in pages)
        assert len(pages) == 2 * searches > 0

    live(scene, drawing_s=120.0)
