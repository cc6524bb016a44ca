"""A suspended actor loses nothing: what comes for it waits in order, up to a limit at which it is resumed by itself."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from thespian.actors import ActorExitRequest

from system.held import HELD_MAX, Urgent
from system.loop_base import LoopBase
from tests.system.cast import Diary, Forward, Hear, Note, heard, pass_time, with_base


class Alarm(Urgent, frozen=True):
    """Taken at once."""


class Sleeper(Diary):
    """Also takes timers, tasks, and what is urgent."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Alarm):
            self.texts.append("alarm")
        elif message == Note("timer"):
            self.wakeupAfter(timedelta(seconds=5), "woken")
        elif message == Note("task"):
            self._myRef.start_task(self._think(), "think")
        elif message == Note("die"):
            self._myRef.crash(RuntimeError("it had to"), message)
        else:
            super().receiveMessage(message, sender)

    async def _think(self) -> Note:
        await asyncio.sleep(3)
        return Note("thought")


def stats_of(base: LoopBase, name: str) -> Any:
    return next(stats for stats in base.census() if stats.name == name)


def test_mail_timers_and_results_wait_in_order_and_are_first_when_it_is_resumed() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Sleeper, "sleeper")
        for text in ("timer", "task"):
            base.tell("sleeper", Note(text))
        await base.idle()
        assert base.suspend("sleeper")
        assert not base.suspend("sleeper")
        base.tell("sleeper", Note("a"))
        await pass_time(10)
        base.tell("sleeper", Note("b"))
        await base.idle()
        stats = stats_of(base, "sleeper")
        assert (stats.suspended, stats.depth, stats.kind) == (True, 4, "Sleeper")
        assert base.waiting()["sleeper"] == base.totals().waiting == 4
        base.tell("sleeper", Note("c"))  # in the base's mail, behind those that wait
        assert base.resume("sleeper")
        assert not base.resume("sleeper")
        assert await heard(base, "sleeper") == ("a", "thought", "woken at 10", "b", "c")
        assert stats_of(base, "sleeper").depth == 0

    with_base(scene)


def test_nobody_else_waits_for_a_suspended_actor() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "one")
        base.create(Diary, "two")
        base.suspend("one")
        base.tell("two", Forward("one", "hello"))
        base.tell("two", Note("mine"))
        assert await heard(base, "two") == ("mine",)
        with pytest.raises(TimeoutError):
            await base.ask("one", Hear(), timeout=1)
        base.resume("one")
        assert await heard(base, "one") == ("hello",)

    with_base(scene)


def test_a_mailbox_that_fills_resumes_its_actor_loudly_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "full")
        base.suspend("full")
        for number in range(HELD_MAX + 5):
            base.tell("full", Note(str(number)))
        assert await heard(base, "full") == tuple(str(number) for number in range(HELD_MAX + 5))
        assert not stats_of(base, "full").suspended
        assert base.dead_letters == 0

    with caplog.at_level(logging.ERROR, "limner.actors"):
        with_base(scene, strict=False)
    assert [record.getMessage() for record in caplog.records] == [
        f"full is resumed: {HELD_MAX} messages wait for it, and none may be lost"
    ]


def test_what_is_urgent_does_not_wait() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Sleeper, "sleeper")
        base.suspend("sleeper")
        base.tell("sleeper", Note("a"))
        base.tell("sleeper", Alarm())
        await base.idle()
        base.resume("sleeper")
        assert await heard(base, "sleeper") == ("alarm", "a")

    with_base(scene)


def test_who_is_asked_to_exit_works_off_what_waits_first() -> None:
    async def scene(base: LoopBase) -> None:
        diary = base.create(Diary, "leaver")
        instance = diary.record.instance
        base.suspend("leaver")
        base.tell("leaver", Note("a"))
        base.tell("leaver", ActorExitRequest())
        await base.idle()
        assert instance.texts == ["a", "asked to exit"]
        assert base.whereis("leaver") is None
        assert base.dead_letters == 0

    with_base(scene)


def test_a_stop_is_orderly_with_somebody_suspended() -> None:
    texts: list[str] = []

    async def scene(base: LoopBase) -> None:
        instance = base.create(Diary, "leaver").record.instance
        instance.texts = texts
        base.suspend("leaver")
        base.tell("leaver", Note("a"))
        await base.idle()
        assert await base.stop()

    with_base(scene)
    assert texts == ["a", "asked to exit"]


def test_its_crash_makes_dead_letters_of_what_waits_and_its_successor_is_not_suspended() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Sleeper, "sleeper")
        base.tell("sleeper", Note("task"))
        await base.idle()
        record = base.names["sleeper"]
        base.suspend("sleeper")
        base.tell("sleeper", Note("a"))
        await base.idle()
        record.crash(RuntimeError("a task failed"))
        assert (base.dead_letters, base.held, base.waiting()["sleeper"]) == (1, {}, 0)
        base.create(Sleeper, "sleeper")
        assert not stats_of(base, "sleeper").suspended
        assert stats_of(base, "sleeper").last_error == "RuntimeError: a task failed"

    with_base(scene)


def test_nobody_of_a_name_cannot_be_suspended() -> None:
    async def scene(base: LoopBase) -> None:
        for power in (base.suspend, base.resume):
            assert not power("nobody")

    with_base(scene)


def test_the_rate_is_of_the_time_between_two_samples() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "busy")
        base.sample_rates()
        for _ in range(20):
            base.tell("busy", Note("a"))
        await pass_time(10)
        assert stats_of(base, "busy").rate == 0
        base.sample_rates()
        assert stats_of(base, "busy").rate == 2
        await pass_time(10)
        base.sample_rates()
        assert stats_of(base, "busy").rate == 0

    with_base(scene)
