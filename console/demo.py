"""Demo: the daemon with a simulated Discord as its child, a demo user, and `DATA/demo.json` that says where and who.

What operators add there is sealed with `DATA/token.key`.

The simulator keeps its state and its port in `DATA/sim`. It ends with us, also when we are killed; should it end by
itself, it is started again on the same port, and the account actors find it again like any Discord that was away.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from console.endings import FAILED, Quit
from console.ground import write_privately
from console.options import DATA
from core.config import AccountConfig, Admin, Config, Discord, Secret
from core.secret import KEY_BYTES_MIN, key_bytes

FILE_NAME = "demo.json"
TOKEN_KEY_NAME = "token.key"  # noqa: S105  a file, and no token
#: How keys of our making begin.
DEMO_KEY, DEMO_ADMIN_KEY = "limner_demo.", "limner_admin."
START_S_MAX = 20.0
STOP_S_MAX = 3.0
AGAIN_S_MIN, AGAIN_S_MAX = 0.5, 5.0

log = structlog.get_logger("limner.demo")


class Demo(Struct, frozen=True):
    """What `DATA/demo.json` holds."""

    url: str
    key: str
    admin_key: str
    sim: str

    def __repr__(self) -> str:
        return f"Demo(url={self.url!r}, sim={self.sim!r})"


class SimulatedAccount(Struct, frozen=True):
    """One account of the simulator."""

    name: str
    token: str
    channel_id: str


class Announcement(Struct, frozen=True):
    """The simulator's one line: where it is, and who can log in there."""

    api: str
    gateway: str
    cdn: str
    apps: str
    guild_id: str
    accounts: tuple[SimulatedAccount, ...]

    @property
    def base(self) -> str:
        """Its base URL, where `/_sim/…` is."""
        return self.api.partition("/api/")[0]


def read_demo(data: Path) -> Demo | None:
    """The file of an earlier or running demo; None when there is none, or when it is not one."""
    try:
        return msgspec.json.decode((data / FILE_NAME).read_bytes(), type=Demo)
    except (OSError, msgspec.MsgspecError):
        return None


def keep_demo(data: Path, url: str, sim: str, admin_key: Secret | None = None) -> Demo:
    """Writes the file anew, with the keys of the last time: who has one goes on using it.

    `admin_key`: the config's, which is the one that holds. One of a config that is gone does not go on.
    """
    before = read_demo(data)
    key = before.key if before else DEMO_KEY + secrets.token_urlsafe(32)
    if admin_key:
        operators = admin_key.reveal()
    elif before and before.admin_key.startswith(DEMO_ADMIN_KEY):
        operators = before.admin_key
    else:
        operators = DEMO_ADMIN_KEY + secrets.token_urlsafe(32)
    demo = Demo(url, key, operators, sim)
    write_privately(data / FILE_NAME, msgspec.json.encode(demo).decode() + "\n")
    return demo


def greeting(data: Path, url: str, key: Secret) -> tuple[str, ...]:
    """What is said to a person when the demo is up: the one time that a secret is printed."""
    return (
        f"  demo key  {key.reveal()}",
        f"  try       {first_drawing(own_command(), data, url, key)}",
        "  note      the Discord behind it is simulated",
    )


def first_drawing(command: str, data: Path, url: str, key: Secret) -> str:
    """What a person types for a first drawing, here and now. Without an address `limner draw` looks into DATA only."""
    where = "" if data.resolve() == DATA.resolve() else f" --url {shlex.quote(url)} --key {shlex.quote(key.reveal())}"
    return f'{command} draw "a red fox in snow" -o fox.png{where}'


def own_command() -> str:
    """What a person here types for `limner`."""
    return "limner" if shutil.which("limner") else shlex.quote(os.path.relpath(sys.argv[0]))


def keep_token_key(data: Path) -> Secret:
    """The key of the last time, or a new one: what is sealed with it is opened again at the next start."""
    path = data / TOKEN_KEY_NAME
    try:
        key = Secret(path.read_text(encoding="ascii").strip())
        key_bytes(key)
    except (OSError, ValueError):
        key = Secret(base64.b64encode(secrets.token_bytes(KEY_BYTES_MIN)).decode())
        write_privately(path, key.reveal() + "\n")
    return key


def with_simulator(config: Config, announced: Announcement, demo: Demo, token_key: Secret) -> Config:
    """The config with the simulated Discord in place of Discord and its accounts, and keys where it has none."""
    accounts = tuple(
        AccountConfig(account.name, Secret(account.token), announced.guild_id, account.channel_id, kind="user")
        for account in announced.accounts
    )
    discord = Discord(api=announced.api, gateway=announced.gateway, cdn=announced.cdn, apps=announced.apps)
    admin = config.admin if config.admin.key else Admin(Secret(demo.admin_key))
    store = config.store if config.store.token_key else replace(config.store, token_key=token_key)
    return replace(config, accounts=accounts, discord=discord, admin=admin, store=store)


class Simulator:
    """The child process. `start` once, then `keep_running` as a task, and `stop`."""

    def __init__(self, folder: Path, seconds: float | None) -> None:
        """`seconds` is a drawing's time; None leaves the simulator's own."""
        self._folder, self._seconds = folder, seconds
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def spawn(self) -> None:
        """Starts the process and returns at once, so that others can start meanwhile."""
        arguments = ["--port", str(self._port), "--data", str(self._folder), "--until-stdin-closes"]
        if self._seconds is not None:
            arguments += ["--seconds", str(self._seconds)]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "sim", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: drawings under way are settled before the simulator goes
        )

    async def announced(self) -> Announcement:
        """Its line, when it listens. Raises Quit when it ended or says nothing in time."""
        process = self._running()
        line = b""
        with contextlib.suppress(TimeoutError):
            line = await asyncio.wait_for(_stream(process.stdout).readline(), START_S_MAX)
        try:
            found = msgspec.json.decode(line, type=Announcement)
        except msgspec.MsgspecError:
            await self.stop()
            raise Quit(FAILED, "the simulated Discord did not start; its own line above says why") from None
        self._port = int(found.base.rpartition(":")[2])
        return found

    async def keep_running(self) -> None:
        """Starts it again whenever it ends, on the same port, until cancelled."""
        wait_s = AGAIN_S_MIN
        while True:
            code = await self._running().wait()
            log.warning("the simulated Discord ended, starting it again", exit_code=code, wait_s=wait_s)
            await asyncio.sleep(wait_s)
            await self.spawn()
            try:
                await self.announced()
                wait_s = AGAIN_S_MIN
            except Quit:
                wait_s = min(wait_s * 2, AGAIN_S_MAX)

    async def stop(self) -> None:
        """Asks it to end, and insists after a while. Twice is harmless."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        _stream(process.stdin).close()
        try:
            await asyncio.wait_for(process.wait(), STOP_S_MAX)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the simulator has not been started")
        return self._process


def _stream(stream: Any) -> Any:
    """A pipe that we asked for: never None."""
    if stream is None:
        raise RuntimeError("the simulator has no pipe")
    return stream
