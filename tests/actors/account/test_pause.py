"""A suspended account stays so whatever dies, until the operator says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import structlog

from actors.account.messages import Reinstate, Suspend
from actors.account.pause import cause_of_notice
from core.health import RULES, Cause, Health, State
from storage.operations import Found, Nothing, ReadSuspension, SaveSuspension, Submit, SuspensionRecord
from tests.actors.account.test_resume import a_deaf_store
from tests.actors.calm import Calm, live

WORDS = "by the operator"
#: Longer than an account needs to come up and take what waits.
LONG_S = 30.0
#: Within this time what an account may not draw waits for others again.
ELSEWHERE_S_MAX = 60.0


def stored(town: Calm) -> Found:
    return town.ask(ReadSuspension("fox"))


async def is_in_work(town: Calm) -> None:
    await town.until(lambda: "account/fox" in town.base.names and town.actor("account/fox").told is None)


def kill(town: Calm) -> None:
    town.kill()
    town.start()


def strike(town: Calm) -> None:
    town.strike("account/fox")


async def by_the_operator(town: Calm) -> None:
    town.base.tell("account/fox", Suspend("fox", WORDS))
    await town.until(lambda: stored(town) != Nothing())
    town.order()
    await town.reach("queued")


async def by_a_notice(town: Calm) -> None:
    town.weather.chance["credits_exhausted"] = 1.0
    town.order()
    await town.until(lambda: stored(town) != Nothing())
    town.weather.chance["credits_exhausted"] = 0.0
    await town.reach("queued")


@pytest.mark.parametrize("death", [kill, strike])
@pytest.mark.parametrize("suspension", [by_the_operator, by_a_notice])
def test_a_suspended_account_gets_no_work_after_a_death_until_it_is_reinstated_for_good(
    suspension: Callable[[Calm], asyncio.Future[None]], death: Callable[[Calm], None]
) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        await suspension(town)
        sent = len(town.discord.ledger)
        death(town)
        await asyncio.sleep(LONG_S)
        await town.reach("queued", limit_s=0.1)
        assert len(town.discord.ledger) == sent
        record = stored(town)
        assert isinstance(record, SuspensionRecord)
        assert town.actor("account/fox").told == record.reason
        town.base.tell("account/fox", Reinstate("fox"))
        await town.reach("done")
        assert stored(town) == Nothing()
        death(town)
        await is_in_work(town)
        town.order()
        await town.reach("done", "done")

    live(scene)


def test_an_account_that_discord_turned_away_knocks_again_at_a_restart_as_its_token_may_be_another_one() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.discord.gateway.locked["fox"] = 4004
        (wire,) = town.discord.gateway.live
        wire.shut(4004)
        await town.until(lambda: town.actor("account/fox").suspended is not None)
        town.order()
        await asyncio.sleep(LONG_S)
        assert stored(town) == Nothing()
        del town.discord.gateway.locked["fox"]
        town.discord.gateway.forgive("fox")
        kill(town)
        await town.reach("done")

    live(scene)


def test_a_notice_whose_suspension_was_not_stored_is_replayed_to_the_next_process() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.weather.chance["credits_exhausted"] = 1.0
        with a_deaf_store(SaveSuspension):
            town.order()
            await town.until(lambda: town.actor("account/fox").suspended is not None)
            await asyncio.sleep(LONG_S)
            assert stored(town) == Nothing()
            town.kill()
        town.weather.chance["credits_exhausted"] = 0.0
        town.start()
        await town.until(lambda: stored(town) != Nothing())
        await asyncio.sleep(LONG_S)
        await town.reach("queued", limit_s=0.1)

    live(scene)


def test_the_last_word_is_stored_however_fast_it_follows_the_one_before() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        for _ in range(3):
            town.base.tell("account/fox", Suspend("fox", WORDS))
            town.base.tell("account/fox", Reinstate("fox"))
        await asyncio.sleep(LONG_S)
        assert stored(town) == Nothing()
        town.base.tell("account/fox", Reinstate("fox"))
        town.base.tell("account/fox", Suspend("fox", WORDS))
        await asyncio.sleep(LONG_S)
        assert isinstance(stored(town), SuspensionRecord)

    live(scene)


@pytest.mark.parametrize(
    ("title", "cause", "state"),
    [
        ("Action required to continue", Cause.CAPTCHA, State.PAUSED),
        ("Blocked", Cause.BLOCKED, State.PAUSED),
        ("Pending mod message", Cause.MODERATION, State.PAUSED),
        ("Tos not accepted", Cause.MODERATION, State.PAUSED),
        ("Credits exhausted", Cause.CREDITS, State.EXHAUSTED),
        ("Subscription required", Cause.CREDITS, State.EXHAUSTED),
        ("Plan Cancelled", Cause.CREDITS, State.EXHAUSTED),
    ],
)
def test_a_notice_pauses_or_exhausts_by_its_title(title: str, cause: Cause, state: State) -> None:
    assert cause_of_notice(title) is cause
    assert RULES[cause].state is state


def test_what_a_notice_is_about_and_since_when_outlives_the_process() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        await by_a_notice(town)
        before = town.actor("account/fox").health
        assert (before.state, before.worst.cause) == (State.EXHAUSTED, Cause.CREDITS)
        await asyncio.sleep(LONG_S)
        kill(town)
        await town.until(lambda: "account/fox" in town.base.names and town.actor("account/fox").health.needs_a_person)
        assert town.actor("account/fox").health.kept == before.kept
        record = stored(town)
        assert isinstance(record, SuspensionRecord)
        assert (record.cause, record.at) == (Cause.CREDITS, before.kept.since)

    live(scene)


@pytest.mark.parametrize(
    ("code", "cause"), [(4004, Cause.TOKEN), (4013, Cause.INTENTS), (4014, Cause.INTENTS), (4012, Cause.GATEWAY)]
)
def test_a_gateway_that_is_closed_for_good_suspends_for_what_the_code_says(code: int, cause: Cause) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        town.discord.gateway.locked["fox"] = code
        (wire,) = town.discord.gateway.live
        wire.shut(code)
        await town.until(lambda: town.actor("account/fox").suspended is not None)
        health = town.actor("account/fox").health
        assert (health.state, health.worst.cause) == (State.SUSPENDED, cause)
        assert str(code) in health.worst.words

    live(scene)


def test_a_lost_connection_degrades_and_ends_by_itself_while_the_operators_word_stays() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        account = town.actor("account/fox")
        town.base.tell("account/fox", Suspend("fox", WORDS))
        await town.until(lambda: account.suspended is not None)
        (wire,) = town.discord.gateway.live
        wire.cut()
        await town.until(lambda: account.health.has(Cause.CONNECTION))
        assert account.health.worst.cause is Cause.OPERATOR
        await town.until(lambda: not account.health.has(Cause.CONNECTION) and account.is_session_kept)
        assert account.suspended == WORDS
        town.base.tell("account/fox", Reinstate("fox"))
        await is_in_work(town)
        assert account.health == Health()

    live(scene)


def test_what_was_granted_and_not_submitted_when_the_account_was_paused_is_drawn_elsewhere() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        account = town.actor("account/fox")
        with a_deaf_store(Submit):
            town.order()
            await town.until(lambda: account.works)  # Begin is under way
            town.base.tell("account/fox", Suspend("fox", WORDS))
            await town.until(lambda: account.suspended is not None)
        (job,) = await town.reach("queued", limit_s=ELSEWHERE_S_MAX)
        assert (job.account, town.discord.ledger) == (None, [])

    live(scene)


@pytest.mark.parametrize(("cause", "level"), [(Cause.OPERATOR, "warning"), (Cause.CAPTCHA, "error")])
def test_what_the_operator_wanted_is_no_error_of_the_log(cause: Cause, level: str) -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        account = town.actor("account/fox")
        with structlog.testing.capture_logs() as lines:
            account.strike(cause, WORDS)
        said = [line["log_level"] for line in lines if line["event"] == "account is out of work"]
        assert said == [level]

    live(scene)
