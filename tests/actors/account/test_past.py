"""A restarted account knows what it drew before, so that it neither guesses nor gives up for want of knowledge."""

from __future__ import annotations

import asyncio

from core.reconcile import GRACE_S
from tests.actors.account.test_evidence import forget_sessions
from tests.actors.calm import CHANNEL, Calm, live
from tests.city.cdn import nonce_in

DRAWN_S_MAX = 15.0
DOWN_S = 20.0


async def is_drawn_unheard(town: Calm) -> None:
    """The process dies, and what the bot does meanwhile is told by no event; its messages name no interaction."""
    town.kill()
    town.weather.chance["event_lost"] = 1.0
    await asyncio.sleep(DOWN_S)
    town.weather.chance["event_lost"] = 0.0


def test_after_a_restart_the_only_result_goes_to_the_only_drawing_it_can_belong_to() -> None:
    async def scene(town: Calm) -> None:
        town.discord.drops_metadata = True
        town.order("an old fox")
        await town.reach("done")
        town.order("a fox")
        await town.reach("done", "drawing")
        await is_drawn_unheard(town)
        town.start()
        before, job = await town.all_ended()
        assert job.state == "done"
        assert job.message_id != before.message_id
        assert nonce_in(await town.pictures.get(job.images[0].path)) == job.nonce

    live(scene)


def test_after_a_restart_a_result_that_may_be_that_of_a_drawing_given_up_is_nobodys() -> None:
    async def scene(town: Calm) -> None:
        town.discord.drops_metadata = True
        town.weather.chance["never_finishes"] = 1.0
        town.order("an old fox")
        await town.reach("drawing")
        town.weather.chance["event_lost"] = 1.0  # so its hash, which would rule it out, is not known,
        await town.reach("failed")
        town.discord.channels[CHANNEL].messages.clear()  # nor ever will be
        town.weather.chance["event_lost"] = town.weather.chance["never_finishes"] = 0.0
        town.order("a fox")
        await town.reach("failed", "drawing")
        await is_drawn_unheard(town)
        town.start()
        _, job = await town.all_ended()
        assert (job.state, job.code, job.charged) == ("failed", "upstream_timeout", False)

    live(scene, drawing_s=40.0)


def test_what_was_drawn_while_nobody_was_there_for_long_is_found_before_it_is_given_up() -> None:
    async def scene(town: Calm) -> None:
        town.order("a fox")
        await town.reach("drawing")
        town.kill()
        await asyncio.sleep(3_000.0)
        town.start()
        (job,) = await town.all_ended()
        assert job.state == "done"

    live(scene, drawing_s=60.0)


def test_a_doubt_is_over_after_its_time_however_often_the_daemon_dies() -> None:
    async def scene(town: Calm) -> None:
        town.weather.chance["post_lost"] = 1.0
        town.order("a fox")
        await town.reach("undecided")
        forget_sessions(town)  # and with them what could prove it
        (job,) = town.jobs()
        assert job.undecided_at is not None
        while town.jobs()[0].state == "undecided":
            town.kill()
            town.start()
            await asyncio.sleep(9.0)
        (job,) = town.jobs()
        assert (job.state, job.code, job.charged) == ("failed", "undecided", False)
        assert job.finished_at is not None
        assert 119.9 <= job.finished_at - (job.undecided_at or 0.0) <= 120.0 + GRACE_S
        await town.until(lambda: not town.actor("account/fox").works, 15.0)

    live(scene, undecided_s=120.0)
