"""What is told of a waiting job's time: a number only while an account that could draw it is up."""

from __future__ import annotations

from actors.queue.messages import AskPlaces, Capacity, JobAccepted, JobSettled, Kept, Places
from actors.scheduler import AccountDown, AccountUp, Scheduler
from storage.operations import JobRecord
from tests.actors.queue.test_actor import accepted, drawn, picture, set_up, submitted, wish
from tests.actors.queue.test_no_account import act
from tests.actors.stage import Stage, play

FOX, OWL = ("fast", "relax"), ("relax",)


async def a_picture(stage: Stage) -> JobRecord:
    """Drawn by fox in no time, so that it is known how long drawings take."""
    await set_up(stage)
    await accepted(stage)
    go = await submitted(stage)
    await stage.quiet(10.0)
    stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
    return (await stage.one("lobby", JobSettled)).job


async def etas(stage: Stage, user: str = "ana") -> list[float | None]:
    """Of the user's waiting jobs, in order."""
    stage.tell("queue", AskPlaces(user))
    return [place.eta_s for place in (await stage.one("lobby", Places)).places]


def test_an_act_is_told_no_eta_while_its_account_is_down_and_one_again_when_it_is_back() -> None:
    async def scene(stage: Stage) -> None:
        parent = await a_picture(stage)
        stage.tell("queue", Capacity(3, {"owl": ("fast",)}), act(parent))
        assert (await stage.one("lobby", JobAccepted)).eta_s is None
        assert await etas(stage) == [None]
        stage.tell("queue", Capacity(5, {"owl": ("fast",), "fox": FOX}))
        (eta_s,) = await etas(stage)
        assert eta_s is not None
        stage.tell("queue", Capacity(3, {"owl": ("fast",)}))
        assert await etas(stage) == [None]
        stage.tell("queue", wish("ben"))  # which owl can draw
        assert (await stage.one("lobby", JobAccepted)).eta_s is not None

    play(scene)


def test_a_job_in_a_mode_that_no_account_which_is_up_draws_is_told_no_eta() -> None:
    async def scene(stage: Stage) -> None:
        await a_picture(stage)
        stage.tell("queue", Capacity(1, {"owl": OWL}), wish())
        assert (await stage.one("lobby", JobAccepted)).eta_s is None
        stage.tell("queue", Capacity(3, {"owl": OWL, "fox": FOX}))
        assert None not in await etas(stage)

    play(scene)


def test_the_same_order_again_is_told_no_eta_either() -> None:
    async def scene(stage: Stage) -> None:
        await a_picture(stage)
        stage.tell("queue", Capacity(1, {"owl": OWL}), wish(ref="again"), wish(ref="again"))
        first, second = await stage.heard("lobby", JobAccepted)
        assert (first.replayed, first.eta_s, second.replayed, second.eta_s) == (False, None, True, None)

    play(scene)


def test_the_scheduler_tells_who_is_up_also_when_as_many_places_are_up_as_before() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("monitor", "lobby", "queue", "accounts"):
            stage.cast(name)
        stage.cast("scheduler", Scheduler)
        stage.tell("scheduler", AccountUp("fox", 2, FOX, 1.0, ()))
        assert (await stage.heard("queue", Capacity))[-1] == Capacity(2, {"fox": FOX})
        stage.tell("scheduler", AccountDown("fox", "down"), AccountUp("owl", 2, OWL, 1.0, ()))
        assert (await stage.heard("queue", Capacity))[-1] == Capacity(2, {"owl": OWL})
        stage.tell("scheduler", AccountUp("owl", 2, OWL, 1.0, ()))
        assert await stage.heard("queue", Capacity) == []

    play(scene)
