"""What some acts take besides a press: forms, a page to paint on, a seed told aside; and what is asked for again."""

from __future__ import annotations

import io
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from actors.account.errands import Errands
from actors.account.messages import Progressed
from actors.account.uploads import upload_path
from system.links import NOT_PUBLIC, LinkBroken
from tests.actors.account.test_midjourney import PNG, upload
from tests.actors.studio import USER, Sim, Studio, run, simulator, studio


@pytest.fixture
def sim():
    with simulator() as told:
        yield told


async def drawn(house: Studio, **act: object) -> str:
    """A finished job of this act."""
    job = await house.order(act.pop("prompt", ""), **({"kind": "act"} | act))
    await house.reaches(job, "done")
    return job


async def single(house: Studio) -> str:
    """An upscaled picture out of a grid."""
    grid = await drawn(house, kind="imagine", prompt="a fox in the snow")
    return await drawn(house, action="upscale", index=1, parent=grid)


@pytest.mark.parametrize(("kind", "action"), [("describe", "draw_description"), ("shorten", "draw_shortened")])
def test_a_line_of_a_description_is_drawn_by_its_form(sim: Sim, tmp_path: Path, kind: str, action: str) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            images = await upload(house, "one") if kind == "describe" else ()
            told = await drawn(house, kind=kind, prompt="" if images else "a very red fox, please", images=images)
            job = await drawn(house, action=action, index=1, parent=told)
            (row,) = [row for row in await sim.ledger() if row["kind"] == "imagine"]
            assert row["prompt"] in (house.ears.jobs[told].text or "")
            assert (row["outcome"], row["message_id"]) == ("done", house.kept(job).message_id)
            assert {"upscale", "seed"} <= {offer.action for offer in house.ears.jobs[job].offers}

    run(scene())


@pytest.mark.parametrize("prompt", ["a fox with a hat", ""])
def test_an_account_that_remixes_answers_the_form_that_a_variation_opens(sim: Sim, tmp_path: Path, prompt: str) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            grid = await drawn(house, kind="imagine", prompt="a fox in the snow")
            await sim.configure(remix=True)
            job = await drawn(house, action="variation", index=2, parent=grid, prompt=prompt)
            rows = await sim.ledger()
            assert [row["kind"] for row in rows] == ["imagine", "variation", "remix"]
            assert rows[-1]["prompt"] == (prompt or "a fox in the snow --fast")
            assert rows[-1]["message_id"] == house.kept(job).message_id
            assert (await sim.stats())["duplicates"] == 0

    run(scene())


def test_an_account_that_dies_after_it_answered_an_unforeseen_form_finds_its_drawing(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            grid = await drawn(house, kind="imagine", prompt="a fox in the snow")
            await sim.configure(remix=True)
            job = await house.order("", kind="act", action="variation", index=2, parent=grid)
            await house.until(lambda: any(moved.job == job for moved in house.ears.of(Progressed)))
            house.kill(f"account/{sim.names[0]}")
            await house.reaches(job, "done")
            assert [row["kind"] for row in await sim.ledger()] == ["imagine", "variation", "remix"]

    run(scene())


def mask() -> bytes:
    sink = io.BytesIO()
    Image.new("L", (16, 16), 255).save(sink, "PNG")
    return sink.getvalue()


@pytest.mark.parametrize("disorder", [{}, {"reorder": 0.5, "duplicate_events": True}], ids=["in order", "reordered"])
def test_a_region_is_painted_and_drawn_under_the_interaction_of_its_press(
    sim: Sim, tmp_path: Path, disorder: dict[str, object]
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            picture = await single(house)
            await sim.configure(**disorder)
            await house.process.pictures.put(upload_path(USER, "mask"), mask())
            wish = {"kind": "act", "action": "vary_region", "parent": picture, "images": ("mask",)}
            jobs = [await house.order("a fox with a hat", **wish) for _ in range(3)]
            for job in jobs:
                await house.reaches(job, "done")
            rows = {row["nonce"]: row for row in await sim.ledger() if row["kind"] == "inpaint"}
            for job in house.stored(jobs):
                assert rows[job.nonce or ""]["message_id"] == job.message_id
                assert rows[job.nonce or ""]["outcome"] == "done"

    run(scene())


def test_a_region_without_a_picture_for_its_mask_is_the_users_fault(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            picture = await single(house)
            job = await house.order("", kind="act", action="vary_region", parent=picture, images=("nowhere",))
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == ("bad_prompt", False)
            await house.process.pictures.put(upload_path(USER, "noise"), PNG[:20])
            job = await house.order("", kind="act", action="vary_region", parent=picture, images=("noise",))
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == ("upstream_rejected", False)

    run(scene())


def test_why_a_picture_could_not_be_fetched_is_told_in_plain_words(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            wish = {"kind": "act", "action": "vary_region", "parent": await single(house)}
            for why, told in (("ClientConnectorDNSError", "nothing answers at its address"), (NOT_PUBLIC, NOT_PUBLIC)):
                with patch.object(house.process.links, "fetch", side_effect=LinkBroken(why, False)):
                    job = await house.order("", images=("https://example.com/mask.png",), **wish)
                    failed = await house.reaches(job, "failed")
                assert (failed.code, failed.charged) == ("bad_prompt", False)
                assert (failed.message or "").endswith(f"a picture could not be fetched: {told}.")

    run(scene())


def test_a_seed_is_told_each_time_it_is_asked_for_and_costs_nothing(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            one = await drawn(house, kind="imagine", prompt="a fox in the snow")
            two = await drawn(house, kind="imagine", prompt="a fox in the snow")
            asked = [await house.order("", kind="act", action="seed", parent=parent) for parent in (one, two, one)]
            found = [await house.reaches(job, "done") for job in asked]
            texts = [job.text or "" for job in found]
            assert all(text.startswith("Seed ") and text[5:].isdecimal() for text in texts)
            assert texts[0] == texts[2] != texts[1]
            assert [job.charged for job in found] == [False] * 3
            assert [row["kind"] for row in await sim.ledger()] == ["imagine", "imagine"]

    run(scene())


def test_a_seed_that_was_asked_for_before_the_account_died_is_asked_for_again(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            grid = await drawn(house, kind="imagine", prompt="a fox in the snow")
            with patch.object(Errands, "ask_seed", _never):
                job = await house.order("", kind="act", action="seed", parent=grid)
                await house.reaches(job, "submitting")
                house.kill(f"account/{sim.names[0]}")
                await house.until(lambda: house.ups >= 2)
            assert (await house.reaches(job, "done")).attempt >= 2

    run(scene())


async def _never(self: Errands, job: object) -> None:
    raise LookupError("killed while it asked")


def test_a_silent_drawing_is_asked_for_by_its_hash_when_the_channel_cannot_be_read(sim: Sim, tmp_path: Path) -> None:
    async def no_page(self: Errands, before: str | None) -> None:
        return None

    async def scene() -> None:
        with patch("actors.account.acts.SHOW_EACH_S", 1.0), patch.object(Errands, "_history_page", no_page):
            async with studio(tmp_path, sim) as house:
                job = await house.order("a fox in the snow")
                await house.progresses(job)
                # The session ends, and with it all that it would have told.
                await sim.fault("no_hello", count=3)
                await sim.fault("invalid_false")
                done = await house.reaches(job, "done", limit_s=60)
                shown = next(row for row in await sim.ledger() if row["kind"] == "show")
                assert (shown["account"], shown["prompt"]) == (sim.names[0], done.job_hash)
                assert house.kept(job).picture_url is not None

    run(scene())


def test_a_blend_whose_prompt_tells_its_dimensions_is_taken_and_drawn(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            images = await upload(house, "one", "two")
            await drawn(house, kind="blend", prompt="--ar 2:3", images=images)

    run(scene())
