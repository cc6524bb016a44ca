"""Wishes that come at once, before the store has taken the first of them."""

from __future__ import annotations

from actors.queue.messages import AskPlaces, Enqueue, JobAccepted, JobRefused, Places
from tests.actors.queue.test_actor import accepted, set_up, wish
from tests.actors.stage import CONFIG, Stage, play

ROOMY = CONFIG.replace("daily = 5", "daily = 500").replace("queued = 4", "queued = 500")
FEW = 20
MANY = 100


def burst(count: int) -> list[Enqueue]:
    return [wish(("ana", "ben")[number % 2], request_id=f"r{number}") for number in range(count)]


def test_no_more_wait_than_may_though_all_come_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("queue", *burst(MANY))
        assert len(await stage.heard("lobby", JobAccepted)) == FEW
        refused = await stage.heard("lobby", JobRefused)
        assert {one.code for one in refused} <= {"queue_full"}
        stage.tell("queue", wish())
        assert (await stage.one("lobby", JobRefused)).code == "queue_full"

    play(scene, config=f"{ROOMY}\n[limits]\nqueue_max = {FEW}")


def test_what_the_store_refuses_takes_no_room() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("queue", *(wish(request_id=f"r{number}") for number in range(9)))
        assert len(await stage.heard("lobby", JobAccepted)) == 4
        assert {one.code for one in await stage.heard("lobby", JobRefused)} == {"too_many_jobs"}
        assert (await accepted(stage, user="ben")).position == 2

    play(scene, config=f"{CONFIG}\n[limits]\nqueue_max = 9")


def test_of_wishes_that_come_at_once_each_is_told_a_place_of_its_own() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.tell("queue", *burst(MANY))
        told = await stage.heard("lobby", JobAccepted)
        assert [one.position for one in told] == list(range(1, MANY + 1))
        stage.tell("queue", AskPlaces("ana"), AskPlaces("ben"))
        standing = {
            place.job: place.position for places in await stage.heard("lobby", Places) for place in places.places
        }
        places = {one.job.id: one.position for one in told}
        assert places.items() >= standing.items()

    play(scene, config=ROOMY)
