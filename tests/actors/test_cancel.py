"""A cancel in every state of a job: at once while it waits, asked of the bot while it is there, and never too much."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from actors.queue.actor import Queue
from actors.queue.course import STOP_AGAIN_S
from actors.queue.messages import (
    Acknowledged,
    AskHoldings,
    Begin,
    Cancel,
    CancelHeard,
    Doubtful,
    Drawn,
    Failed,
    Go,
    Holdings,
    JobSettled,
    Kept,
    LeaseVoid,
    LedgerOpen,
    Next,
    NoGo,
    Returned,
    Sighted,
    Stop,
)
from actors.shell import Kill
from actors.store_messages import LookedUp, Lookup
from core.job import TERMINAL
from storage.operations import JobFound, JobRecord, ReadJob, ReadUser, UserRecord
from system.message import Message
from tests.actors.queue.test_actor import OFFERS, accepted, demand, drawn, picture, set_up, submitted
from tests.actors.stage import CONFIG, Stage, play

AT_ONCE = ("queued", "granted")
OF_THE_BOT = ("submitting", "undecided", "drawing")
TOO_LATE = ("keeping", "done", "failed", "cancelled")


async def a_job(stage: Stage, state: str) -> str:
    """A job of ana's that has come to this state."""
    job = (await accepted(stage)).job.id
    if state == "granted":
        stage.tell("queue", demand())
        await stage.one("scheduler", Next)
    elif state == "cancelled":
        stage.tell("queue", Cancel("ana", "c0", job))
        await stage.one("lobby", CancelHeard)
    elif state != "queued":
        go = await submitted(stage)
        steps: dict[str, list[Message]] = {
            "submitting": [],
            "undecided": [Doubtful("fox", job, 1)],
            "drawing": [Sighted("fox", job, 1, "i1", "m1", None)],
            "keeping": [drawn(go)],
            "done": [drawn(go), Kept(job, 1, (picture(job),))],
            "failed": [Failed("fox", job, 1, "failed", "upstream_rejected", "no", False)],
        }
        stage.tell("queue", *steps[state])
    await stage.quiet()
    assert (await stored(stage, job)).state == state
    await stage.heard("lobby")
    return job


async def stored(stage: Stage, job: str) -> JobRecord:
    stage.tell("store", Lookup("look", "monitor", ReadJob(job, None)))
    found = (await stage.one("monitor", LookedUp)).found
    assert isinstance(found, JobFound)
    return found.job


async def used(stage: Stage) -> int:
    """Of ana's quota of the day on which the stage plays."""
    stage.tell("store", Lookup("look", "monitor", ReadUser("ana", "2026-01-01")))
    found = (await stage.one("monitor", LookedUp)).found
    assert isinstance(found, UserRecord)
    return found.used


def on_stage(whole: Any) -> None:
    """Plays it on a stage with store and queue, where ana may order a lot."""

    async def prepared(stage: Stage) -> None:
        await set_up(stage)
        await whole(stage)

    play(prepared, config=CONFIG.replace("daily = 5", "daily = 500"))


@pytest.mark.parametrize("state", AT_ONCE)
@pytest.mark.parametrize("who", ["ana", None])
def test_what_waits_is_cancelled_at_once_and_refunded_and_never_drawn(state: str, who: str | None) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        assert await used(stage) == 1
        stage.tell("queue", Cancel(who, "c1", job))
        settled = await stage.one("lobby", JobSettled)
        assert (settled.job.state, settled.job.charged, await used(stage)) == ("cancelled", False, 0)
        stage.tell("queue", Begin("fox", job, 1, "l1", None), demand("l2"))
        await stage.one("account/fox", NoGo)
        assert await stage.heard("account/fox", Go) == []
        assert await stage.heard("scheduler", Next) == []

    on_stage(whole)


@pytest.mark.parametrize("state", OF_THE_BOT)
@pytest.mark.parametrize("who", ["ana", None])
def test_what_the_bot_has_is_asked_of_it_and_goes_on_until_the_bot_says_otherwise(state: str, who: str | None) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        stage.tell("queue", Cancel(who, "c1", job))
        assert await stage.one("account/fox", Stop) == Stop("fox", job)
        heard = await stage.one("lobby", CancelHeard)
        assert heard.job is not None
        assert (heard.code, heard.job.state) == (None, state)
        assert await stage.heard("lobby", JobSettled) == []
        stage.tell("queue", Failed("fox", job, 1, "cancelled", "cancelled", "As asked.", True))
        assert (await stage.one("lobby", JobSettled)).job.state == "cancelled"

    on_stage(whole)


@pytest.mark.parametrize("state", OF_THE_BOT)
def test_a_picture_that_comes_before_the_bot_has_stopped_is_the_end(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        stage.tell("queue", Cancel("ana", "c1", job))
        stage.tell("queue", Drawn("fox", job, 1, "m2", "http://cdn/x.png", "hash", OFFERS, None))
        stage.tell("queue", Failed("fox", job, 1, "cancelled", "cancelled", "As asked.", True))
        await stage.quiet()
        stage.tell("queue", Kept(job, 1, (picture(job),)))
        settled = await stage.one("lobby", JobSettled)
        assert (settled.job.state, settled.job.charged, await used(stage)) == ("done", True, 1)

    on_stage(whole)


@pytest.mark.parametrize("state", TOO_LATE)
def test_what_is_kept_or_over_cannot_be_cancelled_and_does_not_change(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        before, spent = await stored(stage, job), await used(stage)
        stage.tell("queue", Cancel("ana", "c1", job))
        assert (await stage.one("lobby", CancelHeard)).code == "not_cancellable"
        assert await stage.heard("lobby", JobSettled) == []
        assert await stage.heard("account/fox", Stop) == []
        assert (await stored(stage, job), await used(stage)) == (before, spent)

    on_stage(whole)


@pytest.mark.parametrize("state", AT_ONCE + OF_THE_BOT + TOO_LATE)
def test_a_strangers_cancel_finds_nothing_whatever_the_state(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        before = await stored(stage, job)
        stage.tell("queue", Cancel("ben", "c1", job), Cancel("ana", "c2", "j-that-never-was"))
        heard = await stage.heard("lobby", CancelHeard)
        assert [(told.code, told.job) for told in heard] == [("not_found", None)] * 2
        assert await stage.heard("account/fox", Stop) == []
        assert await stored(stage, job) == before

    on_stage(whole)


@pytest.mark.parametrize("state", AT_ONCE + OF_THE_BOT)
def test_a_cancel_said_twice_is_heard_twice_and_ends_the_job_once(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        stage.tell("queue", Cancel("ana", "c1", job), Cancel("ana", "c2", job))
        codes = [told.code for told in await stage.heard("lobby", CancelHeard)]
        assert codes == ([None, "not_cancellable"] if state in AT_ONCE else [None, None])
        stage.tell("queue", Failed("fox", job, 1, "cancelled", "cancelled", "As asked.", True))
        await stage.quiet()
        assert await used(stage) == (0 if state in AT_ONCE else 1)

    on_stage(whole)


@pytest.mark.parametrize("state", ["submitting", "undecided"])
def test_a_job_that_comes_back_unsubmitted_after_a_cancel_is_not_drawn_again(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        stage.tell("queue", Cancel("ana", "c1", job), Returned("fox", job, 1, "proven not taken"), demand("l2"))
        settled = await stage.one("lobby", JobSettled)
        assert (settled.job.state, settled.job.charged, await used(stage)) == ("cancelled", False, 0)
        assert "Returned" in [told.fact for told in await stage.heard("account/fox", Acknowledged)]
        assert await stage.heard("scheduler", Next) == []

    on_stage(whole)


def test_a_job_that_came_back_just_before_the_cancel_is_cancelled_where_it_waits() -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, "submitting")
        stage.tell("queue", Returned("fox", job, 1, "429"), Cancel("ana", "c1", job))
        assert (await stage.one("lobby", JobSettled)).job.state == "cancelled"
        assert (await stage.one("lobby", CancelHeard)).code is None

    on_stage(whole)


def test_an_undecided_job_that_is_not_wanted_ends_undecided_when_no_evidence_comes() -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, "undecided")
        stage.tell("queue", Cancel("ana", "c1", job))
        await stage.quiet(610)
        settled = await stage.one("lobby", JobSettled)
        assert (settled.job.code, settled.job.charged) == ("undecided", False)

    on_stage(whole)


def test_an_account_is_told_to_stop_until_the_job_has_ended_and_not_longer() -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, "drawing")
        stage.tell("queue", Cancel("ana", "c1", job))
        await stage.quiet(3 * STOP_AGAIN_S + 1)
        assert len(await stage.heard("account/fox", Stop)) == 4
        stage.tell("queue", Failed("fox", job, 1, "cancelled", "cancelled", "As asked.", True))
        await stage.quiet(3 * STOP_AGAIN_S)
        assert await stage.heard("account/fox", Stop) == []

    on_stage(whole)


@pytest.mark.parametrize("state", OF_THE_BOT)
def test_a_wish_to_cancel_outlives_the_queue_and_is_told_to_a_new_account(state: str) -> None:
    async def whole(stage: Stage) -> None:
        job = await a_job(stage, state)
        stage.tell("queue", Cancel("ana", "c1", job))
        await stage.one("account/fox", Stop)
        stage.tell("queue", Kill("test"))
        await stage.quiet()
        stage.cast("queue", Queue)
        await stage.one("scheduler", LedgerOpen)
        stage.tell("queue", AskHoldings("fox"))
        (held,) = (await stage.one("account/fox", Holdings)).jobs
        assert held.cancel_asked_at is not None
        await stage.quiet(STOP_AGAIN_S + 1)
        assert await stage.one("account/fox", Stop) == Stop("fox", job)

    on_stage(whole)


def words_about(job: str, attempt: int, lease: str) -> list[Message]:
    """What may be said about an attempt, in whatever order."""
    return [
        Cancel("ana", "c", job),
        Cancel(None, "c", job),
        Begin("fox", job, attempt, lease, "gs1"),
        LeaseVoid(lease, job, attempt),
        Returned("fox", job, attempt, "429"),
        Doubtful("fox", job, attempt),
        Sighted("fox", job, attempt, "i1", "m1", None),
        Failed("fox", job, attempt, "cancelled", "cancelled", "As asked.", True),
        Drawn("fox", job, attempt, f"m{job}", "http://cdn/x.png", "hash", OFFERS, None),
        Kept(job, attempt, (picture(job),)),
    ]


@pytest.mark.parametrize("seed", range(60))
def test_cancels_that_race_with_everything_end_each_job_once_and_charge_only_what_was_drawn(seed: int) -> None:
    dice = random.Random(seed)

    async def whole(stage: Stage) -> None:
        jobs = [(await accepted(stage, request_id=f"r{number}")).job.id for number in range(3)]
        settled: Counter[str] = Counter()
        for number in range(40):
            stage.tell("queue", demand(f"l{number}"))
            for job in jobs:
                attempt, lease = dice.choice(((1, "l0"), (2, "l1"), (1, "l1"), (1, "l2"), (2, "l3"), (3, "l4")))
                stage.tell("queue", dice.choice(words_about(job, attempt, lease)))
            if dice.random() < 0.05:
                stage.tell("queue", Kill("test"))
                await stage.quiet()
                stage.cast("queue", Queue)
            if dice.random() < 0.5:
                await stage.quiet(dice.uniform(0.0, 0.1))
            settled.update(told.job.id for told in await stage.heard("lobby", JobSettled))
        stage.tell("queue", *(Cancel(None, "last", job) for job in jobs))
        await stage.quiet()
        for job in jobs:  # what is still there is told of by its account, and by the gallery
            now = await stored(stage, job)
            stage.tell("queue", Failed("fox", job, now.attempt, "cancelled", "cancelled", "As asked.", True))
            stage.tell("queue", Kept(job, now.attempt, (picture(job),)))
        await stage.quiet()
        settled.update(told.job.id for told in await stage.heard("lobby", JobSettled))
        ends = [await stored(stage, job) for job in jobs]
        assert all(end.state in TERMINAL for end in ends)
        assert set(settled) <= set(jobs)
        assert max(settled.values()) == 1
        assert all([moment.state in TERMINAL for moment in end.history].count(True) == 1 for end in ends)
        assert await used(stage) == sum(end.charged for end in ends)
        drawn_for = {end.id for end in ends if end.charged}
        assert all({"submitting"} <= {moment.state for moment in end.history} for end in ends if end.id in drawn_for)
        queue = stage.instance("queue")
        assert (queue.jobs, queue.running, queue.unwanted, len(queue.fair)) == ({}, {}, set(), 0)

    on_stage(whole)
