"""The machines of a chaos run: the daemon, which is killed, and the simulated Discord, which remembers.

Each is a process of its own with its own data folder, and comes back on the port of the last time. `kill` is `kill -9`
at the very moment of the call: whoever sees the interesting moment calls it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.live.daemon import LIMNER, environment

READY_S_MAX = 40.0
#: A stop takes 10 s at most (CONTRACT §1); a busy machine has a second more.
STOP_S_MAX = 11.0
HOST = "127.0.0.1"
ADMIN_KEY = "limner_admin.of-the-chaos-run"
#: Plans by which the load is allowed; the rest of the file is the accounts.
CONFIG = """\
[discord]
api = "{api}"
gateway = "{gateway}"
cdn = "{cdn}"

[admin]
key = "{admin_key}"

[plans.free]
daily = 1000000
concurrent = 4
queued = 500

[plans.studio]
weight = 2.5
daily = 1000000
concurrent = 6
queued = 500

[limits]
frames_per_min = 100000
sockets_per_user = 100
sockets_per_ip = 1000
drawing_s = 120
undecided_s = 120
in_flight_s = 15
"""
ACCOUNT = """
[[accounts]]
name = "{name}"
token = "{token}"
kind = "user"
guild_id = "{guild_id}"
channel_id = "{channel_id}"
slots = 3
"""


class Machine:
    """A child process in a folder; its stderr goes to `FOLDER/NAME.log`, life after life."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name
        self.port = 0
        self.lives = 0
        self.killed = False
        self.process: asyncio.subprocess.Process | None = None

    async def spawn(self, *arguments: str) -> None:
        """Starts it and returns at once."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *LIMNER, *arguments, "--port", str(self.port),
                cwd=self.folder, env=environment(), stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.lives += 1
        self.killed = False

    @property
    def log(self) -> Path:
        """All it said in all its lives."""
        return self.folder / f"{self.name}.log"

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is stopped by SIGSTOP. One that was killed is dead, also before it has been reaped."""
        return self.process is not None and self.process.returncode is None and not self.killed

    def signal(self, number: int) -> bool:
        """Whether there was somebody to send it to."""
        if not self.is_alive:
            return False
        self.process.send_signal(number)
        return True

    def kill(self) -> bool:
        """kill -9, now; whether it hit."""
        hit = self.signal(signal.SIGKILL)
        self.killed = True
        return hit

    async def ended(self) -> int:
        """Its exit code, once it has ended; insists after a while."""
        try:
            return await asyncio.wait_for(self.process.wait(), STOP_S_MAX)
        except TimeoutError:
            self.kill()
            return await self.process.wait()

    async def line(self, start: str, limit_s: float = READY_S_MAX) -> str | None:
        """The first line on stdout that begins so; None when it ended before. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            async for line in self.process.stdout:
                if line.decode().startswith(start):
                    return line.decode()
        return None


class Simulator(Machine):
    """`limner sim`: where the interactions go, and the ledger of what became of them."""

    def __init__(self, folder: Path, accounts: int, seconds: float, seed: int) -> None:
        super().__init__(folder, "sim")
        self.options = ("--accounts", str(accounts), "--bots", "0", "--seconds", str(seconds), "--seed", str(seed))
        self.announced: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}

    async def start(self) -> None:
        """Returns when it listens, with the settings it had."""
        await self.spawn("sim", *self.options, "--data", str(self.folder / "data"), "--pictures", "canned")
        line = await self.line("{")
        assert line is not None, f"the simulator ended: {self.log.read_text()[-2000:]}"
        self.announced = json.loads(line)
        self.port = int(self.base.rpartition(":")[2])
        if self.settings:
            await self.ask("POST", "/_sim/config", self.settings)

    @property
    def base(self) -> str:
        """Its base URL."""
        return self.announced["api"].partition("/api/")[0]

    @property
    def accounts(self) -> list[str]:
        """The names of its accounts."""
        return [account["name"] for account in self.announced["accounts"]]

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; None when it is not there just now."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
                http.request(method, self.base + path, json=body) as answer,
            ):
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def ledger(self) -> list[dict[str, Any]]:
        """Every interaction it has received, in order."""
        rows: list[dict[str, Any]] = []
        while True:
            page = await self.ask("GET", f"/_sim/ledger?after={len(rows)}&limit=10000")
            rows += page["rows"]
            if not page["rows"] or page["next"] is None:
                return rows


class Daemon(Machine):
    """`limner serve` with a config file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "daemon")
        self.url = ""
        self.ready_s: list[float] = []
        self.spawned_at = 0.0

    def configure(self, announced: dict[str, Any]) -> None:
        """Writes its config file for a simulator."""
        text = CONFIG.format(admin_key=ADMIN_KEY, **{name: announced[name] for name in ("api", "gateway", "cdn")})
        for account in announced["accounts"]:
            text += ACCOUNT.format(guild_id=announced["guild_id"], **account)
        (self.folder / "limner.toml").write_text(text)

    async def start(self) -> None:
        """Starts it and returns at once; `ready` waits."""
        self.spawned_at = time.monotonic()
        await self.spawn("serve", "--config", "limner.toml", "--data", "data")

    async def ready(self) -> bool:
        """Waits for `limner ready URL`; False when it ended before."""
        line = await self.line("limner ready ")
        if line is None:
            return False
        self.ready_s.append(time.monotonic() - self.spawned_at)
        self.url = line.split()[2]
        self.port = int(self.url.rpartition(":")[2])
        return True

    @property
    def database(self) -> sqlite3.Connection:
        """Its database, to be read only, also while it runs."""
        return sqlite3.connect(f"file:{self.folder / 'data' / 'limner.db'}?mode=ro", uri=True, isolation_level=None)
