"""Moments: what is worth a kill, seen as it happens; whoever sees one says so, and an armed blow falls at once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

from tests.chaos.machines import Daemon, Simulator

#: Seen by customers in what they are told.
TOLD = ("accepted", "started", "progress", "done")
#: Seen in the database, between two moves of a job.
STORED = {
    "granted": "SELECT count(*) FROM history WHERE state = 'granted'",
    "submitting": "SELECT count(*) FROM attempts",
    "keeping": "SELECT count(*) FROM history WHERE state = 'keeping'",
    "undecided": "SELECT count(*) FROM history WHERE state = 'undecided'",
}
#: Seen in the simulator's ledger: the POST has just arrived.
POSTED = "posted"
LOOK_EACH_S = 0.001


class Moments:
    """`saw(name)` calls `strike` when the blow is armed for this moment and has been waited for often enough."""

    def __init__(self, daemon: Daemon, simulator: Simulator) -> None:
        self.daemon, self.simulator = daemon, simulator
        self._armed: tuple[str, int] | None = None
        self._strike: Callable[[], object] = daemon.kill
        self._struck = asyncio.Event()

    def saw(self, name: str) -> None:
        """It happens now."""
        if self._armed is None or self._armed[0] != name:
            return
        left = self._armed[1] - 1
        self._armed = (name, left)
        if left <= 0:
            self._armed = None
            self._strike()
            self._struck.set()

    async def strike_at(self, name: str, number: int, limit_s: float, strike: Callable[[], object]) -> bool:
        """Strikes at the `number`th such moment from now; False, having struck anyway, when it did not come in time."""
        self._struck.clear()
        self._strike, self._armed = strike, (name, number)
        try:
            async with asyncio.timeout(limit_s):
                if name in STORED:
                    await self._watch_store(name)
                elif name == POSTED:
                    await self._watch_posts()
                else:
                    await self._struck.wait()
            return True
        except TimeoutError:
            self._armed = None
            strike()
            return False

    async def _watch_store(self, name: str) -> None:
        database = self.daemon.database
        try:
            before = database.execute(STORED[name]).fetchone()[0]
            while not self._struck.is_set():
                await asyncio.sleep(LOOK_EACH_S)
                try:
                    count = database.execute(STORED[name]).fetchone()[0]
                except sqlite3.OperationalError:
                    continue  # it is being made or recovered just now
                for _ in range(count - before):
                    self.saw(name)
                before = count
        finally:
            database.close()

    async def _watch_posts(self) -> None:
        before = None
        while not self._struck.is_set():
            stats = await self.simulator.ask("GET", "/_sim/stats")
            if stats is None:
                await asyncio.sleep(LOOK_EACH_S)
                continue
            for _ in range(stats["interactions"] - (before or stats["interactions"])):
                self.saw(POSTED)
            before = stats["interactions"]
