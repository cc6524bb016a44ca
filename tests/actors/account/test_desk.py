"""What every driver has without a line of its own: tokens, the word before a submission, outcomes told until stored.

The driver here draws nothing: it writes down what it is asked for. So nothing of Discord or any API is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import structs

from actors.account.desk import BEGIN_S_MAX, LEASE_RENEW_S, OUT_OF_WORK_TEXT, AccountDesk
from actors.account.messages import FreshPicture, Perform, Suspend
from actors.account.outbox import RESEND_S
from actors.account.work import Work
from actors.queue.messages import (
    Acknowledged,
    AskHoldings,
    Begin,
    Failed,
    Go,
    Holdings,
    NoGo,
    Returned,
    Stop,
)
from actors.scheduler import AccountDown, AccountUp, Announce, Renew, SlotFree
from actors.store import Store
from storage.operations import JobRecord
from tests.actors.account.test_work import JOB
from tests.actors.stage import Stage, play


class Sketcher(AccountDesk):
    """A driver in as few lines as there can be."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def submit(self, work: Work, job: JobRecord) -> None:
        self.seen.append(("submit", job.id))

    def take_up(self, work: Work, job: JobRecord) -> None:
        self.seen.append(("take up", job.id))

    def look_after(self, work: Work, now: float) -> None:
        if now >= work.due_at:
            self.end(work, self.overdue(work))

    def stop(self, work: Work) -> None:
        self.seen.append(("stop", work.job_id))

    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        self.seen.append(("fresh picture", wish.job))


def job(number: int = 1, **how: Any) -> JobRecord:
    return structs.replace(JOB, **{"id": f"j{number}", "lease": f"l{number}", "account": "fox"} | how)


def token(number: int = 1, attempt: int = 1) -> Perform:
    return Perform("ada", f"j{number}", attempt, f"l{number}", "fox", 1)


def scene(test: Callable[[Stage, Sketcher], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Plays a test with an account that has started and holds nothing."""

    def play_it() -> None:
        async def whole(stage: Stage) -> None:
            for name in ("queue", "scheduler", "monitor", "console", "gallery"):
                stage.cast(name)
            stage.cast("store", Store)
            fox = stage.cast("account/fox", Sketcher)
            await stage.one("queue", AskHoldings)
            stage.tell("account/fox", Holdings("fox", ()))
            await stage.quiet(1.0)
            assert (await stage.heard("scheduler", AccountUp))[-1] == AccountUp("fox", 2, ("fast", "relax"), 1.0, ())
            await test(stage, fox)

        play(whole)

    play_it.__name__ = test.__name__
    return play_it


async def submitted(stage: Stage, number: int = 1) -> None:
    stage.tell("account/fox", token(number))
    assert (await stage.one("queue", Begin)).job == f"j{number}"
    stage.tell("account/fox", Go("fox", job(number)))
    await stage.quiet()


@scene
async def test_a_token_is_no_submission_before_the_queue_has_stored_it(stage: Stage, fox: Sketcher) -> None:
    stage.tell("account/fox", token())
    assert await stage.one("queue", Begin) == Begin("fox", "j1", 1, "l1", None)
    assert fox.seen == []
    stage.tell("account/fox", Go("fox", job()))
    await stage.quiet()
    assert fox.seen == [("submit", "j1")]


@scene
async def test_go_said_twice_is_one_submission(stage: Stage, fox: Sketcher) -> None:
    await submitted(stage)
    stage.tell("account/fox", token(), Go("fox", job()), Go("fox", job()))
    await stage.quiet()
    assert fox.seen == [("submit", "j1")]


@scene
async def test_no_more_is_held_than_there_are_places(stage: Stage, fox: Sketcher) -> None:
    stage.tell("account/fox", token(1), token(2), token(3))
    assert [begin.job for begin in await stage.heard("queue", Begin)] == ["j1", "j2"]
    stage.tell("account/fox", NoGo("fox", "j1", 1))
    assert await stage.one("scheduler", SlotFree) == SlotFree("fox", "l1")
    stage.tell("account/fox", token(3))
    assert [begin.job for begin in await stage.heard("queue", Begin)] == ["j3"]


@scene
async def test_an_outcome_is_told_until_it_is_stored_and_the_place_is_free_at_once(stage: Stage, fox: Sketcher) -> None:
    await submitted(stage)
    work = fox.works["j1"]
    fox.end(work, fox.cancelled(work, charged=False))
    assert await stage.one("scheduler", SlotFree) == SlotFree("fox", "l1")
    await asyncio.sleep(3 * RESEND_S)
    told = await stage.heard("queue", Failed)
    assert len(told) >= 3
    assert len(set(told)) == 1
    stage.tell("account/fox", Acknowledged("fox", "j1", 1, "Failed"))
    await stage.heard("queue")
    await asyncio.sleep(3 * RESEND_S)
    assert await stage.heard("queue", Failed) == []


@scene
async def test_what_comes_while_it_is_out_of_work_is_given_back_unsubmitted(stage: Stage, fox: Sketcher) -> None:
    stage.tell("account/fox", token())
    await stage.one("queue", Begin)
    stage.tell("account/fox", Suspend("fox", "holiday"))
    assert (await stage.heard("scheduler", AccountDown))[-1] == AccountDown("fox", "holiday")
    stage.tell("account/fox", Go("fox", job()), token(2))
    assert await stage.one("queue", Returned) == Returned("fox", "j1", 1, OUT_OF_WORK_TEXT)
    assert await stage.heard("queue", Begin) == []
    assert fox.seen == []


@scene
async def test_what_is_not_wanted_any_more_before_it_is_submitted_ends_uncharged(stage: Stage, fox: Sketcher) -> None:
    stage.tell("account/fox", token())
    await stage.one("queue", Begin)
    stage.tell("account/fox", Stop("fox", "j1"), Go("fox", job()))
    ended = await stage.one("queue", Failed)
    assert (ended.state, ended.charged) == ("cancelled", False)
    assert ("submit", "j1") not in fox.seen


@scene
async def test_a_word_that_is_lost_frees_the_place_and_the_queue_is_asked(stage: Stage, fox: Sketcher) -> None:
    stage.tell("account/fox", token())
    await stage.one("queue", Begin)
    await asyncio.sleep(BEGIN_S_MAX + 2)
    assert await stage.one("scheduler", SlotFree) == SlotFree("fox", "l1")
    await stage.one("queue", AskHoldings)
    stage.tell("account/fox", Holdings("fox", (job(),)))  # its Go was lost: surely not submitted
    assert (await stage.one("queue", Returned)).job == "j1"


@scene
async def test_its_leases_are_renewed_and_announced_to_a_new_scheduler(stage: Stage, fox: Sketcher) -> None:
    await submitted(stage)
    await stage.heard("scheduler")
    await asyncio.sleep(2 * LEASE_RENEW_S + 1)
    assert set(await stage.heard("scheduler", Renew)) == {Renew("fox", "l1")}
    stage.tell("account/fox", Announce(2))
    assert (await stage.one("scheduler", AccountUp)).holding == ("l1",)


@scene
async def test_a_drawing_that_takes_too_long_ends_refunded(stage: Stage, fox: Sketcher) -> None:
    await submitted(stage)
    await asyncio.sleep(fox.process.config.limits.drawing_s + 2)
    told = await stage.heard("queue", Failed)
    assert {(failed.code, failed.charged) for failed in told} == {("upstream_timeout", False)}


def test_what_an_earlier_life_held_is_taken_up_and_not_submitted() -> None:
    async def whole(stage: Stage) -> None:
        for name in ("queue", "scheduler", "monitor"):
            stage.cast(name)
        stage.cast("store", Store)
        fox = stage.cast("account/fox", Sketcher)
        await stage.one("queue", AskHoldings)
        stage.tell("account/fox", token(3))
        held = (job(1, state="submitting"), job(2, state="drawing"))
        stage.tell("account/fox", Holdings("fox", held), Go("fox", job(1)))
        await stage.quiet(1.0)
        assert fox.seen == [("take up", "j1"), ("take up", "j2")]
        assert (await stage.heard("scheduler", AccountUp))[-1].holding == ("l1", "l2")
        assert await stage.heard("queue", Begin) == []

    play(whole)
