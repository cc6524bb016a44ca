"""A studio for tests: real Store, Queue, Scheduler and Accounts before a real simulator, with stand-ins for people.

`Hall` stands for lobby and sessions: it passes tokens on and remembers what users would hear. `Wall` stands for the
gallery: it keeps nothing and says that it did. Time is real; the simulated drawings take about a second.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from actors.account.messages import Perform, Previewed, Progressed
from actors.accounts import Accounts
from actors.monitor.messages import (
    Observed,
)
from actors.process import Process
from actors.queue.actor import Queue
from actors.queue.messages import (
    Cancel,
    CancelHeard,
    Enqueue,
    JobAccepted,
    JobMoved,
    JobRefused,
    JobSettled,
    Keep,
    Kept,
    Places,
)
from actors.scheduler import Scheduler, Token
from actors.session.messages import Say
from actors.shell import Kill, Shell, Start
from actors.store import Store
from actors.supervisor import Child, Supervisor
from core.config import AccountConfig, Config, Discord, Limits, Secret
from storage.database import migrate, open_database
from storage.groups import Operation, commit_group
from storage.operations import AddUser, ImageRecord, JobFound, JobRecord, ReadJob
from storage.pictures import MemoryPictures
from storage.reads import find
from system.discord_links import DiscordLinks
from system.loop_base import LoopBase, run_on
from system.message import Message

ROOT = Path(__file__).parents[2]
USER = "u-ada"
WAIT_S_MAX = 20.0


@dataclass
class Ears:
    """What the stand-ins heard; `changed` is notified with each."""

    heard: list[Message] = field(default_factory=list)
    jobs: dict[str, JobRecord] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, message: Message) -> None:
        self.heard.append(message)
        job = getattr(message, "job", None)
        if isinstance(job, JobRecord):
            self.jobs[job.id] = job
        self.changed.set()

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]


class StudioProcess(Process):
    """A process with ears."""

    ears: Ears


class Hall(Shell):
    """Lobby and sessions in one."""

    ACCEPTS = (Token, JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled, Progressed)

    def receiveMsg_Token(self, token: Token, sender: Any) -> None:
        self.process.ears.hear(token)  # type: ignore[attr-defined]
        perform = Perform(token.user, token.job, token.attempt, token.lease, token.account, token.epoch)
        self.tell(f"account/{token.account}", perform)

    def _hear(self, message: Any, sender: Any) -> None:
        self.process.ears.hear(message)  # type: ignore[attr-defined]

    receiveMsg_JobAccepted = receiveMsg_JobRefused = receiveMsg_CancelHeard = receiveMsg_Places = _hear
    receiveMsg_JobMoved = receiveMsg_JobSettled = receiveMsg_Progressed = _hear


class Wall(Shell):
    """A gallery that keeps nothing."""

    ACCEPTS = (Keep, Previewed)

    def receiveMsg_Keep(self, keep: Keep, sender: Any) -> None:
        self.process.ears.hear(keep)  # type: ignore[attr-defined]
        job = keep.job
        image = ImageRecord(f"i{job.id}", job.id, job.user, 1, "p", "t", 8, 8, 1, "0" * 64, "image/png")
        self.tell("queue", Kept(job.id, job.attempt, (image,)))

    def receiveMsg_Previewed(self, preview: Previewed, sender: Any) -> None:
        self.process.ears.hear(preview)  # type: ignore[attr-defined]


class Door(Shell):
    """A gate that only remembers what it should say."""

    ACCEPTS = (Say,)

    def receiveMsg_Say(self, say: Say, sender: Any) -> None:
        self.process.ears.hear(say)  # type: ignore[attr-defined]


class Listener(Shell):
    """A monitor that only remembers."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        """Whatever it is."""
        if isinstance(message, Message) and not isinstance(message, Start):
            self.process.ears.hear(message)  # type: ignore[attr-defined]
        else:
            super().receiveMessage(message, sender)


def house_of(gallery: type[Shell]) -> type[Supervisor]:
    """A root supervisor with this gallery."""

    class Landlord(Supervisor):
        CHILDREN = (
            Child("monitor", Listener),
            Child("store", Store),
            Child("queue", Queue),
            Child("scheduler", Scheduler),
            Child("gallery", gallery),
            Child("lobby", Hall),
            Child("gate", Door),
            Child("accounts", Accounts),
        )

    return Landlord


@dataclass(frozen=True)
class Sim:
    """A running simulator: what it printed, and its instruments."""

    told: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return [account["name"] for account in self.told["accounts"]]

    def config(self, accounts: int = 1, slots: int = 3, in_flight_s: float = 1.0, **limits: float) -> Config:
        """Its accounts; what is cut off on the way to this simulator does not arrive later, so nobody waits for it."""
        found = [
            AccountConfig(
                account["name"], Secret(account["token"]), self.told["guild_id"], account["channel_id"], "user", slots
            )
            for account in self.told["accounts"][:accounts]
        ]
        discord = Discord(**{name: self.told[name] for name in ("api", "gateway", "cdn", "apps")})
        return Config(discord=discord, accounts=tuple(found), limits=Limits(in_flight_s=in_flight_s, **limits))  # type: ignore[arg-type]

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        base = self.told["api"].partition("/api/")[0]
        async with aiohttp.ClientSession() as http, http.request(method, f"{base}/_sim/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return json.loads(await answer.read() or b"null")

    async def fault(self, fault: str, **order: Any) -> None:
        await self.ask("POST", "faults", {"fault": fault, **order})

    async def configure(self, **changes: Any) -> None:
        await self.ask("POST", "config", changes)

    async def ledger(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.ask("GET", "ledger?limit=1000"))["rows"]
        return [row for row in rows if row["kind"] != "cancel"]

    async def settled(self) -> None:
        """Waits until no drawing runs."""
        async with asyncio.timeout(WAIT_S_MAX):
            while any(row["outcome"] == "accepted" for row in await self.ledger()):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", "stats")
        return found


@contextmanager
def simulator(*options: str, seconds: float = 0.8) -> Iterator[Sim]:
    """The simulator in a process of its own, with tiny pictures."""
    command = [sys.executable, "-m", "sim", "--port", "0", "--seconds", str(seconds), "--until-stdin-closes"]
    command += options or ("--pictures", "canned")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield Sim(json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@dataclass
class Studio:
    """The running actors, and short verbs."""

    base: LoopBase
    process: StudioProcess
    sim: Sim

    @property
    def ears(self) -> Ears:
        return self.process.ears

    @property
    def ups(self) -> int:
        """How often an account came up."""
        return sum(told.metric == "limner_account_up" and told.amount == 1 for told in self.ears.of(Observed))

    @property
    def downs(self) -> int:
        """How often an account went down."""
        return sum(told.metric == "limner_account_up" and told.amount == 0 for told in self.ears.of(Observed))

    async def until(self, condition: Callable[[], bool], limit_s: float = WAIT_S_MAX) -> None:
        """Waits until something heard makes the condition true."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self.ears.changed.clear()
                await self.ears.changed.wait()

    async def order(self, prompt: str, **more: Any) -> str:
        """A user's order; the job's id when it is accepted."""
        request_id = f"r{len(self.ears.heard)}-{prompt}"
        wish: dict[str, Any] = {"plan": "free", "ref": None, "kind": "imagine", "mode": "fast"} | more
        self.base.tell("queue", Enqueue(user=USER, request_id=request_id, prompt=prompt, **wish))
        answers: list[Any] = []

        def answered() -> bool:
            heard = self.ears.of(JobAccepted) + self.ears.of(JobRefused)
            answers[:] = [answer for answer in heard if answer.request_id == request_id]
            return bool(answers)

        await self.until(answered)
        assert isinstance(answers[0], JobAccepted), answers[0]
        return answers[0].job.id

    async def reaches(self, job: str, *states: str, limit_s: float = WAIT_S_MAX) -> JobRecord:
        """Waits until the job is in one of the states."""
        try:
            await self.until(lambda: self.ears.jobs[job].state in states, limit_s)
        except TimeoutError:
            raise AssertionError(f"{job} is {self.ears.jobs[job].state}, not {states}") from None
        return self.ears.jobs[job]

    async def progresses(self, job: str) -> None:
        """Waits until the job's drawing moves."""
        await self.until(lambda: any(moved.job == job for moved in self.ears.of(Progressed)))

    def kept(self, job: str) -> JobRecord:
        return next(keep.job for keep in self.ears.of(Keep) if keep.job.id == job)

    def stored(self, jobs: list[str]) -> list[JobRecord]:
        """The jobs as the database has them, past everything that died before it could tell."""
        database = open_database(self.process.database)
        try:
            with database.reading() as connection:
                found = [find(connection, ReadJob(job, None)) for job in jobs]
        finally:
            database.close()
        assert all(isinstance(answer, JobFound) for answer in found)
        return [answer.job for answer in found if isinstance(answer, JobFound)]

    def cancel(self, job: str) -> None:
        self.base.tell("queue", Cancel(USER, "cancel", job))

    def kill(self, actor: str) -> None:
        self.base.tell(actor, Kill("a test wants it"))


@asynccontextmanager
async def studio(
    tmp_path: Path, sim: Sim, config: Config | None = None, gallery: type[Shell] = Wall
) -> AsyncIterator[Studio]:
    """Moves in and out; the same `tmp_path` is the same database."""
    config = config or sim.config()
    url = f"sqlite:///{tmp_path}/limner.db"
    populate(url)
    links = DiscordLinks(config.discord.api)
    with ThreadPoolExecutor(1) as pool:
        process = StudioProcess(config, tmp_path, links, MemoryPictures(), pool, database=url)
        process.ears = Ears()
        base = run_on(asyncio.get_running_loop(), strict=True, process=process)
        base.tell(base.create(house_of(gallery)), Start("root"))
        house = Studio(base, process, sim)
        try:
            await house.until(lambda: house.ups >= len(config.accounts))
            yield house
        finally:
            await base.stop()
            await links.close()


def populate(url: str) -> None:
    """A database with one user."""
    database = open_database(url)
    try:
        migrate(database)
        commit_group(database, [Operation("populate", AddUser(USER, "ada", "free", True, 0.0))], 0.0)
    finally:
        database.close()


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Runs an async test on uvloop, as the daemon does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene)
