"""Wakeups: on time, in order, with their payload, and never for the dead."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import uvloop
from thespian.actors import Actor, ActorExitRequest, WakeupMessage

from system.loop_base import LoopBase, run_on
from system.timers import STALE_MIN
from tests.system.cast import Diary, heard, pass_time, with_base

NANOSECOND_S = 1e-9  # what adding and subtracting times may lose


def test_wakeups_come_at_their_time_in_order_with_their_payload() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        record = base.create(Diary, "a").record
        for seconds, payload in ((5, "fifth"), (1, "first"), (2.5, "second"), (5, "fifth too"), (0, "at once")):
            record.wakeupAfter(seconds, payload)
        record.wakeupAfter(timedelta(seconds=3), "third")
        await pass_time(6)
        return await heard(base, "a")

    assert with_base(scene) == (
        "at once at 0", "first at 1", "second at 2.5", "third at 3", "fifth at 5", "fifth too at 5",
    )  # fmt: skip


def test_the_payload_is_the_very_object_that_was_given() -> None:
    async def scene(base: LoopBase) -> None:
        record = base.create(Diary, "a").record
        payload = object()
        record.wakeupAfter(1, payload)
        await pass_time(2)
        assert record.instance.texts == [f"{payload} at 1"]

    with_base(scene)


def test_wakeups_of_the_dead_vanish_and_the_livings_stay() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "living").record.wakeupAfter(10, "still here")
        for number in range(5):
            base.create(Diary, f"dying/{number}").record.wakeupAfter(5, "never")
            base.tell(f"dying/{number}", ActorExitRequest())
        await base.idle()
        assert base.totals().timers == 1
        await pass_time(11)
        assert base.totals().dead_letters == 0
        return await heard(base, "living")

    assert with_base(scene) == ("still here at 10",)


def test_the_heap_is_rebuilt_when_most_of_it_is_for_the_dead() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "living").record.wakeupAfter(10, "still here")
        for number in range(3 * STALE_MIN):
            base.create(Diary, f"dying/{number}").record.wakeupAfter(3600, "never")
            base.tell(f"dying/{number}", ActorExitRequest())
        await base.idle()
        assert len(base.timers._heap) <= STALE_MIN + 1
        assert base.totals().timers == 1
        await pass_time(11)
        return await heard(base, "living")

    assert with_base(scene) == ("still here at 10",)


def test_ten_thousand_wakeups_need_one_timer_of_the_loop() -> None:
    async def scene(base: LoopBase) -> int:
        record = base.create(Diary, "a").record
        before = len(base.loop._scheduled)
        for number in range(10_000):
            record.wakeupAfter(number + 1, number)
        return len(base.loop._scheduled) - before

    assert with_base(scene) == 1


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_on_real_loops_no_wakeup_is_early_and_none_is_lost(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    delays_s = (0.02, 0.0, 0.0004, 0.001, 0.0104, 0.00001)

    class Sleeper(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, WakeupMessage):
                delay_s, began = message.payload
                heard.append((delay_s, self._myRef.now() - began))
                if len(heard) == len(delays_s):
                    all_heard.set()

    async def main() -> None:
        base = run_on(asyncio.get_running_loop())
        record = base.create(Sleeper).record
        for delay_s in delays_s:
            record.wakeupAfter(delay_s, (delay_s, record.now()))
        await asyncio.wait_for(all_heard.wait(), 10)
        await base.stop()

    heard: list[tuple[float, float]] = []
    loop = new_loop()
    all_heard = asyncio.Event()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    assert sorted(delay_s for delay_s, _ in heard) == sorted(delays_s)
    assert all(after_s >= delay_s - NANOSECOND_S for delay_s, after_s in heard)
