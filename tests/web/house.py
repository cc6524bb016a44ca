"""A whole house for tests: the real web server, gate, lobby, sessions, queue, scheduler, monitor and store on one loop.

Only Discord is missing: a Painter stands in for an account and draws at once or when told to, a Wall for the gallery.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.account.messages import Perform, Progressed
from actors.console.messages import AskConsole
from actors.gallery import AskImage
from actors.gate import Gate
from actors.guests import digest_of, may_do
from actors.lobby import Lobby
from actors.monitor.actor import Monitor
from actors.process import Process
from actors.queue.actor import Queue
from actors.queue.messages import Acknowledged, Begin, Drawn, Failed, Go, Keep, Kept, NoGo, Sighted, Stop
from actors.scheduler import AccountUp, Announce, Scheduler, SlotFree
from actors.session.messages import Say
from actors.shell import Shell, Start
from actors.store import Store
from actors.supervisor import Child, Supervisor
from core.config import AccountConfig, Admin, Config, Limits, Plan, Secret
from protocol.api import ImageShown, Instructed, Refusal
from protocol.client import JSON, MSGPACK, decode_server, encode, problem
from storage.database import migrate, open_database
from storage.groups import Operation, commit_group
from storage.operations import AddKey, AddUser, ImageRecord, Offer
from storage.pictures import MemoryPictures
from system.loop_base import LoopBase, run_on
from system.message import Message
from web.app import Server, make_server

ACCOUNT = "fox"
KEYS = {"ada": "ada-key", "bob": "bob-key"}
VIEWER_KEY, ADMIN_KEY = "viewer-key", "operator-key"
PNG = b"\x89PNG\r\n\x1a\n-not really a picture-"


class Finish(Message, frozen=True):
    """To the painter: end the drawing of this job (None: of all)."""

    job: str | None = None
    code: str | None = None


class Show(Message, frozen=True):
    """To the painter: this far."""

    percent: int


class Painter(Shell):
    """An account without Discord: draws what it is given until it is told to finish."""

    ACCEPTS = (Perform, Go, NoGo, Acknowledged, Announce, Finish, Show, Stop)

    def __init__(self) -> None:
        super().__init__()
        self.leases: dict[str, str] = {}
        self.drawing: dict[str, Any] = {}

    def on_start(self) -> None:
        self.announce()

    def announce(self) -> None:
        self.tell("scheduler", AccountUp(ACCOUNT, 3, ("fast", "relax"), 1.0, tuple(self.leases.values())))

    def receiveMsg_Announce(self, announce: Announce, sender: Any) -> None:
        self.announce()

    def receiveMsg_Perform(self, perform: Perform, sender: Any) -> None:
        self.leases[perform.job] = perform.lease
        self.tell("queue", Begin(ACCOUNT, perform.job, perform.attempt, perform.lease, None))

    def receiveMsg_Go(self, go: Go, sender: Any) -> None:
        job = go.job
        self.drawing[job.id] = job
        self.tell("queue", Sighted(ACCOUNT, job.id, job.attempt, "1", "2", "hash"))

    def receiveMsg_NoGo(self, no: NoGo, sender: Any) -> None:
        self.free(no.job)

    def receiveMsg_Show(self, show: Show, sender: Any) -> None:
        for job in self.drawing.values():
            self.tell("lobby", Progressed(job.user, job.id, show.percent, f"/images/{job.id}/preview"))

    def receiveMsg_Finish(self, finish: Finish, sender: Any) -> None:
        for job in [job for job in self.drawing.values() if finish.job in (None, job.id)]:
            if finish.code is None:
                offers = (Offer("upscale", 1, "U1", "custom-1"),)
                drawn = Drawn(ACCOUNT, job.id, job.attempt, "3", "https://cdn/x.png", "hash", offers, None)
                self.tell("queue", drawn)
            else:
                why = "It was refused."
                self.tell("queue", Failed(ACCOUNT, job.id, job.attempt, "failed", finish.code, why, False))

    def receiveMsg_Stop(self, stop: Stop, sender: Any) -> None:
        job = self.drawing[stop.job]
        self.tell("queue", Failed(ACCOUNT, job.id, job.attempt, "cancelled", "cancelled", "Stopped.", False))

    def receiveMsg_Acknowledged(self, acknowledged: Acknowledged, sender: Any) -> None:
        if acknowledged.fact in ("Drawn", "Failed"):
            self.free(acknowledged.job)

    def free(self, job: str) -> None:
        self.drawing.pop(job, None)
        if (lease := self.leases.pop(job, None)) is not None:
            self.tell("scheduler", SlotFree(ACCOUNT, lease))


class Wall(Shell):
    """A gallery that keeps nothing and shows one picture to everybody."""

    ACCEPTS = (Keep, AskImage)

    def receiveMsg_Keep(self, keep: Keep, sender: Any) -> None:
        job = keep.job
        path = f"{job.id}.png"
        image = ImageRecord(f"i{job.id}", job.id, job.user, 1, path, path, 8, 8, len(PNG), "0" * 64, "image/png")
        self.tell("queue", Kept(job.id, job.attempt, (image,)))

    def receiveMsg_AskImage(self, ask: AskImage, sender: Any) -> None:
        kinds = {"script": "text/html", "picture": "image/png"}
        kind = kinds.get(ask.show.image)
        answer = ImageShown(PNG, kind) if kind else Refusal("not_found", "There is no such picture.")
        self.tell("gate", Say(ask.socket, answer))


class Clerk(Shell):
    """A console that says what it was asked, if it may be asked that."""

    ACCEPTS = (AskConsole,)

    def receiveMsg_AskConsole(self, ask: AskConsole, sender: Any) -> None:
        wish = ask.instruct
        status = 201 if (wish.noun, wish.verb) == ("users", "add") else 200
        if not may_do(ask.role, wish):
            refused = problem("forbidden", "Not with this key.")
            self.tell("gate", Say(ask.socket, Instructed(refused.status, json.dumps(refused.body))))
            return
        body = f'{{"by":"{ask.user}","noun":"{wish.noun}","id":"{wish.id}","verb":"{wish.verb}"}}'
        self.tell("gate", Say(ask.socket, Instructed(status, body)))


class Landlord(Supervisor):
    """Supervises the house."""

    CHILDREN = (
        Child("monitor", Monitor),
        Child("store", Store),
        Child("queue", Queue),
        Child("scheduler", Scheduler),
        Child("gallery", Wall),
        Child("console", Clerk),
        Child("lobby", Lobby),
        Child("gate", Gate),
        Child(f"account/{ACCOUNT}", Painter),
    )


def config_for_tests(**changes: Any) -> Config:
    """Small limits, one account."""
    account = AccountConfig(ACCOUNT, Secret("t"), "1", "2")
    limits = Limits(**({"frames_per_min": 10_000} | changes.pop("limits", {})))
    plans = {"free": Plan(daily=20, queued=10, **changes.pop("plan", {}))}
    return Config(accounts=(account,), admin=Admin(Secret(ADMIN_KEY)), limits=limits, plans=plans, **changes)


@dataclass
class House:
    """A running house, and the ways into it."""

    base: LoopBase
    process: Process
    server: Server
    port: int
    http: aiohttp.ClientSession
    open: list[ClientConnection] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def socket(self, key: str | None = KEYS["ada"], subprotocol: str = JSON, **options: Any) -> Line:
        """A connected WebSocket; with a key it is shown in the header."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        connection = await connect(
            f"ws://127.0.0.1:{self.port}/ws",
            subprotocols=[subprotocol],  # type: ignore[list-item]
            additional_headers=headers,
            compression=None,
            **options,
        )
        self.open.append(connection)
        return Line(connection, subprotocol)

    async def ask(self, method: str, path: str, key: str | None = KEYS["ada"], **options: Any) -> Reply:
        """An HTTP request with its whole answer."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        async with self.http.request(method, self.url + path, headers=headers, **options) as response:
            return Reply(response.status, response.headers, await response.read())

    async def is_job(self, job: str, status: str) -> bool:
        """Whether the job is in this state now."""
        return bool((await self.ask("GET", f"/api/v1/jobs/{job}")).json["status"] == status)


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Line:
    """A client's end of a WebSocket, in frames."""

    connection: ClientConnection
    subprotocol: str

    async def say(self, frame: Any) -> None:
        """A frame, or what is none (bytes or text as they are)."""
        raw = isinstance(frame, str | bytes)
        await self.connection.send(frame if raw else encode(frame, self.subprotocol))

    async def hear(self, kind: type | None = None) -> Any:
        """The next frame; with a kind, the next of this kind."""
        async with asyncio.timeout(10):
            while True:
                frame = decode_server(await self.connection.recv(), self.subprotocol)
                if kind is None or isinstance(frame, kind):
                    return frame

    async def closed(self) -> int:
        """The code the server closes with."""
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        code = self.connection.close_code
        assert code is not None
        return code


Scene = Callable[[House], Coroutine[Any, Any, None]]


def play(tmp_path: Path, scene: Scene, config: Config | None = None, strict: bool = True) -> None:
    """Runs a scene in a house of its own, on uvloop as in the daemon."""

    async def main() -> None:
        database = f"sqlite:///{tmp_path}/limner.db"
        populate(database)
        with ThreadPoolExecutor(1) as pool:
            process = Process(
                config=config or config_for_tests(),
                data=tmp_path,
                links=None,  # type: ignore[arg-type]  # nobody here speaks to Discord
                pictures=MemoryPictures(),
                pool=pool,
                database=database,
            )
            await live(process, scene, strict)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def live(process: Process, scene: Scene, strict: bool) -> None:
    """Moves in, plays the scene, and leaves no actor, socket or task behind."""
    base = run_on(asyncio.get_running_loop(), strict=strict, process=process)
    base.tell(base.create(Landlord), Start("root"))
    server = make_server(process, base.tell)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    carrying = asyncio.create_task(server.carry(listener))
    await until(lambda: _answers(port))
    async with aiohttp.ClientSession() as http:
        house = House(base, process, server, port, http)
        try:
            await scene(house)
        finally:
            for connection in house.open:
                await connection.close()
            server.should_exit = True
            await carrying
            await base.stop()


async def until(condition: Callable[[], bool | Awaitable[bool]], limit_s: float = 10.0) -> None:
    """Waits until the condition holds; TimeoutError when it does not."""
    async with asyncio.timeout(limit_s):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def populate(url: str) -> None:
    """Two users with a key each, and one key that only reads."""
    database = open_database(url)
    try:
        migrate(database)
        now = time.time()
        writes: list[Any] = [AddUser(f"u-{name}", name, "free", False, now) for name in KEYS]
        writes += [AddKey(f"k-{n}", n, digest_of(key), "user", False, None, now) for n, key in KEYS.items()]
        writes.append(AddKey("k-viewer", "ada", digest_of(VIEWER_KEY), "viewer", False, None, now))
        commit_group(database, [Operation(f"populate-{n}", write) for n, write in enumerate(writes)], now)
    finally:
        database.close()


__all__ = ["JSON", "MSGPACK", "House", "Line", "Reply", "play", "until"]
