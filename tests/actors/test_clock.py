"""A wall clock that is set back an hour, or forth again, breaks no order, no quota and no lease."""

from __future__ import annotations

import asyncio

from actors.queue.actor import Queue
from actors.queue.messages import (
    AskPlaces,
    Begin,
    Cancel,
    Doubtful,
    Go,
    JobRefused,
    JobSettled,
    LedgerOpen,
    Next,
    Places,
)
from actors.scheduler import AccountUp, Announce, Scheduler, Token
from actors.shell import Kill
from actors.store import TIDY_EACH_S
from actors.store_messages import Commit, Committed, LookedUp, Lookup
from core.config import read
from core.quota import day_of
from core.tokens import BEGIN_S
from storage.groups import REMEMBERED_S
from storage.operations import AddKey, Applied, DropKey, JobRecords, ListJobs, ReadUser, UserRecord
from tests.actors.queue.test_actor import accepted, demand, scene, submitted, wish
from tests.actors.stage import CONFIG, Stage

HOUR_S = 3600.0


def set_clock(stage: Stage, seconds: float) -> None:
    """Sets the host's clock, so many seconds on (or, below 0, back); time itself goes on as it did."""
    believed = stage.base.wall
    stage.base.wall = lambda: believed() + seconds


async def restarted(stage: Stage) -> None:
    """The Queue dies and is rebuilt from the store."""
    stage.tell("queue", Kill("test"))
    await stage.quiet()
    stage.cast("queue", Queue)
    await stage.one("scheduler", LedgerOpen)


async def page_of(stage: Stage) -> list[str]:
    """The ids of ana's jobs as her page shows them, newest first."""
    stage.tell("store", Lookup("page", "monitor", ListJobs("ana", None, 50, None)))
    (answer,) = [told for told in await stage.heard("monitor", LookedUp) if told.lookup_id == "page"]
    assert isinstance(answer.found, JobRecords)
    return [job.id for job in answer.found.jobs]


async def used(stage: Stage, day: str) -> int:
    """How many pictures ana used on that day."""
    stage.tell("store", Lookup("used", "monitor", ReadUser("ana", day)))
    (answer,) = [told for told in await stage.heard("monitor", LookedUp) if told.lookup_id == "used"]
    assert isinstance(answer.found, UserRecord)
    return answer.found.used


@scene
async def test_a_users_jobs_keep_their_order_in_line_and_on_the_page(stage: Stage) -> None:
    jobs = []
    for number in range(4):
        jobs.append((await accepted(stage, request_id=f"r{number}")).job.id)
        set_clock(stage, -HOUR_S)
    assert await page_of(stage) == jobs[::-1]
    await restarted(stage)
    stage.tell("queue", AskPlaces("ana"))
    places = await stage.one("lobby", Places)
    assert [place.job for place in places.places] == jobs
    stage.tell("queue", demand())
    assert (await stage.one("scheduler", Next)).job == jobs[0]


@scene
async def test_a_job_is_after_those_of_an_earlier_life_also_when_they_have_all_ended(stage: Stage) -> None:
    first = (await accepted(stage)).job.id
    stage.tell("queue", Cancel("ana", "c", first))
    await stage.one("lobby", JobSettled)
    set_clock(stage, -HOUR_S)
    await restarted(stage)
    second = (await accepted(stage, request_id="r2")).job.id
    assert await page_of(stage) == [second, first]


async def wait_for_midnight(stage: Stage) -> tuple[str, str]:
    """Sets the clock to five minutes past the next midnight (UTC); that day and the one before."""
    now = stage.base.wall()
    set_clock(stage, 86_400.0 - now % 86_400.0 + 300.0)
    return day_of(stage.base.wall(), "UTC"), day_of(now, "UTC")


@scene
async def test_set_back_over_midnight_nobody_gets_yesterdays_pictures_once_more(stage: Stage) -> None:
    today, yesterday = await wait_for_midnight(stage)
    await accepted(stage, request_id="r0")
    set_clock(stage, -HOUR_S)
    assert day_of(stage.base.wall(), "UTC") == yesterday
    await restarted(stage)
    await submitted(stage, "l1")
    for number in range(1, 4):
        await accepted(stage, request_id=f"r{number}")
    await submitted(stage, "l2")
    await accepted(stage, request_id="r4")
    stage.tell("queue", wish(request_id="one too many"))
    refused = await stage.one("lobby", JobRefused)
    assert refused.code == "quota_exceeded"
    assert refused.retry_after_s is not None
    assert refused.retry_after_s > 0
    assert (await used(stage, today), await used(stage, yesterday)) == (5, 0)


@scene
async def test_a_refund_goes_to_the_day_that_was_charged_whatever_day_the_clock_tells(stage: Stage) -> None:
    today, yesterday = await wait_for_midnight(stage)
    job = (await accepted(stage)).job.id
    assert await used(stage, today) == 1
    set_clock(stage, -HOUR_S)
    stage.tell("queue", Cancel("ana", "c", job))
    await stage.one("lobby", JobSettled)
    assert (await used(stage, today), await used(stage, yesterday)) == (0, 0)


@scene
async def test_a_ref_names_the_same_job_before_and_after(stage: Stage) -> None:
    first = await accepted(stage, ref="ref-1")
    for seconds in (-HOUR_S, HOUR_S):
        set_clock(stage, seconds)
        again = await accepted(stage, ref="ref-1")
        assert (again.job.id, again.replayed) == (first.job.id, True)


@scene
async def test_a_doubtful_job_is_given_up_when_its_time_has_passed_and_not_when_the_clock_says_so(stage: Stage) -> None:
    await accepted(stage)
    go = await submitted(stage)
    stage.tell("queue", Doubtful("fox", go.job.id, 1))
    await stage.quiet()
    undecided_s = read(CONFIG, {}).limits.undecided_s
    set_clock(stage, -HOUR_S)
    await stage.quiet(undecided_s - 5.0)
    set_clock(stage, 2 * HOUR_S)
    assert await stage.heard("lobby", JobSettled) == []
    await stage.quiet(10.0)
    assert (await stage.one("lobby", JobSettled)).job.code == "undecided"


@scene
async def test_a_scheduler_of_a_clock_set_back_gives_out_places_and_its_leases_end_after_ten_seconds(
    stage: Stage,
) -> None:
    for number in range(2):
        await accepted(stage, request_id=f"r{number}")
    stage.cast("accounts")
    epochs = []
    for life in range(2):
        stage.instance("scheduler").leave()
        await stage.quiet()
        set_clock(stage, -life * HOUR_S)
        stage.cast("scheduler", Scheduler)
        await stage.one("accounts", Announce)
        stage.tell("scheduler", AccountUp("fox", 1, ("fast",), 1.0, ()))
        token = await stage.one("lobby", Token)
        epochs.append(token.epoch)
    assert epochs[0] < epochs[1]
    set_clock(stage, -HOUR_S)
    await stage.quiet(BEGIN_S - 1.0)
    assert await stage.heard("lobby", Token) == []
    await stage.quiet(2.0)
    again = await stage.one("lobby", Token)
    assert (again.job, again.attempt) == (token.job, token.attempt + 1), "the same job, at the head of its line"
    stage.tell("queue", begin_of(token), begin_of(again))
    assert (await stage.one("account/fox", Go)).job.lease == again.lease


def begin_of(token: Token) -> Begin:
    """What its account says to begin it."""
    return Begin("fox", token.job, token.attempt, token.lease, "gs1")


@scene
async def test_a_write_done_while_the_clock_was_behind_is_known_again_after_it_is_right(
    stage: Stage,
) -> None:
    drop = Commit("op", "asker", DropKey("d9", 1.0))
    stage.cast("asker")
    await asyncio.sleep(REMEMBERED_S)
    set_clock(stage, -HOUR_S)
    stage.tell("store", Commit("before", "asker", AddKey("k9", "ana", "d9", "user", False, None, 1.0)), drop)
    _, dropped = await stage.heard("asker", Committed)
    set_clock(stage, HOUR_S)
    await asyncio.sleep(3 * TIDY_EACH_S)
    stage.tell("store", drop)
    assert isinstance(dropped.outcome, Applied)
    assert (await stage.one("asker", Committed)).outcome == dropped.outcome
