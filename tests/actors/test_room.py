"""Memory for pictures: never more than there is, who came first gets first, and nothing leaks."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from actors.room import Room
from system.virtual_time import VirtualLoop, run_virtually

ROOM = 100
#: Of each guest: when it comes, how much it wants, how long it stays, and when it is told to go.
GUESTS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 150), st.integers(0, 9), st.none() | st.integers(0, 20)), max_size=30
)


@given(GUESTS)
def test_no_more_is_given_than_there_is_and_all_of_it_comes_back(
    guests: list[tuple[int, int, int, int | None]],
) -> None:
    async def whole(loop: VirtualLoop) -> None:
        room, held = Room(ROOM), [0]

        async def one(comes_s: int, wants: int, stays_s: int) -> None:
            await asyncio.sleep(comes_s)
            async with room.guest() as reserve:
                await reserve(wants)
                held[0] += min(wants, ROOM)
                try:
                    assert held[0] <= ROOM
                    await asyncio.sleep(stays_s)
                finally:
                    held[0] -= min(wants, ROOM)

        tasks = []
        for *guest, leaves_s in guests:
            task = asyncio.ensure_future(one(*guest))
            tasks.append(task)
            if leaves_s is not None:
                loop.call_later(leaves_s, task.cancel)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [end for end in ends if end is not None and not isinstance(end, asyncio.CancelledError)]
        assert room.free == ROOM
        async with room.guest() as reserve:
            await reserve(ROOM)

    run_virtually(whole, virtual_s_max=1000.0)


def test_a_large_one_is_not_passed_by_small_ones_that_came_later() -> None:
    async def whole(loop: VirtualLoop) -> None:
        room, order = Room(ROOM), []

        async def one(name: str, wants: int) -> None:
            async with room.guest() as reserve:
                await reserve(wants)
                order.append(name)
                await asyncio.sleep(1.0)

        await asyncio.gather(one("first", 60), one("large", 90), one("small", 10), one("more than all", 1_000))
        assert order == ["first", "large", "small", "more than all"]

    run_virtually(whole)
