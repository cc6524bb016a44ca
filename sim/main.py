"""Main: starts the simulator, prints its one JSON line, and ends with its parent when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiohttp import web

from sim.app import Simulator
from sim.identity import DRAWING_BOT_ID
from sim.parts import Options, Parts
from sim.store import FolderBusy
from sim.welcome import bases_at

HOST = "127.0.0.1"  # never anything else: this is a fake without secrets
PR_SET_PDEATHSIG = 1
SHUTDOWN_S = 2.0
GC_EACH = 20_000  # new objects between two looks for cycles: nearly all die without, and the default is 700


class CannotListen(Exception):
    """The port is taken."""


def run(
    port: int = 0,
    accounts: int = 2,
    bots: int = 1,
    seed: int | None = None,
    seconds: float = 6.0,
    data: str | Path | None = None,
    pictures: str = "painted",
    parent_watch: bool = False,
) -> None:
    """Run until SIGINT or SIGTERM, or, with `parent_watch`, until the parent process or standard input ends.

    Prints one JSON line on stdout when it listens (CONTRACT §8). `port` 0 takes the port of the last time with the
    same `data` if it is free, so that what clients remember stays true; else any. A wrong value, a busy port, an
    unwritable or busy folder: one line on stderr and exit 2.
    """
    try:
        options = checked(Options(port, accounts, bots, seed, seconds, Path(data) if data else None, pictures))
        if parent_watch:
            end_with_parent()
        gc.set_threshold(GC_EACH)
        uvloop.run(serve(options, parent_watch))
    except (ValueError, OSError, FolderBusy, CannotListen) as error:
        print(f"limner sim: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def checked(options: Options) -> Options:
    """Raises ValueError saying what to do."""
    if not 0 <= options.port <= 65_535:
        raise ValueError(f"--port {options.port}: choose 0 to 65535")
    if not 1 <= options.accounts <= 10_000 or not 0 <= options.bots <= 10_000:
        raise ValueError("--accounts must be 1 to 10000 and --bots 0 to 10000")
    if not 0 < options.seconds <= 86_400:
        raise ValueError("--seconds must be more than 0, and a day at most")
    if options.pictures not in ("painted", "canned"):
        raise ValueError(f"--pictures {options.pictures}: choose painted or canned")
    return options


async def serve(options: Options, parent_watch: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if parent_watch:
        watch_stdin(loop, ended)
    async with running(options) as simulator:
        print(msgspec.json.encode(announcement(simulator.parts)).decode(), flush=True)
        await ended.wait()


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[Simulator]:
    """A simulator that listens and has taken up what was under way; closed in good order at the end."""
    simulator = Simulator(options)
    runner = web.AppRunner(simulator.application(), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = await listen(runner, options.port, simulator.parts.identity.port)
        remember_port(simulator.parts, site)
        simulator.bot.wake_up()
        yield simulator
        await site.stop()
    finally:
        await simulator.close()
        await runner.cleanup()


async def listen(runner: web.AppRunner, wanted: int, last: int) -> web.TCPSite:
    """Listen on the wanted port; for 0, on the last one if it is free, else on any."""
    for port in [wanted] if wanted else [last, 0] if last else [0]:
        site = web.TCPSite(runner, HOST, port, reuse_address=True)
        try:
            await site.start()
            return site
        except OSError:
            await site.stop()
    raise CannotListen(f"port {wanted} is taken: choose another --port, or 0 for any")


def remember_port(parts: Parts, site: web.TCPSite) -> None:
    server: Any = site._server
    parts.identity.port = server.sockets[0].getsockname()[1]
    parts.store.put("identity", "identity", parts.identity)


def announcement(parts: Parts) -> dict[str, Any]:
    """The one line: where everything is, and the tokens to use there."""
    identity = parts.identity
    bases = bases_at(f"{HOST}:{identity.port}")
    return {
        "api": bases.api,
        "gateway": bases.gateway,
        "cdn": bases.cdn,
        "apps": f"{bases.origin}/apps/{{application_id}}",
        "guild_id": identity.guild_id,
        "channel_id": identity.channel_id,
        "application_id": DRAWING_BOT_ID,
        "accounts": [{"name": a.name, "token": a.token, "channel_id": a.channel_id} for a in identity.accounts],
        "bot_tokens": [bot.token for bot in identity.bots],
    }


# -- the parent --------------------------------------------------------------------------------------------------------


def end_with_parent() -> None:
    """Linux: the kernel sends SIGTERM when the parent dies, also by kill -9. If it died already, end now."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent or parent == 1:
        raise SystemExit(0)


def watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """End when standard input does: the parent holds the other end of a pipe."""

    def drain() -> None:
        while os.read(0, 4096):
            continue
        with contextlib.suppress(RuntimeError):  # the loop was closed first
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=drain, name="stdin", daemon=True).start()
