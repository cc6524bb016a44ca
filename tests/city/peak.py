"""`make peak`: the peak that Limner is made for, on virtual time: 300,000 drawings of 10,000 users in eight hours.

The whole daemon's actors (Root's tree) on the virtual loop, SQLite on a file, the city's Discord in memory: one
process, one thread, executors inline. The weather is clean, as on most days, but Discord asks for a reconnect now and
then, and each hour something of ours dies. Every job is followed by its user, by the witness in the database and at
the bot, and by the pictures that were kept. Prints a table; exit code 1 when something did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import shutil
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest.mock import patch

import msgspec

from actors.guests import digest_of
from actors.process import Process
from actors.root import Root
from actors.shell import Kill, Killed, Start
from actors.thumbnails import Checked, check
from core.config import AccountConfig, Config, Plan, Secret
from core.config import Discord as DiscordConfig
from storage.database import open_database
from storage.groups import Operation, commit_group
from storage.operations import AddKey, AddUser
from system.loop_base import LoopBase, run_on
from system.virtual_time import START_WALL, VirtualLoop
from tests.city.clock import SlowThread
from tests.city.crowd import Crowd, Ledger, key_of
from tests.city.discord import GUILD, Discord, Resident
from tests.city.gateway import URL
from tests.city.ground import SHM, quiet, template
from tests.city.ruler import PeakPictures, PeakWitness
from tests.city.weather import Weather

HOUR_S = 3600.0
WARM_UP_S = 120.0
#: After the last order, until the queue is empty and everybody has been told.
CALM_S_MAX = 4 * HOUR_S
LOOK_EACH_S = 1.0
SAMPLE_EACH_S = 10.0
TOLD_EACH_S = 900.0
#: A slow, shared disk: so long a commit takes, and a look into the database.
COMMIT_S, READ_S = 0.1, 0.05
HEARTBEAT_MS = 41_250
#: Discord asks some gateway connection to resume, each so many seconds on average.
RECONNECT_EACH_S = 30.0
#: One of these dies each hour, in this order; the account and the session are any ones.
MORTALS = ("account/", "scheduler", "session/", "gallery", "queue", "gate", "store", "lobby")
#: Drawings that are over and that the city's Discord still knows.
REMEMBERED_MAX = 5_000
USERS_AT_ONCE = 500
#: New objects between two looks for cycles, and looks until older objects are gone through too, as in the daemon: by
#: the defaults (700, 10, 10) they are a tenth of all CPU.
GC_EACH, GC_OLDER_EACH, GC_OLDEST_EACH = 200_000, 20, 100


@dataclass(frozen=True)
class Size:
    """How large a peak is: `accounts` with `slots` places each, a drawing takes between `draw_s` seconds."""

    jobs: int = 300_000
    users: int = 10_000
    hours: float = 8.0
    accounts: int = 80
    slots: int = 12
    deaths: int = 8
    draw_s: tuple[float, float] = (40.0, 80.0)
    seed: int = 1


class ClearSky(Weather):
    """Nothing strikes."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.over = True

    def strikes(self, kind: str) -> bool:
        """Never."""
        return False


class PeakLoop(VirtualLoop):
    """Virtual time with a disk: what is written and read is known after a while, in which the next group gathers."""

    def true_wall(self) -> float:
        """Discord's clock is right, and so is ours."""
        return self.wall()

    def takes_s(self, func: Callable[..., Any]) -> float:
        """As VirtualLoop.takes_s."""
        return COMMIT_S if func is commit_group else READ_S


class Peak:
    """One peak, from the first start to the verdict."""

    def __init__(self, size: Size, loop: PeakLoop, folder: Path) -> None:
        self.size, self.loop = size, loop
        self.broken: list[str] = []
        self.over = asyncio.Event()
        names = [f"a{number:03}" for number in range(size.accounts)]
        residents = [Resident(name, f"token-{name}", f"70{n}", f"80{n}") for n, name in enumerate(names)]
        sky = ClearSky()
        self.database = open_database(f"sqlite:///{folder}/limner.db")
        self.witness = PeakWitness(self.database, dict.fromkeys(names, size.slots), self.break_off)
        self.discord = Discord(loop, sky, self.dice("discord"), residents, self._note, self.witness.taken)
        self.discord.gateway.heartbeat_ms = HEARTBEAT_MS
        self.discord.bot.draw_s, self.discord.bot.running_max = size.draw_s, size.slots
        self.discord.bot.remembered_max = REMEMBERED_MAX
        self.witness.discord = self.discord
        self.pictures = PeakPictures(self.break_off)
        self.process = Process(
            self._config(names),
            Path(),
            self.discord,
            self.pictures,
            SlowThread(),
            database=str(self.database.engine.url),
        )
        self.ledger = Ledger(self.break_off, self._look_at)
        self.crowd = Crowd(loop, self.dice("crowd"), size.users, self.ledger, self.process.sockets, self.tell_gate)
        self.deaths: list[str] = []
        self.resumes = 0
        self.queue_lengths, self.running, self.jains = array("l"), array("l"), array("d")

    def dice(self, name: str) -> random.Random:
        """Dice of their own for each part."""
        return random.Random(f"{self.size.seed}/{name}")

    def break_off(self, what: str) -> None:
        """Something does not hold."""
        self.broken.append(f"{self.loop.time():.3f} {what}")
        self.over.set()

    def _note(self, text: str) -> None:
        """What happens at Discord is too much to be written down."""

    def tell_gate(self, message: Any) -> None:
        self.base.tell("gate", message)

    def _look_at(self, job: str, image: str) -> None:
        """A user was shown this picture as this job's."""
        nonce = self.pictures.nonces.get(image)
        self.witness.claim(nonce is not None, f"{image} of {job} was never kept")
        if nonce is not None:
            self.witness.picture(job, nonce)

    def _config(self, names: list[str]) -> Config:
        size = self.size
        accounts = tuple(
            AccountConfig(name, Secret(f"token-{name}"), GUILD, f"80{n}", "user", size.slots)
            for n, name in enumerate(names)
        )
        # A heavy user may order all of it, and draw as much at once as a fortieth of all places.
        concurrent = max(3, size.accounts * size.slots // 40)
        plans = {"free": Plan(1.0, daily=size.jobs, concurrent=concurrent, queued=size.jobs)}
        where = DiscordConfig(api="http://127.0.0.1/api/v10", gateway=URL, cdn="http://127.0.0.1/cdn")
        return Config(discord=where, accounts=accounts, plans=plans)

    def populate(self) -> None:
        """Stores the users and their keys."""
        writes = []
        for customer in (*self.crowd.heavy, *self.crowd.light):
            name = customer.name
            writes.append(Operation(f"user {name}", AddUser(name, name, "free", False, START_WALL)))
            key = AddKey(f"k{name}", name, digest_of(key_of(name)), "user", False, None, START_WALL)
            writes.append(Operation(f"key {name}", key))
        for begin in range(0, len(writes), USERS_AT_ONCE):
            commit_group(self.database, writes[begin : begin + USERS_AT_ONCE], START_WALL)

    # --- the day ---

    async def live(self) -> None:
        """The whole of it. Returns early when something does not hold."""
        self.base = run_on(self.loop, process=self.process, rng=self.dice("daemon"))
        self.base.crash = self._crashed  # type: ignore[method-assign]
        self.base.create(Root, "root")
        self.base.tell("root", Start("root"))
        self.crowd.connect()
        tasks = [
            self.loop.create_task(work)
            for work in (self._look(), self._sample(), self._tell(), self._reconnect(), self._kill())
        ]
        if await self._passes(WARM_UP_S):
            day_s = self.size.hours * HOUR_S
            self.crowd.order(self.size.jobs, day_s)
            await self._passes(day_s)
            calm_by = self.loop.time() + CALM_S_MAX
            while self.crowd.unsettled and self.loop.time() < calm_by and await self._passes(SAMPLE_EACH_S):
                pass
        for task in tasks:
            task.cancel()
        if not self.broken:
            self._judge()
        await self.base.stop()

    async def _passes(self, seconds: float) -> bool:
        """Time passes; False when something broke meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return True
        return False

    def _judge(self) -> None:
        ledger, witness = self.ledger, self.witness
        witness.claim(ledger.ordered == self.size.jobs, f"{ledger.ordered} of {self.size.jobs} were ordered")
        witness.claim(ledger.accepted == ledger.ordered, f"{ledger.accepted} of {ledger.ordered} were accepted")
        witness.claim(ledger.done == ledger.accepted, f"{ledger.done} of {ledger.accepted} accepted are done")
        kept = len(self.pictures.nonces)
        witness.claim(kept == ledger.done, f"{kept} pictures were kept for {ledger.done} jobs")
        witness.verdict(ledger.accepted)

    def _crashed(self, record: Any, error: BaseException, during: object | None) -> None:
        """Crashes that nobody made are what we are looking for."""
        if not isinstance(error, Killed):
            self.break_off(f"{record.label} crashed by itself at {type(during).__name__}: {error!r}")
        LoopBase.crash(self.base, record, error, during)

    # --- what goes on beside ---

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EACH_S)
            self.witness.look()

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_EACH_S)
            queue = self.base.names.get("queue")
            if queue is not None and not queue.instance.rebuilding:
                self.queue_lengths.append(len(queue.instance.fair))
                self.jains.append(self.base.names["monitor"].instance.metrics["limner_fairness_jain"]._value.get())
                self.running.append(sum(map(len, self.discord.bot.busy.values())))

    async def _tell(self) -> None:
        """Somebody may be waiting for hours."""
        while True:
            await asyncio.sleep(TOLD_EACH_S)
            ordered, done, cpu_s = self.ledger.ordered, self.ledger.done, time.process_time()
            print(f"{self.loop.time():6.0f} s: {ordered} ordered, {done} done, {cpu_s:.0f} s of CPU", file=sys.stderr)

    async def _reconnect(self) -> None:
        dice = self.dice("reconnects")
        while True:
            await asyncio.sleep(dice.expovariate(1.0 / RECONNECT_EACH_S))
            if (wire := self.discord.gateway.wire_of(dice)) is not None:
                self.discord.gateway.ask_to_reconnect(wire)
                self.resumes += 1

    async def _kill(self) -> None:
        """So many deaths, spread over the day."""
        dice, part_s = self.dice("deaths"), self.size.hours * HOUR_S / max(1, self.size.deaths)
        await asyncio.sleep(WARM_UP_S + part_s / 2)
        for mortal in islice(cycle(MORTALS), self.size.deaths):
            name = dice.choice([name for name in self.base.names if name.startswith(mortal)])
            self.deaths.append(name)
            self.base.tell(name, Kill("the peak's hourly death"))
            await asyncio.sleep(part_s)


class Figures(msgspec.Struct, frozen=True):
    """What a peak has shown. Times in seconds: `cpu_s` and `wall_s` real ones, the others virtual."""

    size: dict[str, Any]
    broken: list[str]
    ordered: int
    accepted: int
    done: int
    wall_s: float
    cpu_s: float
    virtual_s: float
    places: int
    busy_most: int
    queue_most: int
    queue_mean: float
    wait_s: dict[str, dict[str, float]]
    total_s: dict[str, dict[str, float]]
    jain_of_waiting: dict[str, float]
    deaths: list[str]
    gateway_sessions_resumed: int
    sockets_reopened: int
    frames: dict[str, int]
    memory_mib: float


def run(size: Size) -> Figures:
    """One peak."""
    wall, cpu = time.perf_counter(), time.process_time()
    loop = PeakLoop(size.seed)
    checked, collected = _once(check), gc.get_threshold()
    gc.set_threshold(GC_EACH, GC_OLDER_EACH, GC_OLDEST_EACH)
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as name, quiet():
        shutil.copy(template(), Path(name) / "limner.db")
        asyncio.set_event_loop(loop)
        peak = Peak(size, loop, Path(name))
        peak.populate()
        try:
            with patch("actors.store.ThreadPoolExecutor", SlowThread), patch("actors.gallery.check_small", checked):
                loop.run_until_complete(peak.live())
        finally:
            gc.set_threshold(*collected)
            _end(peak)
    return _figures(peak, time.perf_counter() - wall, time.process_time() - cpu)


def _once(draw: Callable[[bytes], Checked]) -> Callable[[bytes], Checked]:
    """The daemon has its pictures checked by other processes; here the first of these equal ones stands for all."""
    first: list[Checked] = []

    def checked(data: bytes) -> Checked:
        if not first:
            first.append(draw(data))
        return msgspec.structs.replace(first[0], sha256=sha256(data).hexdigest())

    return checked


def _end(peak: Peak) -> None:
    tasks = asyncio.all_tasks(peak.loop)
    for task in tasks:
        task.cancel()
    if tasks:
        peak.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    peak.witness.close()
    peak.database.close()
    asyncio.set_event_loop(None)
    peak.loop.close()


def _figures(peak: Peak, wall_s: float, cpu_s: float) -> Figures:
    ledger, size = peak.ledger, peak.size
    return Figures(
        size=asdict(size),
        broken=peak.broken,
        ordered=ledger.ordered,
        accepted=ledger.accepted,
        done=ledger.done,
        wall_s=wall_s,
        cpu_s=cpu_s,
        virtual_s=peak.loop.time(),
        places=size.accounts * size.slots,
        busy_most=max(peak.running, default=0),
        queue_most=max(peak.queue_lengths, default=0),
        queue_mean=fmean(peak.queue_lengths) if peak.queue_lengths else 0.0,
        wait_s={kind: percentiles(waits) for kind, waits in ledger.waits.items()},
        total_s={kind: percentiles(lasts) for kind, lasts in ledger.lasts.items()},
        jain_of_waiting={"mean": fmean(peak.jains or [1.0]), "least": min(peak.jains, default=1.0)},
        deaths=peak.deaths,
        gateway_sessions_resumed=peak.resumes,
        sockets_reopened=ledger.reconnects,
        frames=dict(ledger.frames.most_common()),
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p90, p99 and the most; nothing of nothing."""
    ranked = sorted(seconds)
    found = {f"p{part}": ranked[int(len(ranked) * part / 100)] for part in (50, 90, 99)} if ranked else {}
    return found | {"most": ranked[-1]} if ranked else found


def told(figures: Figures) -> str:
    """The figures for people."""
    size = figures.size
    per_job_ms, pace = figures.cpu_s / figures.ordered * 1000, figures.virtual_s / figures.cpu_s
    lines = [
        f"{figures.done} of {figures.accepted} accepted of {figures.ordered} ordered are done;"
        f" {size['users']} users, {figures.places} places, {figures.virtual_s / HOUR_S:.2f} virtual hours",
        f"{figures.wall_s:.0f} s of wall time, {figures.cpu_s:.0f} s of CPU, {per_job_ms:.2f} ms a job,"
        f" {pace:.0f} virtual seconds a second of CPU; {figures.memory_mib:.0f} MiB",
        f"busy places at most {figures.busy_most}; queue at most {figures.queue_most}, mean {figures.queue_mean:.0f}",
        f"Jain's index over those who wait: mean {figures.jain_of_waiting['mean']:.4f},"
        f" least {figures.jain_of_waiting['least']:.4f}",
    ]
    for kind in figures.wait_s:
        waits, totals = (_words(each.get(kind, {})) for each in (figures.wait_s, figures.total_s))
        lines.append(f"{kind}: wait {waits}; order to picture {totals}")
    lines.append(f"killed: {', '.join(figures.deaths)}; sockets opened again: {figures.sockets_reopened}")
    lines.append(f"frames: {', '.join(f'{kind} {count}' for kind, count in figures.frames.items())}")
    lines += [f"BROKEN at {what}" for what in figures.broken] or ["nothing lost, nothing twice, nothing swapped"]
    return "\n".join(lines)


def _words(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.items())


def main() -> int:
    """The exit code: 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.city.peak", description=__doc__.partition("\n")[0])
    for name, value in asdict(Size()).items():
        if isinstance(value, int | float):
            parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = vars(parser.parse_args())
    where: Path | None = given.pop("json")
    figures = run(Size(**given))
    print(told(figures))
    if where is not None:
        where.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
