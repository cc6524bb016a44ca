"""A drawing whose end no event told of is found in the channel, long before it would time out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.account.hearing import AccountHearing
from protocol.gateway import Dispatch
from tests.actors.studio import Sim, run, simulator, studio

pytestmark = pytest.mark.live

SEARCHED_S_MAX = 5.0


@pytest.fixture
def sim() -> Iterator[Sim]:
    with simulator() as running:
        yield running


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Messages with a finished picture that never came: events may come once, twice, or not at all."""
    found: list[Any] = []
    hear = AccountHearing.on_dispatch

    def deaf_to_results(self: AccountHearing, event: Dispatch) -> None:
        message = msgspec.json.decode(event.data)
        if event.type == "MESSAGE_CREATE" and message.get("attachments"):
            found.append(message["id"])
        else:
            hear(self, event)

    monkeypatch.setattr(AccountHearing, "on_dispatch", deaf_to_results)
    return found


def test_a_result_of_which_no_event_came_is_found_in_the_channel(
    sim: Sim, tmp_path: Path, lost: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.account.midjourney.SILENT_S", 1.0)

    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            ordered = [await house.order("a fox in the snow") for _ in range(2)]
            for job in ordered:
                await house.reaches(job, "done")
            kept = {house.kept(job).message_id for job in ordered}
            assert kept == set(lost)
            drawn = {row["nonce"]: row["message_id"] for row in await sim.ledger()}
            assert all(drawn[house.kept(job).nonce or ""] == house.kept(job).message_id for job in ordered)

    run(scene())


def test_after_a_restart_the_channel_is_searched_at_once(sim: Sim, tmp_path: Path, lost: list[Any]) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.progresses(job)
            await sim.settled()
            await house.until(lambda: bool(lost))
        async with studio(tmp_path, sim) as house:
            began_at = time.monotonic()
            await house.until(lambda: job in house.ears.jobs)
            await house.reaches(job, "done")
            assert time.monotonic() - began_at < SEARCHED_S_MAX

    run(scene())
