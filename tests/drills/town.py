"""The town of the drills: two accounts, people who go on ordering, a machine whose disk can fill, and a record of all.

Who is refused comes again when told to, under the same ref, as clients do. Nothing here decides: the Monitor does.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from actors.monitor.actor import Monitor
from actors.monitor.watch import Decision
from actors.queue.messages import Enqueue, JobAccepted, JobRefused
from core.config import AccountConfig, Plan, Secret
from core.job import TERMINAL
from tests.actors.calm import CHANNEL, USER, VIRTUAL_S_MAX, Calm, fair_weather
from tests.city.bot import Piece
from tests.city.clock import CityLoop
from tests.city.discord import GUILD, Discord, Resident
from tests.city.weather import Weather

SLOTS = 3
#: One order in this time: about half of what both accounts can draw.
ORDER_EACH_S = 2.0
#: From the first order to the fault, so that there is something to disturb.
BEFORE_S = 30.0
AFTER_S_MAX = 1_200.0


@dataclass
class Record:
    """What came of a drill. Times in s: `alarm_after_s` and `normal_after_s` from the fault's beginning and its end."""

    fault_s: float
    alarms: dict[str, float] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    least_pace: float = 1.0
    least_places: int = SLOTS
    orders: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    drawn_twice: int = 0
    normal_after_s: float = 0.0

    @property
    def lost(self) -> int:
        """Accepted jobs that were not drawn."""
        return self.accepted - self.outcomes["done"]


class DrillTown(Calm):
    """See the module's docstring."""

    def __init__(self, loop: CityLoop, weather: Weather, folder: Path) -> None:
        super().__init__(loop, weather, folder, SLOTS)
        names = ("fox", "owl")
        accounts = tuple(
            AccountConfig(name, Secret(f"token-{name}"), GUILD, f"{CHANNEL}{number}", "user", SLOTS)
            for number, name in enumerate(names)
        )
        self.config = replace(self.config, accounts=accounts, plans={"free": Plan(1.0, 10_000, 10, 10_000, "UTC")})
        residents = [
            Resident(account.name, account.token.reveal(), f"70{number}", account.channel_id)
            for number, account in enumerate(accounts)
        ]
        self.discord = Discord(loop, weather, random.Random(1), residents, self.log.append, lambda row: None)
        self.answers: dict[str, asyncio.Future[JobAccepted | JobRefused]] = {}
        self.record = Record(0.0)
        self._people: list[asyncio.Task[None]] = []
        #: Accounts that the bot draws for no more.
        self.blocked: set[str] = set()
        self._take = self.discord.bot.take
        self.discord.bot.take = self._take_or_block  # type: ignore[method-assign]

    @property
    def monitor(self) -> Monitor:
        return self.actor("monitor")  # type: ignore[no-any-return]

    def _take_or_block(self, piece: Piece) -> None:
        bot = self.discord.bot
        if piece.resident.name not in self.blocked:
            self._take(piece)
            return
        bot.pieces[piece.hash] = piece
        bot.busy[piece.resident.name].append(piece)
        bot._tell_interaction(piece, "INTERACTION_CREATE")
        bot._tell_interaction(piece, "INTERACTION_SUCCESS")
        bot._notify(piece, "blocked")
        piece.row.outcome = "blocked"
        bot._end(piece)

    # --- people ----------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Hear what the Queue says to those who ordered."""
        queue = self.actor("queue")
        tell = queue.tell

        def heard(name: str, message: Any) -> None:
            if isinstance(message, JobAccepted | JobRefused) and message.request_id in self.answers:
                self.answers.pop(message.request_id).set_result(message)
            tell(name, message)

        queue.tell = heard

    async def _want(self, number: int) -> None:
        """One order, again and again until it is accepted."""
        while True:
            request = f"q{number}-{self.loop.time()}"
            answer = self.answers[request] = self.loop.create_future()
            self.base.tell("queue", Enqueue(USER, request, "free", f"r{number}", "imagine", "a fox", "fast"))
            told = await answer
            if isinstance(told, JobAccepted):
                self.record.accepted += 1
                return
            self.record.refused[told.code] += 1
            await asyncio.sleep(told.retry_after_s or ORDER_EACH_S)

    async def people_order(self, until: Callable[[], bool]) -> None:
        """An order each ORDER_EACH_S, until it is so."""
        while not until():
            self.record.orders += 1
            self._people.append(self.loop.create_task(self._want(self.record.orders)))
            await asyncio.sleep(ORDER_EACH_S)

    # --- the drill -------------------------------------------------------------------------------------------

    @property
    def is_normal(self) -> bool:
        """Whether no alarm is on, all is let in, and every account may use all of its slots."""
        watch = self.monitor.watch
        full = all(watch.places(account.name) == account.slots for account in self.config.accounts)
        return not watch.alarms.active and watch.pace == 1.0 and full

    async def _note(self) -> None:
        """Remembers the lowest paces, and when each alarm was first seen."""
        began = self.loop.time()
        while True:
            watch = self.monitor.watch
            for alarm in watch.alarms.active:
                self.record.alarms.setdefault(alarm.code, self.loop.time() - began)
            self.record.least_pace = min(self.record.least_pace, watch.pace)
            places = [watch.places(account.name) for account in self.config.accounts]
            self.record.least_places = min([self.record.least_places, *(each for each in places if each)])
            await asyncio.sleep(0.5)

    async def hold(self, fault: Callable[[DrillTown], Coroutine[Any, Any, None]]) -> Record:
        """All in order; then the fault, until its coroutine ends; then until all is normal, and every job has ended."""
        loop = self.loop
        await self.until(lambda: {"queue", "monitor"} <= self.base.names.keys())
        await self.until(lambda: sum(self.monitor.up.values()) == len(self.config.accounts))
        self.listen()
        over = loop.create_future()
        people = loop.create_task(self.people_order(over.done))
        await asyncio.sleep(BEFORE_S)
        began = loop.time()
        notes = loop.create_task(self._note())
        await fault(self)
        ended = loop.time()
        self.record.fault_s = ended - began
        await self.until(lambda: self.is_normal, AFTER_S_MAX)
        self.record.normal_after_s = loop.time() - ended
        over.set_result(None)
        await people
        await asyncio.gather(*self._people)
        await self.until(lambda: all(job.state in TERMINAL for job in self.jobs()), AFTER_S_MAX)
        notes.cancel()
        self.record.decisions = list(self.monitor.watch.decisions)
        self.record.outcomes = Counter(job.code or job.state for job in self.jobs())
        done = Counter(row.nonce for row in self.discord.ledger if row.outcome == "done")
        self.record.drawn_twice = sum(done.values()) - self.record.outcomes["done"]
        return self.record


def hold(fault: Callable[[DrillTown], Coroutine[Any, Any, None]]) -> Record:
    """One drill, in a town of its own."""
    with tempfile.TemporaryDirectory() as folder, fair_weather() as weather:
        loop = CityLoop(1, weather, VIRTUAL_S_MAX)
        asyncio.set_event_loop(loop)
        town = DrillTown(loop, weather, Path(folder))
        try:
            town.start()
            return loop.run_until_complete(town.hold(fault))
        finally:
            town.kill()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            asyncio.set_event_loop(None)
            loop.close()
            town.database.close()
