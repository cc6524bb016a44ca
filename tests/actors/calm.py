"""A calm town for tests: the whole daemon in virtual time before the city's Discord; only what a test does happens.

The weather is fair until a test says otherwise (`weather.chance`). Processes are killed, to start on the same database.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.process import Process
from actors.queue.messages import Cancel, Enqueue
from actors.root import Root
from actors.shell import Kill, Start
from core.config import AccountConfig, Config, Limits, Plan, Secret
from core.config import Discord as DiscordConfig
from core.job import TERMINAL
from storage.database import open_database
from storage.groups import Operation, commit_group
from storage.operations import AddUser, Found, GatewayRecord, JobFound, JobRecord, Read, ReadGateway, ReadJob, ReadUser
from storage.pictures import MemoryPictures
from storage.reads import find
from system.loop_base import run_on
from tests.city.clock import CityLoop
from tests.city.discord import GUILD, IN_FLIGHT_S, Discord, Resident
from tests.city.gateway import URL
from tests.city.ground import RoomyHost
from tests.city.weather import Weather

USER = "ana"
CHANNEL = "800"
VIRTUAL_S_MAX = 20_000.0
STEP_S = 0.05


class Calm:
    """See the module's docstring."""

    def __init__(self, loop: CityLoop, weather: Weather, folder: Path, slots: int, **limits: float) -> None:
        self.loop, self.weather = loop, weather
        self.url = f"sqlite:///{folder}/limner.db"
        self.log: list[str] = []
        self.lives = self.orders = 0
        where = DiscordConfig(api="http://127.0.0.1/api/v10", gateway=URL, cdn="http://127.0.0.1/cdn")
        accounts = (AccountConfig("fox", Secret("token-fox"), GUILD, CHANNEL, "user", slots),)
        plans = {"free": Plan(1.0, 100, 10, 100, "UTC")}
        bounds = Limits(**{"in_flight_s": IN_FLIGHT_S} | limits)  # type: ignore[arg-type]
        self.config = Config(discord=where, accounts=accounts, plans=plans, limits=bounds)
        self.database = open_database(self.url)
        commit_group(self.database, [Operation("user", AddUser(USER, USER, "free", False, 0.0))], 0.0)
        fox = Resident("fox", "token-fox", "700", CHANNEL)
        self.discord = Discord(loop, weather, random.Random(1), [fox], self.log.append, lambda row: None)
        self.pictures = MemoryPictures()
        self.host = RoomyHost()

    # --- the daemon ---

    def start(self) -> None:
        """A new process."""
        self.lives += 1
        pool = ThreadPoolExecutor(1)  # the virtual loop runs in place whatever it is given
        self.process = Process(self.config, Path("."), self.discord, self.pictures, pool, database=self.url)
        self.process.host = self.host
        self.base = run_on(self.loop, strict=True, process=self.process, rng=random.Random(self.lives))
        self.base.create(Root, "root")
        self.base.tell("root", Start("root"))

    def kill(self) -> None:
        """kill -9: what is not on disk is gone."""
        self.base.stopped = True
        for record in list(self.base.actorRegistry.values()):
            self.base.end(record, None)
        self.base.fifo.clear()
        self.base.timers.close()
        for wire in list(self.discord.gateway.live):
            wire.cut()

    def strike(self, actor: str) -> None:
        """An actor dies."""
        self.base.tell(actor, Kill("a test wants it"))

    def actor(self, name: str) -> Any:
        """The living actor of this name."""
        return self.base.names[name].instance

    # --- what users do ---

    def order(self, prompt: str = "a fox", **more: Any) -> None:
        self.orders += 1
        wish: dict[str, Any] = {"plan": "free", "ref": f"r{self.orders}", "kind": "imagine", "mode": "fast"} | more
        self.base.tell("queue", Enqueue(user=USER, request_id=f"q{self.orders}", prompt=prompt, **wish))

    def cancel(self, job: str) -> None:
        self.base.tell("queue", Cancel(USER, f"c-{job}", job))

    # --- what is so ---

    def ask(self, read: Read) -> Found:
        with self.database.reading() as connection:
            return find(connection, read)

    def jobs(self) -> list[JobRecord]:
        """All jobs as stored, in the order of acceptance."""
        with self.database.reading() as connection:
            ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM jobs ORDER BY id")]
        found = [self.ask(ReadJob(job, None)) for job in ids]
        return [answer.job for answer in found if isinstance(answer, JobFound)]

    def saved_seq(self) -> int | None:
        """Up to which gateway event a restarted process would believe to have stored everything."""
        found = self.ask(ReadGateway("fox"))
        return found.seq if isinstance(found, GatewayRecord) else None

    def used(self, day: str) -> int:
        return self.ask(ReadUser(USER, day)).used  # type: ignore[union-attr]

    async def until(self, condition: Callable[[], Any], limit_s: float = 300.0) -> None:
        """Lets virtual time pass until it is so."""
        by = self.loop.time() + limit_s
        while not condition():
            assert self.loop.time() < by, [(job.state, job.code) for job in self.jobs()]
            await asyncio.sleep(STEP_S)

    async def reach(self, *states: str, limit_s: float = 300.0) -> list[JobRecord]:
        """Waits until the jobs are in these states, each its own."""
        await self.until(lambda: [job.state for job in self.jobs()] == list(states), limit_s)
        return self.jobs()

    async def all_ended(self, limit_s: float = 1_500.0) -> list[JobRecord]:
        """Waits until every job has ended."""
        await self.until(lambda: (jobs := self.jobs()) and all(job.state in TERMINAL for job in jobs), limit_s)
        return self.jobs()


@contextmanager
def fair_weather() -> Iterator[Weather]:
    """Nothing strikes, until its chance is set."""
    weather = Weather(random.Random(1))
    weather.chance = dict.fromkeys(weather.chance, 0.0)
    yield weather


def live(scene: Callable[[Calm], Coroutine[Any, Any, None]], *, slots: int = 2, seed: int = 1, **limits: float) -> None:
    """Plays a scene in a calm town whose daemon has just been started."""
    with tempfile.TemporaryDirectory() as folder, fair_weather() as weather:
        loop = CityLoop(seed, weather, VIRTUAL_S_MAX)
        asyncio.set_event_loop(loop)
        town = Calm(loop, weather, Path(folder), slots, **limits)
        try:
            town.start()
            loop.run_until_complete(scene(town))
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
