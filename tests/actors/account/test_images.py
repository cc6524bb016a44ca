"""An account at an image API draws behind the same tokens as any other, and never asks twice for one picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from msgspec import structs

from actors.account import images
from actors.account.messages import Reinstate
from actors.gallery import Gallery
from actors.queue.messages import Enqueue, JobRefused
from actors.thumbnails import picture_path
from core.config import AccountConfig, Config, Limits, Secret
from core.health import Cause, State
from storage.operations import JobRecord
from storage.pictures import MemoryPictures, PictureTrouble
from tests.actors.easel import MODEL, TOKEN, Easel, cut, easel, hang, paint_elsewhere, png, refuse
from tests.actors.studio import USER, Studio, run, simulator, studio

pytestmark = pytest.mark.live

#: Long enough for a second request to be seen, if there were one.
NO_MORE_S = 1.5


def config_for(base: str, slots: int = 2, **limits: float) -> Config:
    account = AccountConfig(
        "easel", Secret(TOKEN), slots=slots, driver="openai-images", url=f"{base}/v1", model=MODEL, size="32x32"
    )
    return Config(accounts=(account,), limits=Limits(**limits))  # type: ignore[arg-type]


@asynccontextmanager
async def workshop(folder: Path, there: Easel, **limits: float) -> AsyncIterator[Studio]:
    async with studio(folder, None, config_for(there.base, **limits), Gallery) as house:  # type: ignore[arg-type]
        yield house


def play(folder: Path, scene: Callable[[Studio, Easel], Coroutine[Any, Any, None]], **limits: float) -> None:
    async def main() -> None:
        async with easel() as there, workshop(folder, there, **limits) as house:
            await scene(house, there)

    run(main())


def account(house: Studio) -> Any:
    return house.base.names["account/easel"].instance


async def picture_of(house: Studio, job: JobRecord) -> bytes:
    return await house.process.pictures.get(job.images[0].path)


def test_a_picture_is_drawn_kept_and_given_to_its_job_and_the_place_is_free_again(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        jobs = [await house.order(f"a fox, number {number} --ar 3:2") for number in range(4)]
        done = [await house.reaches(job, "done") for job in jobs]
        assert sorted(asked["prompt"] for asked in there.asked) == [f"a fox, number {number}" for number in range(4)]
        assert all((asked["model"], asked["size"], asked["n"]) == (MODEL, "32x32", 1) for asked in there.asked)
        assert sorted(there.nonces) == sorted(job.nonce or "" for job in done)
        pictures = {await picture_of(house, job) for job in done}
        assert pictures == {png(number) for number in range(1, 5)}
        assert all([moment.state for moment in job.history][-3:] == ["drawing", "keeping", "done"]
                   for job in house.stored(jobs))  # fmt: skip
        assert not account(house).works

    play(tmp_path, scene)


def test_a_picture_that_comes_as_an_address_is_fetched_from_there(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [paint_elsewhere]
        done = await house.reaches(await house.order("a fox"), "done")
        assert await picture_of(house, done) == png(1)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("manner", "code", "charged"),
    [
        (refuse(400, code="content_policy_violation"), "banned_prompt", True),
        (refuse(400, param="prompt"), "bad_prompt", False),
        (refuse(400, param="size"), "upstream_rejected", False),
        (refuse(200), "upstream_rejected", False),
    ],
)
def test_what_is_refused_for_its_own_sake_fails_at_once(tmp_path: Path, manner: Any, code: str, charged: bool) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [manner]
        failed = await house.reaches(await house.order("a fox"), "failed")
        assert (failed.code, failed.charged, len(there.asked)) == (code, charged, 1)
        assert account(house).health.state is State.UP
        await house.reaches(await house.order("an owl"), "done")

    play(tmp_path, scene)


def test_a_busy_server_is_waited_for_as_long_as_it_says_and_the_job_is_drawn_then(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [refuse(429, {"Retry-After": "1"}, code="rate_limit_exceeded")]
        job = await house.order("a fox")
        await house.until(lambda: account(house).health.has(Cause.RATE_LIMIT))
        assert account(house).health.state is State.DEGRADED
        done = await house.reaches(job, "done")
        assert (done.attempt, len(there.asked), len(set(there.nonces))) == (2, 2, 2)

    play(tmp_path, scene)


def test_a_server_that_is_busy_and_says_to_come_at_once_is_left_alone_longer_each_time(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [refuse(429, {"Retry-After": "0"}, code="rate_limit_exceeded")] * 2
        began = time.monotonic()
        done = await house.reaches(await house.order("a fox"), "done")
        assert (done.attempt, len(there.asked)) == (3, 3)
        assert time.monotonic() - began >= 1.0 + 2.0

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("manner", "state", "cause"),
    [
        (refuse(401, code="invalid_api_key"), State.SUSPENDED, Cause.TOKEN),
        (refuse(404, code="model_not_found"), State.SUSPENDED, Cause.SETUP),
        (refuse(403), State.SUSPENDED, Cause.REFUSED),
        (refuse(429, code="insufficient_quota"), State.EXHAUSTED, Cause.CREDITS),
    ],
)
def test_what_is_the_accounts_matter_takes_it_out_of_work_and_the_job_waits(
    tmp_path: Path, manner: Any, state: State, cause: Cause
) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [manner]
        job = await house.order("a fox")
        await house.until(lambda: account(house).health.needs_a_person)
        assert (account(house).health.state, account(house).health.worst.cause) == (state, cause)
        assert TOKEN not in account(house).health.worst.words
        await house.reaches(job, "queued")
        await asyncio.sleep(NO_MORE_S)
        assert len(there.asked) == 1
        house.base.tell("account/easel", Reinstate("easel"))
        assert (await house.reaches(job, "done")).attempt == 2

    play(tmp_path, scene)


@pytest.mark.parametrize("manner", [refuse(500), refuse(502), refuse(408), cut])
def test_what_may_have_been_drawn_is_never_asked_for_again_and_is_refunded(tmp_path: Path, manner: Any) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [manner]
        failed = await house.reaches(await house.order("a fox"), "failed")
        assert (failed.code, failed.charged) == ("undecided", False)
        (stored,) = house.stored([failed.id])
        assert "undecided" in [moment.state for moment in stored.history]
        await asyncio.sleep(NO_MORE_S)
        assert len(there.asked) == 1
        await house.reaches(await house.order("an owl"), "done")

    play(tmp_path, scene)


def test_a_drawing_that_takes_longer_than_allowed_fails_refunded(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [hang]
        failed = await house.reaches(await house.order("a fox"), "failed")
        assert (failed.code, failed.charged) == ("upstream_timeout", False)
        async with asyncio.timeout(5):
            await there.left.wait()
        assert len(there.asked) == 1

    play(tmp_path, scene, drawing_s=1.0)


def test_a_request_that_is_not_refused_is_told_to_be_drawn(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [hang]
        job = await house.order("a fox")
        await house.reaches(job, "drawing")
        there.go_on.set()
        await house.reaches(job, "done")

    with patch.object(images, "TAKEN_S", 0.3):
        play(tmp_path, scene)


@pytest.mark.parametrize("taken_s", [0.2, 60.0])
def test_a_cancel_cuts_the_request(tmp_path: Path, taken_s: float) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [hang]
        job = await house.order("a fox")
        async with asyncio.timeout(5):
            await there.hanging.wait()
        await house.reaches(job, "drawing" if taken_s < 1 else "submitting")
        house.cancel(job)
        cancelled = await house.reaches(job, "cancelled")
        assert cancelled.charged
        async with asyncio.timeout(5):
            await there.left.wait()
        assert not account(house).works

    with patch.object(images, "TAKEN_S", taken_s):
        play(tmp_path, scene)


@pytest.mark.parametrize("taken_s", [0.2, 60.0])
def test_an_account_that_dies_while_it_is_drawn_does_not_ask_again(tmp_path: Path, taken_s: float) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [hang]
        job = await house.order("a fox")
        async with asyncio.timeout(5):
            await there.hanging.wait()
        await house.reaches(job, "drawing" if taken_s < 1 else "submitting")
        house.kill("account/easel")
        failed = await house.reaches(job, "failed")
        assert (failed.code, failed.charged) == ("undecided", False)
        await house.reaches(await house.order("an owl"), "done")
        assert len(there.asked) == 2

    with patch.object(images, "TAKEN_S", taken_s):
        play(tmp_path, scene)


def test_a_process_that_ends_while_it_is_drawn_does_not_ask_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with easel() as there:
            there.manners = [hang]
            async with workshop(tmp_path, there) as house:
                job = await house.order("a fox")
                async with asyncio.timeout(5):
                    await there.hanging.wait()
            async with workshop(tmp_path, there) as house:
                await house.until(lambda: job in house.ears.jobs and house.ears.jobs[job].state == "failed")
                assert (house.ears.jobs[job].code, house.ears.jobs[job].charged) == ("undecided", False)
                await house.reaches(await house.order("an owl"), "done")
            assert [asked["prompt"] for asked in there.asked] == ["a fox", "an owl"]

    run(main())


def test_a_picture_that_an_earlier_life_had_kept_is_found(tmp_path: Path) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        there.manners = [hang]
        job = await house.order("a fox")
        async with asyncio.timeout(5):
            await there.hanging.wait()
        await house.process.pictures.put(picture_path(job, 1, "image/png"), png(7))
        house.kill("account/easel")
        done = await house.reaches(job, "done")
        assert await picture_of(house, done) == png(7)
        assert len(there.asked) == 1

    play(tmp_path, scene)


def test_a_picture_waits_for_an_image_store_that_refuses_it(tmp_path: Path) -> None:
    refusals = [PictureTrouble("no space left", "full")] * 2
    put = MemoryPictures.put

    async def sometimes(self: MemoryPictures, path: str, data: bytes) -> None:
        if refusals:
            raise refusals.pop()
        await put(self, path, data)

    async def scene(house: Studio, there: Easel) -> None:
        with patch.object(MemoryPictures, "put", sometimes):
            done = await house.reaches(await house.order("a fox"), "done")
        assert await picture_of(house, done) == png(1)
        assert len(there.asked) == 1

    with patch.object(images, "KEEP_AGAIN_S", 0.1):
        play(tmp_path, scene)


def test_a_server_that_is_not_there_degrades_the_account_until_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with easel() as there:
            port = int(there.base.rpartition(":")[2])
            async with workshop(tmp_path, there) as house:
                await house.reaches(await house.order("a fox"), "done")
                await there.leave()
                job = await house.order("an owl")
                await house.until(lambda: account(house).health.has(Cause.CONNECTION))
                assert account(house).health.state is State.DEGRADED
                await house.reaches(job, "queued")
                async with easel(port) as again:
                    done = await house.reaches(job, "done")
                    assert (len(again.asked), done.attempt) == (1, 2)

    run(main())


@pytest.mark.parametrize(("kind", "images"), [("describe", ("u1",)), ("shorten", ()), ("imagine", ("u1",))])
def test_what_no_account_can_draw_is_refused_at_once(tmp_path: Path, kind: str, images: tuple[str, ...]) -> None:
    async def scene(house: Studio, there: Easel) -> None:
        wish = Enqueue(USER, "r1", "free", None, kind, "a fox", "fast", images)
        house.base.tell("queue", wish)
        await house.until(lambda: bool(house.ears.of(JobRefused)))
        (refused,) = house.ears.of(JobRefused)
        assert refused.code == "no_account"
        assert kind in refused.message

    play(tmp_path, scene)


def test_beside_the_drawing_bot_it_takes_its_share_of_what_it_can_draw_and_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        with simulator() as sim:
            async with easel() as there:
                both = (*sim.config(1).accounts, *config_for(there.base).accounts)
                async with studio(tmp_path, sim, structs.replace(sim.config(1), accounts=both)) as house:
                    there.manners = [hang, hang]
                    shortened = [await house.order(f"few words {number}", kind="shorten") for number in range(2)]
                    drawn = [await house.order(f"a fox, number {number}") for number in range(5)]
                    await house.until(lambda: any(house.ears.jobs[job].state == "done" for job in drawn))
                    there.go_on.set()
                    ended = {job: await house.reaches(job, "done") for job in (*shortened, *drawn)}
                    assert {ended[job].account for job in shortened} == set(sim.names[:1])
                    assert {ended[job].account for job in drawn} == {"easel", *sim.names[:1]}
                    assert len(there.asked) + len(await sim.ledger()) == len(ended)

    run(main())
