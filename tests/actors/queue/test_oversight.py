"""What an operator asks of the Queue: nothing begins while it is paused, and what a banned user has waiting ends."""

from __future__ import annotations

from actors.queue.actor import Queue
from actors.queue.messages import Begin, Cancel, CancelHeard, Demand, JobAccepted, JobRefused, JobSettled, Next, NoGo
from actors.queue.orders import (
    AskQueue,
    AskStandings,
    CancelWaiting,
    PauseQueue,
    PlanChanged,
    QueuePaused,
    QueueStands,
    QueueUser,
    Standings,
    WaitingCancelled,
)
from actors.shell import Kill
from tests.actors.queue.test_actor import accepted, demand, set_up, wish
from tests.actors.stage import CONFIG, Stage, play

STUDIO = CONFIG + "\n[plans.studio]\nconcurrent = 1\nweight = 4.0\n"


async def pause(stage: Stage, paused: bool = True) -> bool:
    stage.tell("queue", PauseQueue(paused, "ask"))
    told = await stage.one("console", QueuePaused)
    assert told.code is None
    return told.changed


async def opened(stage: Stage) -> None:
    await set_up(stage)
    stage.cast("console")


def test_a_paused_queue_takes_jobs_and_gives_no_place_until_it_is_resumed() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        assert await pause(stage)
        assert not await pause(stage)
        told = await accepted(stage)
        assert (told.position, told.eta_s) == (1, None)
        stage.tell("queue", demand())
        assert await stage.heard("scheduler", Next) == []
        stage.tell("queue", AskQueue("ask", 10), AskStandings("ask", (told.job.id, "j9")))
        users = (QueueUser("ana", 1, 0, 1.0),)
        assert await stage.one("console", QueueStands) == QueueStands("ask", 1, True, {"fast": 1}, users, False)
        assert await stage.one("console", Standings) == Standings("ask", {told.job.id: 1})
        assert await pause(stage, False)
        assert (await stage.one("scheduler", Next)).job == told.job.id
        assert not await pause(stage, False)

    play(scene)


def test_who_waits_is_told_page_by_page_the_most_first() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        for user in ("ana", "ben", "ben"):
            await accepted(stage, user=user)
        told: list[tuple[str, int, bool]] = []
        for after in (None, (2, "ben"), (1, "ana")):
            stage.tell("queue", AskQueue("ask", 1, after))
            page = await stage.one("console", QueueStands)
            told += [(each.user, each.waiting, page.more) for each in page.users]
        assert told == [("ben", 2, True), ("ana", 1, False)]

    play(scene)


def test_what_was_granted_when_the_queue_was_paused_does_not_begin_and_stands_at_its_head() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        first, second = await accepted(stage), await accepted(stage)
        stage.tell("queue", demand())
        granted = await stage.one("scheduler", Next)
        assert granted.job == first.job.id
        await pause(stage)
        stage.tell("queue", Begin("fox", granted.job, granted.attempt, "l1", None))
        assert (await stage.one("account/fox", NoGo)).job == granted.job
        stage.tell("queue", AskStandings("ask", (first.job.id, second.job.id)))
        assert (await stage.one("console", Standings)).places == {first.job.id: 1, second.job.id: 2}

    play(scene)


def test_a_pause_outlives_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        await accepted(stage)
        await pause(stage)
        stage.tell("queue", Kill("a fault"))
        await stage.quiet()
        stage.cast("queue", Queue)
        await stage.quiet()
        stage.tell("queue", demand())
        assert await stage.heard("scheduler", Next) == []
        await pause(stage, False)
        assert len(await stage.heard("scheduler", Next)) == 1

    play(scene)


def test_all_that_a_user_has_waiting_ends_also_what_is_being_granted_and_nobody_elses_does() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        mine = [(await accepted(stage)).job.id for _ in range(3)]
        other = await accepted(stage, user="ben")
        stage.tell("queue", demand(), CancelWaiting("ana", "ask"))
        assert (await stage.one("console", WaitingCancelled)).count == 3
        ended = await stage.heard("lobby", JobSettled)
        assert sorted(end.job.id for end in ended) == sorted(mine)
        assert {(end.job.state, end.job.charged) for end in ended} == {("cancelled", False)}
        stage.tell("queue", AskStandings("ask", (other.job.id,)), CancelWaiting("ana", "ask"))
        assert (await stage.one("console", WaitingCancelled)).count == 0

    play(scene)


def test_an_operators_cancel_is_answered_to_the_console_and_fresh_once() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        job = (await accepted(stage)).job.id
        stage.tell("queue", Cancel(None, "r9", job, "console"))
        told = await stage.one("console", CancelHeard)
        assert (told.request_id, told.code, told.fresh) == ("r9", None, True)
        stage.tell("queue", Cancel(None, "r9", job, "console"))
        assert (await stage.one("console", CancelHeard)).code == "not_cancellable"
        stage.tell("queue", Cancel(None, "r9", "j9", "console"))
        assert (await stage.one("console", CancelHeard)).code == "not_found"

    play(scene)


def test_what_the_console_orders_is_told_to_it_and_an_acceptance_to_the_users_session_too() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        stage.tell("queue", wish(ref="retry:j1", reply_to="console"))
        first = await stage.one("console", JobAccepted)
        assert (await stage.one("lobby", JobAccepted)).job == first.job
        stage.tell("queue", wish(ref="retry:j1", reply_to="console"))
        again = await stage.one("console", JobAccepted)
        assert (again.replayed, again.job.id) == (True, first.job.id)
        stage.tell("queue", wish(ref="retry:j1", prompt="another", reply_to="console"))
        assert (await stage.one("console", JobRefused)).code == "ref_conflict"
        assert await stage.heard("lobby", JobRefused) == []

    play(scene)


def test_another_plan_bounds_a_users_drawings_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await opened(stage)
        for _ in range(3):
            await accepted(stage)
        stage.tell("queue", PlanChanged("ana", "studio"))
        stage.tell("queue", *(Demand(f"l{number}", 1, "fox", ("fast",), 0.0) for number in range(3)))
        assert len(await stage.heard("scheduler", Next)) == 1

    play(scene, config=STUDIO)
