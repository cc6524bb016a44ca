"""Tasks, crashes and deaths: what an actor owns dies with it, and those who should hear of it do."""

import asyncio
import gc
import logging
import sys
from typing import Any

import pytest
from thespian.actors import Actor, ActorExitRequest, ActorSystemFailure, InvalidActorAddress

from system.loop_base import LoopBase
from tests.system.cast import Diary, Note, heard, pass_time, with_base


class Worker(Diary):
    """Does in a task what a note says, or in the handler itself."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        me = self._myRef
        match message:
            case Note("sleep", seconds):
                me.start_task(self.sleep(seconds), "sleep")
            case Note("fail in a task"):
                me.start_task(self.fail(), "failing")
            case Note("return a live object"):
                me.start_task(self.live(), "live")
            case Note("crash"):
                try:
                    raise KeyError("lost")
                except KeyError as error:
                    me.crash(error, message)
            case Note("exit"):
                me.exit()
            case _:
                super().receiveMessage(message, sender)

    async def sleep(self, seconds: int) -> Note | None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.texts.append("task cancelled")
            raise
        return Note(f"slept {seconds}") if seconds else None

    async def fail(self) -> None:
        await asyncio.sleep(1)
        raise ValueError("out of ink")

    async def live(self) -> object:
        return object()


class Sibling(Diary):
    """A second class, so that the census tells the two apart."""


def family(base: LoopBase) -> Worker:
    """A Diary called parent, and its children: a Worker called worker and a Sibling; gives the Worker."""
    parent = base.create(Diary, "parent").record
    parent.create(Sibling, "sibling")
    worker: Worker = parent.create(Worker, "worker").record.instance
    return worker


def test_the_result_of_a_task_comes_back_as_a_message_unless_it_is_none() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        family(base)
        base.tell("worker", Note("sleep", 5))
        base.tell("worker", Note("sleep", 0))
        base.tell("worker", Note("meanwhile"))
        await pass_time(4)
        assert base.totals().tasks == 1
        await pass_time(2)
        assert base.totals().tasks == 0
        return await heard(base, "worker")

    assert with_base(scene) == ("meanwhile", "slept 5")


def test_a_failed_task_is_its_actors_crash_and_siblings_notice_nothing() -> None:
    async def scene(base: LoopBase) -> None:
        family(base)
        base.tell("worker", Note("fail in a task"))
        await pass_time(2)
        assert base.whereis("worker") is None
        assert await heard(base, "parent") == ("worker ended: ValueError: out of ink",)
        assert await heard(base, "sibling") == ()

    with_base(scene)


def test_a_task_that_returns_what_cannot_be_sent_crashes_its_actor() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        family(base)
        base.tell("worker", Note("return a live object"))
        await pass_time(1)
        return await heard(base, "parent")

    (news,) = with_base(scene)
    assert news.startswith("worker ended: TypeError: a object is no Message")


def test_a_crash_gives_the_parent_its_reason_and_the_log_one_traceback_without_the_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        family(base)
        base.tell("worker", Note("crash", 4711))
        return await heard(base, "parent")

    with caplog.at_level(logging.DEBUG, "limner"):
        assert with_base(scene) == ("worker ended: KeyError: 'lost'",)
    (line,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.exc_info is not None
    assert (line.actor, line.kind, line.during) == ("worker", "Worker", "Note")
    assert "4711" not in caplog.text


def test_a_normal_exit_has_no_reason() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        family(base)
        base.tell("worker", Note("exit"))
        await base.idle()
        base.tell("sibling", ActorExitRequest())
        return await heard(base, "parent")

    assert with_base(scene) == ("worker ended: None", "sibling ended: None")


@pytest.mark.parametrize("end", [Note("crash"), Note("exit"), ActorExitRequest()])
def test_the_end_of_an_actor_cancels_its_tasks_ends_its_children_and_loses_its_mail(end: Any) -> None:
    async def scene(base: LoopBase) -> None:
        worker = family(base)
        child = worker._myRef.create(Diary, "child").record.instance
        base.tell("worker", Note("sleep", 1000))
        await base.idle()
        base.tell("worker", end)
        base.tell("worker", Note("never read"))
        await base.idle()
        await pass_time(1)
        assert worker.texts[-1] == "task cancelled"
        assert child.texts == ["asked to exit"]
        assert base.totals().dead_letters == 1
        assert base.totals().tasks == 0
        assert [row.name for row in base.census()] == ["parent", "sibling"]

    with_base(scene)


def test_the_ended_can_start_nothing_any_more() -> None:
    async def scene(base: LoopBase) -> None:
        worker = family(base)
        me = worker._myRef
        base.tell("worker", ActorExitRequest())
        await base.idle()
        with pytest.raises(RuntimeError, match="worker has ended"):
            me.start_task(worker.sleep(1), "too late")
        with pytest.raises(InvalidActorAddress):
            me.create(Diary)
        me.post(Note("to myself"))
        me.wakeupAfter(1, "never")
        me.exit()
        me.crash(ValueError("again"))
        assert (base.totals().waiting, base.totals().timers, base.totals().crashes) == (0, 0, 0)
        await base.stop()
        with pytest.raises(ActorSystemFailure):
            base.create(Diary)

    with_base(scene)


def test_a_child_that_could_not_be_made_is_heard_of_with_the_reason() -> None:
    class Stillborn(Actor):
        def __init__(self) -> None:
            raise OSError("no ink")

    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "parent").record.create(Stillborn, "stillborn")
        with pytest.raises(OSError, match="no ink"):
            base.create(Stillborn)
        assert base.totals().actors == 1
        return await heard(base, "parent")

    assert with_base(scene) == ("stillborn ended: OSError: no ink",)


def test_the_last_error_of_a_name_outlives_the_actor_and_counts() -> None:
    async def scene(base: LoopBase) -> None:
        for _ in range(3):
            base.create(Worker, "account/fox")
            base.tell("account/fox", Note("crash"))
            await pass_time(10)
        base.create(Worker, "account/fox")
        (row,) = base.census()
        error = base.last_errors.get("account/fox")
        assert error is not None
        assert row.last_error == error.reason == "KeyError: 'lost'"
        assert (error.crashes, error.at, base.totals().crashes) == (3, base.wall() - 10, 3)

    with_base(scene)


def test_one_may_wait_for_an_actors_end() -> None:
    async def scene(base: LoopBase) -> None:
        family(base)
        crash, leave = (asyncio.ensure_future(base.ended(name)) for name in ("worker", "parent"))
        await pass_time(1)
        base.tell("worker", Note("crash"))
        base.tell("parent", ActorExitRequest())
        assert await crash == "KeyError: 'lost'"
        assert await leave is None

    with_base(scene)


def test_a_poisonous_message_comes_back_to_its_sender_after_three_attempts() -> None:
    class Allergic(Actor):
        attempts = 0

        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, Note):
                Allergic.attempts += 1
                raise ValueError("achoo")

    async def scene(base: LoopBase) -> Any:
        base.create(Allergic, "allergic")
        return await base.ask("allergic", Note("pollen"), timeout=1)

    poison = with_base(scene)
    assert poison.poisonMessage == Note("pollen")
    assert "achoo" in poison.details
    assert Allergic.attempts == 3


def test_dice_replay_with_the_seed_and_differ_among_actors_and_their_successors() -> None:
    async def scene(base: LoopBase) -> list[float]:
        throws = []
        for name in ("fox", "owl", "fox"):
            throws.append(base.create(Diary, name).record.rng.random())
            base.tell(name, ActorExitRequest())
            await base.idle()
        return throws

    first = with_base(scene, seed=1)
    assert first == with_base(scene, seed=1)
    assert first != with_base(scene, seed=2)
    assert len(set(first)) == 3


def test_one_seed_replays_a_run_of_many_actors_their_tasks_timers_and_crashes() -> None:
    class Gambler(Actor):
        """Each throw decides whom to write to, how long to work, and whether to die."""

        def receiveMessage(self, message: Any, sender: Any) -> None:
            me = self._myRef
            trace.append((me.now(), me.name, type(message).__name__))
            throw = me.rng.random()
            if throw < 0.02:
                me.crash(ValueError(f"threw {throw}"))
            elif throw < 0.5:
                me.send_to_name(f"gambler/{me.rng.randrange(20)}", Note("your turn"))
            elif throw < 0.9:
                me.start_task(self.work(throw), "work")
            me.wakeupAfter(me.rng.expovariate(1.0), "again")

        async def work(self, seconds: float) -> Note:
            await asyncio.sleep(seconds)
            return Note("done")

    async def scene(base: LoopBase) -> None:
        for number in range(20):
            base.create(Gambler, f"gambler/{number}")
            base.tell(f"gambler/{number}", Note("begin"))
        await pass_time(20)
        trace.append((base.loop.time(), "totals", repr(base.totals()) + repr(base.census())))

    runs = []
    for seed in (1, 1, 2):
        trace: list[tuple[float, str | None, str]] = []
        with_base(scene, seed=seed)
        runs.append(trace)
    assert len(runs[0]) > 300
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_actors_see_the_clock_the_calendar_and_the_process() -> None:
    async def scene(base: LoopBase) -> None:
        record = base.create(Diary).record
        await pass_time(30)
        assert (record.now(), record.wall() - base.loop.start_wall) == (30, 30)
        assert record.process is base.process

    with_base(scene, process={"sockets": {}})


def test_a_hundred_thousand_actors_created_and_ended_leave_memory_flat() -> None:
    async def a_thousand_lives(base: LoopBase) -> None:
        for number in range(1000):
            record = base.create(Worker, f"session/{number}").record
            record.wakeupAfter(3600, "never heard")
            base.tell(f"session/{number}", Note("sleep", 1000))
        await base.idle()
        for number in range(1000):
            base.tell(f"session/{number}", ActorExitRequest() if number % 2 else Note("exit"))
        await base.idle()
        await pass_time(0.001)

    async def scene(base: LoopBase) -> int:
        await a_thousand_lives(base)
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(99):
            await a_thousand_lives(base)
        gc.collect()
        after = sys.getallocatedblocks()
        totals = base.totals()
        assert (totals.actors, totals.tasks, totals.timers) == (0, 0, 0)
        assert len(base.actorRegistry) == len(base._internalAddresses)
        return after - before

    kept = with_base(scene, strict=False)
    assert kept < 1000, f"{kept} blocks of memory kept of 99,000 dead actors"
