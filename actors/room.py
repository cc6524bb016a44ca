"""Room: memory for what is fetched, shared by many and bounded by bytes, not by count.

Small pictures come many at a time, large ones a few. Who asks first gets first: a large one is not passed for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from system.links import Reserve


class Room:
    """So many bytes; who would take more than there are in all waits until nobody else has any."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.free = bytes_max
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def guest(self) -> AsyncIterator[Reserve]:
        """Yields `reserve(bytes)`, which waits for its turn; at the end all that was reserved is given back."""
        taken = 0

        async def reserve(size: int) -> None:
            nonlocal taken
            size = min(size, self.bytes_max)
            await self._take(size)
            taken += size

        try:
            yield reserve
        finally:
            self._give(taken)

    async def _take(self, size: int) -> None:
        if not self._waiting and size <= self.free:
            self.free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Its turn may have come in the very moment in which nobody wanted it any more.
            self._give(0 if turn.cancelled() else size)
            raise

    def _give(self, size: int) -> None:
        self.free += size
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self.free):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self.free -= size
                turn.set_result(None)
