"""Where accounts have different drivers, each job goes to one that can draw it, and waits for one if it must."""

from __future__ import annotations

from msgspec import structs

from actors.queue.actor import Queue
from actors.queue.messages import Begin, Demand, Enqueue, Go, JobAccepted, JobRefused, LedgerOpen, Next, Returned
from actors.shell import Kill
from core.config import AccountConfig, Secret
from tests.actors.queue.test_actor import accepted, set_up
from tests.actors.stage import Stage, play

FOX = AccountConfig("fox", Secret("t"), "1", "2")
EASEL = AccountConfig("easel", driver="openai-images", url="http://127.0.0.1:1/v1", model="m")


def configure(stage: Stage, *accounts: AccountConfig) -> None:
    process = stage.instance("queue").process
    process.config = structs.replace(process.config, accounts=accounts)


async def wish(stage: Stage, number: int, kind: str, images: tuple[str, ...] = ()) -> str:
    stage.tell("queue", Enqueue("ana", f"r{number}", "free", None, kind, "a fox", "fast", images))
    return (await stage.one("lobby", JobAccepted)).job.id


async def granted(stage: Stage, account: str, lease: str) -> list[str]:
    stage.tell("queue", Demand(lease, 1, account, ("fast", "relax"), 0.0))
    return [following.job for following in await stage.heard("scheduler", Next)]


def test_each_account_is_given_the_fair_next_job_of_those_that_it_can_draw() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        configure(stage, FOX, EASEL)
        described = await wish(stage, 1, "describe", ("u1",))
        plain = await wish(stage, 2, "imagine")
        with_picture = await wish(stage, 3, "imagine", ("u1",))
        assert await granted(stage, "easel", "l1") == [plain]
        assert await granted(stage, "easel", "l2") == []
        assert await granted(stage, "fox", "l3") == [described]
        assert await granted(stage, "fox", "l4") == [with_picture]

    play(scene)


def test_a_queue_that_is_rebuilt_knows_who_can_draw_what_waits() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        configure(stage, FOX, EASEL)
        described = await wish(stage, 1, "describe", ("u1",))
        with_picture = await wish(stage, 2, "imagine", ("u1",))
        stage.tell("queue", Kill("test"))
        await stage.quiet()
        stage.cast("queue", Queue)
        await stage.one("scheduler", LedgerOpen)
        assert await granted(stage, "easel", "l1") == []
        assert await granted(stage, "fox", "l2") == [described]
        assert await granted(stage, "fox", "l3") == [with_picture]

    play(scene)


def test_what_none_of_the_accounts_draws_is_refused_and_what_one_does_is_not() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        configure(stage, EASEL)
        stage.tell("queue", Enqueue("ana", "r1", "free", None, "shorten", "a fox", "fast"))
        assert (await stage.one("lobby", JobRefused)).code == "no_account"
        configure(stage, EASEL, FOX)
        assert await wish(stage, 2, "shorten")

    play(scene)


def test_what_waited_before_another_driver_came_finds_its_way_when_it_is_given_back() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        configure(stage, FOX)
        described = await wish(stage, 1, "describe", ("u1",))
        configure(stage, FOX, EASEL)
        assert await granted(stage, "easel", "l1") == [described]
        stage.cast("account/easel")
        stage.tell("queue", Begin("easel", described, 1, "l1", None))
        assert (await stage.one("account/easel", Go)).job.id == described
        stage.tell("queue", Returned("easel", described, 1, "an image API draws no describe like this"))
        assert await granted(stage, "easel", "l2") == []
        assert await granted(stage, "fox", "l3") == [described]

    play(scene)


def test_where_no_driver_differs_nothing_waits_apart() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        first = await accepted(stage)
        described = await wish(stage, 2, "describe", ("u1",))
        assert await granted(stage, "fox", "l1") == [first.job.id]
        assert await granted(stage, "fox", "l2") == [described]

    play(scene)
