"""What waits in a mode that nobody offers any more waits for a while, and not for ever; what is offered waits on."""

from __future__ import annotations

from msgspec import structs

from actors.queue.messages import JobAccepted, JobSettled, Next
from actors.queue.shut import LOOK_EACH_S, UNOFFERED_S_MAX
from core.config import AccountConfig
from tests.actors.queue.test_actor import accepted, demand, set_up, wish
from tests.actors.queue.test_no_account import FAST_FOX, OWL, start_again
from tests.actors.stage import Stage, play

RELAXED_OWL = structs.replace(OWL, modes=("relax",))


def configure(stage: Stage, *accounts: AccountConfig) -> None:
    """The config is another one now; the Queue lives on."""
    process = stage.instance("queue").process
    process.config = structs.replace(process.config, accounts=accounts)


async def relaxed(stage: Stage) -> str:
    stage.tell("queue", structs.replace(wish(ref="relaxed"), mode="relax"))
    return (await stage.one("lobby", JobAccepted)).job.id


def test_a_job_in_a_mode_that_nobody_offers_any_more_ends_refunded_after_its_time_and_no_sooner() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        job = await relaxed(stage)
        fast = await accepted(stage)
        configure(stage, FAST_FOX)
        await stage.quiet(UNOFFERED_S_MAX - LOOK_EACH_S)
        assert await stage.heard("lobby", JobSettled) == []
        await stage.quiet(3 * LOOK_EACH_S)
        ended = (await stage.one("lobby", JobSettled)).job
        assert (ended.id, ended.state, ended.code, ended.charged) == (job, "failed", "no_account", False)
        assert "relax" in (ended.message or "")
        stage.tell("queue", demand("l9"))
        assert (await stage.one("scheduler", Next)).job == fast.job.id

    play(scene)


def test_an_account_that_offers_it_in_time_saves_it() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await relaxed(stage)
        configure(stage, FAST_FOX)
        await stage.quiet(UNOFFERED_S_MAX - LOOK_EACH_S)
        configure(stage, FAST_FOX, RELAXED_OWL)
        await stage.quiet(10 * UNOFFERED_S_MAX)
        assert await stage.heard("lobby", JobSettled) == []

    play(scene)


def test_after_a_restart_the_time_begins_anew_for_accounts_come_slowly() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        job = await relaxed(stage)
        await start_again(stage, FAST_FOX)
        await stage.quiet(UNOFFERED_S_MAX - LOOK_EACH_S)
        assert await stage.heard("lobby", JobSettled) == []
        await stage.quiet(3 * LOOK_EACH_S)
        assert (await stage.one("lobby", JobSettled)).job.id == job

    play(scene)


def test_accounts_that_are_down_for_days_offer_what_they_draw_all_the_same() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await relaxed(stage)
        await stage.quiet(86_400.0)
        assert await stage.heard("lobby", JobSettled) == []

    play(scene)
