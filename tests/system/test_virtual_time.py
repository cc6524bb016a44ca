"""On a virtual loop time costs nothing, and a run replays."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from system.virtual_time import Deadlock, TimeIsUp, VirtualLoop, run_virtually


def test_a_day_of_timers_passes_in_no_time() -> None:
    async def main(loop: VirtualLoop) -> float:
        await asyncio.sleep(24 * 3600)
        return loop.time()

    began = time.perf_counter()
    assert run_virtually(main) == 24 * 3600
    assert time.perf_counter() - began < 5


def test_timers_fire_at_exactly_their_time_and_in_their_order() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[float, float]]:
        fired: list[tuple[float, float]] = []
        for delay_s in (0.3, 0.1, 0.7, 7e5, 0.1):
            loop.call_later(delay_s, lambda due: fired.append((due, loop.time())), delay_s)
        await asyncio.sleep(1e6)
        return fired

    fired = run_virtually(main)
    assert [due for due, _ in fired] == [0.1, 0.1, 0.3, 0.7, 7e5]
    assert all(due == at for due, at in fired)


def test_the_wall_clock_starts_where_it_is_set_and_goes_with_the_loop() -> None:
    async def main(loop: VirtualLoop) -> tuple[float, float]:
        before = loop.wall()
        await asyncio.sleep(90)
        return before, loop.wall()

    assert run_virtually(main, start_wall=1000.0) == (1000.0, 1090.0)


def test_one_seed_replays_a_run_and_another_does_not() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[int, float]]:
        trace: list[tuple[int, float]] = []

        async def walker(number: int) -> None:
            for _ in range(20):
                await asyncio.sleep(loop.rng.expovariate(1.0))
                trace.append((number, loop.time()))

        await asyncio.gather(*(walker(number) for number in range(10)))
        return trace

    assert run_virtually(main, seed=7) == run_virtually(main, seed=7)
    assert run_virtually(main, seed=7) != run_virtually(main, seed=8)


def test_work_for_an_executor_is_done_at_once_and_answered_in_the_next_turn() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        events: list[str] = []
        future = loop.run_in_executor(None, events.append, "worked")
        events.append("not answered" if not future.done() else "answered")
        await future
        events.append("answered")
        assert await asyncio.to_thread(threading.get_ident) == threading.get_ident()
        return events

    assert run_virtually(main) == ["worked", "not answered", "answered"]


def test_a_loop_may_know_how_long_an_executor_takes() -> None:
    class Slow(VirtualLoop):
        def takes_s(self, func: Callable[..., Any]) -> float:
            return 2.0 if func is sum else 0.0

    async def main(loop: VirtualLoop) -> tuple[list[int], float]:
        found: list[int] = [await loop.run_in_executor(None, work, (1, 2)) for work in (sum, max)]
        return found, loop.time()

    loop = Slow()
    try:
        assert loop.run_until_complete(main(loop)) == ([3, 2], 2.0)
    finally:
        loop.close()


def test_an_error_in_an_executor_reaches_the_one_who_waits() -> None:
    async def main(loop: VirtualLoop) -> None:
        await loop.run_in_executor(None, int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run_virtually(main)


def test_waiting_for_nothing_is_a_deadlock_that_names_the_waiting() -> None:
    async def stuck(loop: VirtualLoop) -> None:
        async def lost() -> None:
            await loop.create_future()

        await asyncio.create_task(lost(), name="the lost one")

    with pytest.raises(Deadlock, match="the lost one"):
        run_virtually(stuck)


def test_a_program_that_never_ends_is_stopped_at_its_limit() -> None:
    async def main(loop: VirtualLoop) -> None:
        for _ in itertools.count():
            await asyncio.sleep(1)

    with pytest.raises(TimeIsUp, match="after 60 s"):
        run_virtually(main, virtual_s_max=60)


def test_tasks_left_behind_are_cancelled() -> None:
    seen: list[str] = []

    async def left() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            seen.append("unwound")

    async def main(loop: VirtualLoop) -> None:
        task = asyncio.create_task(left())
        await asyncio.sleep(1)
        assert not task.done()

    run_virtually(main)
    assert seen == ["unwound"]


def test_the_world_outside_is_refused() -> None:
    async def connect(loop: VirtualLoop) -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    async def hear_another_thread(loop: VirtualLoop) -> None:
        refusals: list[RuntimeError] = []

        def call() -> None:
            try:
                loop.call_soon_threadsafe(int)
            except RuntimeError as refusal:
                refusals.append(refusal)

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        raise refusals[0]

    with pytest.raises(NotImplementedError):
        run_virtually(connect)
    with pytest.raises(RuntimeError, match="another thread"):
        run_virtually(hear_another_thread)
