"""An account draws through a real simulator, and loses, repeats or swaps nothing whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.account.messages import Reinstate, Suspend
from actors.account.uploads import upload_path
from actors.monitor.messages import Observed, Restarted
from actors.queue.messages import JobMoved
from tests.actors.studio import USER, Sim, Studio, run, simulator, studio

pytestmark = pytest.mark.live

PNG = b"\x89PNG\r\n\x1a\n, which is all that is looked at"


@pytest.fixture
def sim() -> Iterator[Sim]:
    with simulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of the never-twice rule, shortened to the simulator's pace."""
    monkeypatch.setattr("core.reconcile.TRACE_S", 0.5)
    monkeypatch.setattr("core.reconcile.LET_GO_S", 0.5)


async def never_twice(house: Studio, *jobs: str) -> None:
    """Each job was drawn once, under its own nonce, and has that nonce's message."""
    rows = [row for row in await house.sim.ledger() if row["outcome"] == "done"]
    assert {(row["nonce"], row["message_id"]) for row in rows} == {
        (house.ears.jobs[job].nonce, house.kept(job).message_id) for job in jobs
    }
    assert len(rows) == len(jobs)
    assert (await house.sim.stats())["duplicates"] == 0


def states_of(house: Studio, job: str) -> list[str]:
    return [told.job.state for told in house.ears.of(JobMoved) if told.job.id == job]


def test_an_imagine_is_drawn(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            done = await house.reaches(job, "done")
            assert states_of(house, job) == ["submitting", "drawing", "keeping"]
            assert house.kept(job).picture_url is not None
            assert {offer.action for offer in done.offers} == {"upscale", "variation", "reroll", "seed"}
            await never_twice(house, job)

    run(scene())


def test_an_act_presses_the_button_of_its_parent(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            grid = await house.order("a fox in the snow")
            await house.reaches(grid, "done")
            upscaled = await house.order("", kind="act", action="upscale", index=2, parent=grid)
            done = await house.reaches(upscaled, "done")
            assert "upscale_subtle" in {offer.action for offer in done.offers}
            await never_twice(house, grid, upscaled)

    run(scene())


def test_shorten_ends_in_words(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a very very red fox in the deep snow", kind="shorten")
            done = await house.reaches(job, "done")
            assert done.text is not None
            assert "fox" in done.text

    run(scene())


def test_an_act_with_a_form_draws_under_a_nonce_of_its_own(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            grid = await house.order("a fox in the snow")
            await house.reaches(grid, "done")
            upscaled = await house.order("", kind="act", action="upscale", index=1, parent=grid)
            await house.reaches(upscaled, "done")
            zoomed = await house.order("a fox in a wide valley", kind="act", action="custom_zoom", parent=upscaled)
            await house.reaches(zoomed, "done")
            rows = [row for row in await sim.ledger() if row["outcome"] == "done" and row["message_id"]]
            assert rows[-1]["message_id"] == house.kept(zoomed).message_id
            assert rows[-1]["prompt"] == "a fox in a wide valley"
            assert (await sim.stats())["duplicates"] == 0

    run(scene())


async def upload(house: Studio, *names: str) -> tuple[str, ...]:
    """Pictures that the user has uploaded."""
    for name in names:
        await house.process.pictures.put(upload_path(USER, name), PNG + name.encode())  # no two are equal
    return names


def test_pictures_of_the_users_own_are_described_blended_and_drawn_from(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            one, two = await upload(house, "one", "two")
            await sim.fault("put_fails")  # the attempt is given back, and the next one begins anew
            described = await house.order("", kind="describe", images=(one,))
            blended = await house.order("", kind="blend", images=(one, two))
            drawn = await house.order("in the manner of this", images=(one,))
            assert (await house.reaches(described, "done")).text is not None
            await house.reaches(blended, "done")
            await house.reaches(drawn, "done")
            prompts = [row["prompt"] for row in await sim.ledger() if row["kind"] == "imagine"]
            assert len(prompts) == 1
            assert prompts[0].startswith(sim.told["cdn"])

    run(scene())


def test_a_picture_that_is_not_there_or_not_public_fails_the_job_as_a_bad_prompt(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            for image in ("nowhere", "https://127.0.0.1/secret.png", "https://localhost/secret.png"):
                job = await house.order("", kind="describe", images=(image,))
                failed = await house.reaches(job, "failed")
                assert (failed.code, failed.charged) == ("bad_prompt", False)
            assert await sim.ledger() == []

    run(scene())


@pytest.mark.parametrize(
    "disorder",
    [
        {},
        {"reorder": True, "duplicate_events": True},
        {"late_delete": 0.5, "rewrite_prompts": True, "jitter": 0.3},
        {"no_delete": True, "final_nonce": True},
    ],
    ids=["none", "reordered twice", "late", "never deleted"],
)
def test_equal_prompts_at_once_each_get_the_picture_of_their_own_nonce(
    sim: Sim, tmp_path: Path, disorder: dict[str, object]
) -> None:
    async def scene() -> None:
        await sim.configure(**disorder)
        async with studio(tmp_path, sim) as house:
            jobs = [await house.order("the same fox") for _ in range(5)]
            for job in jobs:
                await house.reaches(job, "done")
            await never_twice(house, *jobs)
            assert (await sim.stats())["running_peak"][sim.names[0]] <= 3

    run(scene())


@pytest.mark.parametrize(
    "fault",
    ["reconnect", "close_4000", "drop_all", "bad_zlib", "invalid_true", "op1", "unknown_events", "invalid_false"],
)
def test_a_drawing_outlives_its_gateway_connection(sim: Sim, tmp_path: Path, fault: str) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.progresses(job)
            await sim.fault(fault)
            await house.reaches(job, "done")
            await never_twice(house, job)
            assert states_of(house, job) == ["submitting", "drawing", "keeping"]

    run(scene())


@pytest.mark.parametrize("moment", ["submitting", "drawing"])
def test_an_account_that_dies_goes_on_with_its_drawing(sim: Sim, tmp_path: Path, moment: str) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.until(lambda: moment in states_of(house, job))
            house.kill(f"account/{sim.names[0]}")
            await house.reaches(job, "done")
            await never_twice(house, job)
            assert len(house.ears.of(Restarted)) == 1

    run(scene())


@pytest.mark.parametrize("moment", ["submitting", "drawing"])
def test_a_whole_process_that_ends_goes_on_with_its_drawing_at_the_next_start(
    sim: Sim, tmp_path: Path, moment: str
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.until(lambda: moment in states_of(house, job))
        async with studio(tmp_path, sim) as house:
            await house.until(lambda: job in house.ears.jobs)
            await house.reaches(job, "done")
            await never_twice(house, job)

    run(scene())


def test_a_lost_answer_is_no_reason_to_submit_again(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault("lost_response")
            job = await house.order("a fox in the snow")
            await house.reaches(job, "done")
            await never_twice(house, job)
            assert len(await sim.ledger()) == 1

    run(scene())


def test_what_a_resume_proves_not_taken_is_submitted_anew_under_another_nonce(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault("bad_gateway")
            job = await house.order("a fox in the snow")
            await house.until(lambda: "undecided" in states_of(house, job))
            done = await house.reaches(job, "done")
            assert done.attempt == 2
            assert (await sim.stats())["resumes"] >= 1
            await never_twice(house, job)

    run(scene())


def test_without_evidence_it_fails_undecided_and_the_place_is_free_again(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(slots=1, undecided_s=1.5)) as house:
            await sim.fault("bad_gateway")
            job = await house.order("a fox in the snow")
            await house.until(lambda: "undecided" in states_of(house, job))
            await sim.fault("invalid_false")  # a new session can prove nothing
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == ("undecided", False)
            other = await house.order("a second fox")
            await house.reaches(other, "done")
            await never_twice(house, other)

    run(scene())


def test_a_drawing_that_never_ends_times_out_uncharged_and_frees_its_place(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(slots=1, drawing_s=1.5)) as house:
            await sim.fault("never_finishes")
            job = await house.order("a fox in the snow")
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == ("upstream_timeout", False)
            other = await house.order("a second fox")
            await house.reaches(other, "done")

    run(scene())


def test_a_cancel_while_it_is_drawn_is_asked_of_the_bot(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault("never_finishes")
            job = await house.order("a fox in the snow")
            await house.progresses(job)
            house.cancel(job)
            cancelled = await house.reaches(job, "cancelled")
            assert cancelled.code == "cancelled"
            (row,) = await sim.ledger()
            assert row["outcome"] == "cancelled"

    run(scene())


@pytest.mark.parametrize(
    ("fault", "code", "charged"),
    [
        ("banned_prompt", "banned_prompt", True),
        ("invalid_parameter", "upstream_rejected", True),
        ("moderated", "upstream_rejected", False),
        ("captcha", "upstream_blocked", False),
    ],
)
def test_a_refusal_fails_the_job_and_charges_only_what_the_user_could_foresee(
    sim: Sim, tmp_path: Path, fault: str, code: str, charged: bool
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault(fault)
            job = await house.order("a fox in the snow")
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == (code, charged)
            if code == "upstream_blocked":
                await house.until(lambda: house.downs == 1)

    run(scene())


@pytest.mark.parametrize(
    "faults", ["queue_full", "stale_version", "r429_user", "r429_global", "lost_response queue_full"]
)
def test_an_explicit_refusal_is_followed_by_another_attempt(sim: Sim, tmp_path: Path, faults: str) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            for fault in faults.split():
                await sim.fault(fault)
            job = await house.order("a fox in the snow")
            done = await house.reaches(job, "done")
            assert done.attempt == 2
            await never_twice(house, job)

    run(scene())


def test_job_queued_is_no_failure(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault("job_queued")
            job = await house.order("a fox in the snow")
            done = await house.reaches(job, "done")
            assert done.attempt == 1
            await never_twice(house, job)

    run(scene())


def test_a_fatal_close_suspends_the_account_without_a_restart_or_another_identify(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(accounts=2)) as house:
            before = (await sim.stats())["identifies"]
            await sim.fault("close_4004", account=sim.names[0])
            await house.until(lambda: house.downs == 1)
            jobs = [await house.order(f"fox {number}") for number in range(4)]
            for job in jobs:
                done = await house.reaches(job, "done")
                assert done.account == sim.names[1]
            assert (await sim.stats())["identifies"] == before
            assert not house.ears.of(Restarted)

    run(scene())


def test_an_account_that_the_operator_suspends_gets_no_work_until_it_is_reinstated(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            name = sim.names[0]
            running = await house.order("a fox in the snow")
            await house.progresses(running)
            house.base.tell(f"account/{name}", Suspend(name, "maintenance"))
            await house.until(lambda: house.downs == 1)
            waiting = await house.order("a second fox")
            await house.reaches(running, "done")  # what it draws goes on
            assert states_of(house, waiting) == []
            house.base.tell(f"account/{name}", Reinstate(name))
            await house.reaches(waiting, "done")
            await never_twice(house, running, waiting)

    run(scene())


def test_a_new_session_finds_in_the_history_what_was_drawn_meanwhile(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.progresses(job)
        await sim.settled()  # the drawing ends while nobody is there
        await sim.fault("close_4007")  # and what Discord would have replayed is lost
        async with studio(tmp_path, sim) as house:
            await house.until(lambda: job in house.ears.jobs)
            await house.reaches(job, "done")
            await never_twice(house, job)
            assert (await sim.stats())["identifies"] == 2

    run(scene())


def test_the_account_tells_what_can_be_measured(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            await house.progresses(job)
            await sim.fault("reconnect")
            await house.reaches(job, "done")
            told = {(seen.metric, seen.labels) for seen in house.ears.of(Observed)}
            name = sim.names[0]
            assert ("limner_gateway_reconnects_total", (name, "resume")) in told
            assert ("limner_rest_requests_total", ("POST /interactions", "204")) in told
            assert ("limner_gateway_events_total", (name,)) in told

    run(scene())
