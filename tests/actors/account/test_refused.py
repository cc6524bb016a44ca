"""What Discord refuses an account for, and what ends that: a token that is wrong, or rights that it does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from msgspec import structs

from actors.account.messages import Reinstate, Suspend
from core.config import Secret
from core.health import Cause, State
from protocol.rest import Request
from storage.operations import Nothing, SuspensionRecord
from tests.actors.account.test_pause import LONG_S, is_in_work, kill, stored
from tests.actors.calm import Calm, live
from tests.city.discord import Discord, Refusal, Resident

OLD_TOKEN, NEW_TOKEN = "token-fox", "another-token"
SUBMITS = "POST /interactions"


@contextmanager
def refused(status: int, code: int, *routes: str, token: str | None = None) -> Iterator[list[str]]:
    """Discord answers these calls (none named: all), with this token if any, with that. The routes it is asked for."""
    asked: list[str] = []
    serve = Discord._serve

    def refuse(self: Discord, resident: Resident, request: Request) -> tuple[int, Any]:
        asked.append(request.route)
        if (not routes or request.route in routes) and token in (None, resident.token):
            raise Refusal(status, code, "no")
        return serve(self, resident, request)

    with patch.object(Discord, "_serve", refuse):
        yield asked


async def suspended(town: Calm) -> Any:
    """The account, once it is out of work."""
    await town.until(lambda: "account/fox" in town.base.names and town.actor("account/fox").suspended is not None)
    return town.actor("account/fox")


def change_token(town: Calm) -> None:
    """The operator has Discord make a new token, and writes it into the config."""
    (account,) = town.config.accounts
    town.config = structs.replace(town.config, accounts=(structs.replace(account, token=Secret(NEW_TOKEN)),))
    town.discord.by_token[NEW_TOKEN] = Resident("fox", NEW_TOKEN, "700", "800")
    town.discord.residents[0] = town.discord.by_token[NEW_TOKEN]
    town.discord.channels["800"].residents[:] = [town.discord.by_token[NEW_TOKEN]]


def test_a_submission_answered_with_401_suspends_for_the_token_which_a_new_one_and_a_restart_end() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        with refused(401, 0, token=OLD_TOKEN) as asked:
            town.order()
            account = await suspended(town)
            worst = account.health.worst
            assert (account.health.state, worst.cause) == (State.SUSPENDED, Cause.TOKEN)
            assert "401" in worst.words
            assert "token" in worst.rule.ends
            await town.reach("queued")
            await asyncio.sleep(LONG_S)
            assert asked == [SUBMITS], "nothing more is asked with a token that is wrong"
            assert stored(town) == Nothing()
            kill(town)  # with the token that it had
            assert (await suspended(town)).health.worst.cause is Cause.TOKEN
            await town.reach("queued")
            change_token(town)
            kill(town)
            (job,) = await town.reach("done")
        assert job.charged
        assert [row.outcome for row in town.discord.ledger] == ["done"]

    live(scene)


def test_one_whose_token_never_was_right_can_be_removed() -> None:
    async def scene(town: Calm) -> None:
        with refused(401, 0):
            kill(town)
            account = await suspended(town)
            assert account.health.worst.cause is Cause.TOKEN
            assert not account.health.has(Cause.LEAVING)
            town.base.tell("account/fox", Suspend("fox", "being removed by op", cause=Cause.LEAVING))
            await town.until(lambda: stored(town) != Nothing())
            await town.until(lambda: account.holds_nothing)

    live(scene)


def test_the_operator_may_also_say_that_the_token_is_right_again() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        with refused(401, 0):
            town.order()
            await suspended(town)
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done")

    live(scene)


def test_a_submission_answered_with_403_suspends_for_rights_until_it_is_resumed_also_after_a_restart() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        with refused(403, 50_001, SUBMITS) as asked:
            town.order()
            account = await suspended(town)
            worst = account.health.worst
            assert (account.health.state, worst.cause) == (State.SUSPENDED, Cause.REFUSED)
            assert "50001" in worst.words
            assert "rights" in worst.rule.ends
            await town.reach("queued")
            await town.until(lambda: stored(town) != Nothing())
            kill(town)
            assert (await suspended(town)).health.worst.cause is Cause.REFUSED
            await asyncio.sleep(LONG_S)
            assert asked.count(SUBMITS) == 1
        record = stored(town)
        assert isinstance(record, SuspensionRecord)
        assert record.cause == Cause.REFUSED
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done")
        assert stored(town) == Nothing()
        assert [row.outcome for row in town.discord.ledger] == ["done"]

    live(scene)


@pytest.mark.parametrize(
    ("status", "route", "cause"),
    [
        (401, "GET /users/@me", Cause.TOKEN),
        (403, "GET /guilds/{guild}/application-command-index", Cause.SETUP),
        (404, "GET /guilds/{guild}/application-command-index", Cause.SETUP),
    ],
)
def test_what_is_refused_at_the_start_is_told_apart_too_and_asked_again_at_the_next(
    status: int, route: str, cause: Cause
) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        with refused(status, 50_001, route):
            kill(town)
            account = await suspended(town)
            assert account.health.worst.cause is cause
            assert str(status) in account.health.worst.words
            await asyncio.sleep(LONG_S)
            assert stored(town) == Nothing()
        kill(town)
        await is_in_work(town)
        town.order()
        await town.reach("done")

    live(scene)
