"""The town: the whole daemon on virtual time, its Discord, its citizens, and everything that goes wrong; one seed.

First the storm: citizens order, the mischief maker does what he can. Then calm: all that was promised must come to its
end, and nothing may be left in the actors' hands. `run(seed)` gives what happened; the same seed, the same log.
"""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from actors.guests import digest_of
from core.config import AccountConfig, Admin, Config, Limits, Plan, Secret
from core.config import Discord as DiscordConfig
from storage.database import open_database
from storage.groups import Operation, commit_group
from storage.operations import AddKey, AddUser
from storage.pictures import MemoryPictures, PictureTrouble
from system.virtual_time import START_WALL, Deadlock, TimeIsUp
from tests.city.auditor import Auditor
from tests.city.citizens import Citizen
from tests.city.clock import CityLoop, SlowThread
from tests.city.daemon import Daemon
from tests.city.discord import GUILD, IN_FLIGHT_S, Discord, Resident, Row
from tests.city.fairness import WatchedFairQueue
from tests.city.gateway import URL
from tests.city.ground import SHM, quiet, template
from tests.city.mischief import Mischief
from tests.city.operator import KEY, Operator
from tests.city.weather import Weather
from tests.city.witness import Witness

#: With the newcomer.
CITIZENS_MAX = 4
HALF_HOUR_S = 1800.0
BEFORE_MIDNIGHT_S = (10.0, 120.0)
NEWCOMER_S = (5.0, 80.0)
STORM_S = (60.0, 150.0)
CALM_S_MAX = 700.0
#: After all has settled, until acknowledgements and last words are out; an account may hold on to a job that failed as
#: undecided for as long as it takes itself to call it that.
REST_S_MAX = 150.0


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: the first thing that did not hold (None: nothing), the log, jobs by how they ended, and
    what was visited how often."""

    seed: int
    broken: str | None
    log: tuple[str, ...]
    ends: Counter[str]
    virtual_s: float
    visits: Counter[str]


class FickleForPictures(MemoryPictures):
    """An image store that outlives processes, and sometimes refuses."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self.weather = weather

    async def put(self, path: str, data: bytes) -> None:
        """As Pictures.put."""
        if self.weather.strikes("pictures_refuse"):
            raise PictureTrouble("a picture could not be kept: No space left on device")
        await super().put(path, data)


class Town(Daemon):
    """See the module's docstring."""

    def __init__(self, seed: int, loop: CityLoop, weather: Weather, folder: Path) -> None:
        super().__init__()
        self.seed, self.loop, self.weather = seed, loop, weather
        self.log: list[str] = []
        self.visits = Counter[str]()
        self.owners: dict[str, str] = {}
        self.broken: asyncio.Future[str] = loop.create_future()
        self.url = f"sqlite:///{folder}/limner.db"
        plan = self.dice("plan")
        self.config = self._plan(plan)
        accounts = self.config.accounts
        self.database = open_database(self.url)
        self.witness = Witness(self.database, {a.name: a.slots for a in accounts}, self.break_off)
        self.auditor = Auditor(self.witness, self.config, loop)
        loop.inspector = self
        residents = [Resident(a.name, a.token.reveal(), f"70{n}", a.channel_id) for n, a in enumerate(accounts)]
        self.discord = Discord(loop, weather, self.dice("discord"), residents, self.note, self._taken)
        self.witness.discord = self.discord
        self.pictures = FickleForPictures(weather)
        self.citizens = [self._citizen(number, plan) for number in range(plan.randint(1, CITIZENS_MAX - 1))]
        self.mischief = Mischief(self, self.dice("mischief"))
        self.operator = Operator(self, self.dice("operator"))
        self.discord.gateway.broken = self.break_off

    def dice(self, name: str) -> random.Random:
        """Dice of their own for each part, so that more throws here change nothing there."""
        return random.Random(f"{self.seed}/{name}")

    def note(self, text: str) -> None:
        self.log.append(f"{self.loop.time():.6f} {text}")

    def visited(self, what: str) -> None:
        """This corner of the daemon was seen."""
        self.visits[what] += 1

    def break_off(self, what: str) -> None:
        """Something does not hold."""
        if not self.broken.done():
            self.note(f"BROKEN {what}")
            self.broken.set_result(what)

    def committed(self) -> None:
        """A transaction has ended."""
        self.witness.committed()
        self.auditor.committed()

    def _taken(self, row: Row) -> None:
        self.witness.taken(row)
        self.auditor.taken(row)

    @property
    def over(self) -> bool:
        """Whether the storm is."""
        return self.weather.over

    def _plan(self, dice: random.Random) -> Config:
        shared = dice.random() < 0.4
        accounts = tuple(
            AccountConfig(
                name, Secret(f"token-{name}"), GUILD, "800" if shared else f"80{number}", "user", dice.randint(1, 3)
            )
            for number, name in enumerate(("fox", "owl", "elk")[: dice.randint(1, 3)])
        )
        plans = {
            "free": Plan(1.0, dice.randint(3, 9), dice.randint(1, 3), dice.randint(2, 8), "Pacific/Auckland"),
            "pro": Plan(dice.choice((1.5, 2.0, 0.4)), 50, dice.randint(1, 4), 20, "UTC"),
        }
        limits = Limits(
            drawing_s=dice.choice((40.0, 90.0)),
            undecided_s=dice.choice((30.0, 75.0)),
            in_flight_s=IN_FLIGHT_S,
            sockets_per_user=dice.choice((1, 10, 10, 10)),
            sockets_per_ip=dice.choice((CITIZENS_MAX + 1, 50)),
            frames_per_min=dice.choice((20, 120)),
        )
        where = DiscordConfig(api="http://127.0.0.1/api/v10", gateway=URL, cdn="http://127.0.0.1/cdn")
        return Config(discord=where, accounts=accounts, plans=plans, limits=limits, admin=Admin(Secret(KEY)))

    def _citizen(self, number: int, dice: random.Random) -> Citizen:
        name, key, plan = f"u{number}", f"key-{number}", dice.choice(("free", "pro"))
        writes = (
            Operation(f"user {name}", AddUser(name, name, plan, False, 0.0)),
            Operation(f"key {name}", AddKey(f"k{number}", name, digest_of(key), "user", False, None, 0.0)),
        )
        commit_group(self.database, writes, 0.0)
        modes = dice.choice((("fast",), ("fast", "relax")))
        return Citizen(self, name, key, self.dice(name), wants=dice.randint(2, 7), modes=modes)

    # --- storm and calm ---

    async def live(self) -> None:
        """The whole run. Returns early when something is broken."""
        self.start_process()
        for citizen in self.citizens:
            self._send_in(citizen)
        self._keep(self._newcomer())
        self._keep(self.operator.work())
        self._keep(self.mischief.play_with_midnight(-self.loop.wall() % HALF_HOUR_S))
        storm = self._keep(self.mischief.work())
        if await self._passes(self.dice("storm").uniform(*STORM_S)):
            self.note("calm")
            self.weather.over = True
            await asyncio.wait({storm, self.broken}, return_when=asyncio.FIRST_COMPLETED)
            self.loop.set_back_s, self.loop.trouble = 0.0, None
            self.discord.gateway.locked.clear()
            calm_by = self.loop.time() + CALM_S_MAX
            while not self._is_settled() and self.loop.time() < calm_by and await self._passes(1.0):
                pass
            rest_by = self.loop.time() + REST_S_MAX
            while self._left() and self.loop.time() < rest_by and await self._passes(5.0):
                pass
            while not (ready := await self.operator.is_ready()) and self.loop.time() < rest_by:
                if not await self._passes(1.0):
                    return
            self.witness.claim(ready, "when all is well, readyz says no")
            if not self.broken.done():
                self._judge()

    def _send_in(self, citizen: Citizen) -> None:
        self._keep(citizen.live_on())
        self._keep(citizen.wanting.want())
        self._keep(citizen.use_a_tablet())

    async def _newcomer(self) -> None:
        """Somebody who is let in while others draw."""
        dice = self.dice("newcomer")
        await asyncio.sleep(dice.uniform(*NEWCOMER_S))
        key = await self.operator.let_in("newcomer", dice.choice(("free", "pro")))
        if self.over:
            return
        ((user,),) = self.witness.query('SELECT "user" FROM keys WHERE digest = ?', digest_of(key))
        citizen = Citizen(self, user, key, self.dice("newcomer's"), wants=dice.randint(2, 7), modes=("fast", "relax"))
        self.citizens.append(citizen)
        self.visited("a newcomer")
        self._send_in(citizen)

    def _keep(self, coroutine: Any) -> asyncio.Task[None]:
        async def watched() -> None:
            try:
                await coroutine
            except (Deadlock, TimeIsUp, asyncio.CancelledError):
                raise
            except Exception as error:
                logging.getLogger(__name__).exception("the city itself broke")
                self.break_off(f"the city itself broke: {error!r}")

        return self.loop.create_task(watched())

    async def _passes(self, seconds: float) -> bool:
        """Time passes; False when something broke meanwhile."""
        await asyncio.wait({self.broken}, timeout=seconds)
        return not self.broken.done()

    def _is_settled(self) -> bool:
        heard = all(
            not wish.is_open and (wish.job is None or wish.job in citizen.ends)
            for citizen in self.citizens
            for wish in citizen.wishes.values()
        )
        return heard and self.witness.settled() and not any(citizen.checks for citizen in self.citizens)

    def _judge(self) -> None:
        """All has come to its end, everybody knows, and nothing is left in anybody's hands."""
        claim, witness = self.witness.claim, self.witness
        left = {job: state for job, state in witness.states.items() if job not in witness.ends}
        claim(not left, f"never settled: {left}")
        for citizen in self.citizens:
            citizen.wanting.judge()
            jobs, stored = witness.jobs_of(citizen.name), witness.stored_events(citizen.name)
            claim(citizen.events == stored, f"{citizen.name} heard {len(citizen.events)} of {len(stored)} events")
            refs = [ref for _, ref in jobs.values()]
            claim(len(refs) == len(set(refs)), f"{citizen.name} has two jobs of one ref: {refs}")
            claim(not citizen.checks, f"{citizen.name} waits for answers: {citizen.checks}")
        left_over = self._left()
        claim(not left_over, "; ".join(left_over))

    def _left(self) -> list[str]:
        """What is still in somebody's hands, in words."""
        queue, scheduler = self.actor("queue"), self.actor("scheduler")
        if queue is None or scheduler is None:
            return ["the queue or the scheduler is not there"]
        counts, slots = scheduler.ledger.counts(), sum(account.slots for account in self.config.accounts)
        found = {
            f"the queue holds {list(queue.jobs)} {queue.running}": queue.jobs or queue.running or len(queue.fair),
            "the queue waits for the store": len(queue.store),
            f"{len(queue.demands)} places of {slots} are asked for": len(queue.demands) != slots,
        }
        for account in self.config.accounts:
            name, actor = account.name, self.actor(f"account/{account.name}")
            if actor is None:
                return [f"{name} is not there"]
            found[f"{name} holds {list(actor.works)}"] = actor.works
            found[f"{name} was not acknowledged"] = len(actor.outbox)
            found[f"{name} is down: {actor.told}"] = actor.told is not None
            found[f"{name} has {counts} places for {account.slots} slots"] = (
                counts.get((name, "asked")) != account.slots
            )
        return [words for words, is_so in found.items() if is_so]


def run(seed: int) -> Outcome:
    """One seed, from the first moment to the last."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as name, quiet():
        folder = Path(name)
        shutil.copy(template(), folder / "limner.db")
        weather = Weather(random.Random(f"{seed}/weather"))
        most_s = STORM_S[1] + CALM_S_MAX + 2 * REST_S_MAX
        loop = CityLoop(seed, weather, most_s, _start_wall(random.Random(f"{seed}/wall")))
        asyncio.set_event_loop(loop)
        town = Town(seed, loop, weather, folder)
        WatchedFairQueue.broken = staticmethod(town.break_off)  # type: ignore[assignment]
        try:
            with (
                patch("actors.store.ThreadPoolExecutor", SlowThread),
                patch("actors.queue.ledger.FairQueue", WatchedFairQueue),
            ):
                loop.run_until_complete(town.live())
        finally:
            _end(town)
        broken = town.broken.result() if town.broken.done() else None
        return Outcome(seed, broken, tuple(town.log), _ends(town), loop.time(), town.visits)


def _start_wall(dice: random.Random) -> float:
    """When it begins: at a quiet hour, or soon before a midnight of a plan's (Auckland's is at 11:00 UTC)."""
    midnight = START_WALL + dice.choice((11, 24)) * 3600.0
    return dice.choice((START_WALL + 2 * HALF_HOUR_S, midnight - dice.uniform(*BEFORE_MIDNIGHT_S)))


def _ends(town: Town) -> Counter[str]:
    rows = town.witness.query("SELECT coalesce(code, state) FROM jobs")
    return Counter(row[0] for row in rows)


def _end(town: Town) -> None:
    """Everybody goes home."""
    if town.is_up:
        town.kill_process()
    tasks = asyncio.all_tasks(town.loop)
    for task in tasks:
        task.cancel()
    if tasks:
        town.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    asyncio.set_event_loop(None)
    town.loop.close()
