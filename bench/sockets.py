"""Sockets: what many connected users cost the daemon, beside `websockets.serve` in the same run.

    python -m bench.sockets [--sockets 9000] [--seconds 5] [--discord] [--json FILE]

Each server runs in a child process of its own, on uvloop, without compression: Limner's real web stack (uvicorn, the
socket protocol, gate, lobby, a session for each user, queue and store; with --discord also the links of a daemon that
has accounts), and an echo server by `websockets.serve`.
The same client (plain asyncio protocols that send the next message when the answer to the last one is there) connects
all sockets to one, then to the other. Told of each: resident memory before, with all sockets connected, and after the
echoes (MiB); echoes (ping and pong, or a message and its echo) a second; and the server's own CPU time an echo (µs),
which says more than the rate when the client shares its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack
import uvloop

from bench.files import raise_file_limit
from bench.house import key_of_user, populate

SERVERS = {"limner": "bench.house", "websockets": "bench.echo_server"}
CONNECTING_AT_ONCE = 100
CONNECT_S_MAX = 180.0
READY_S_MAX = 60.0
MASK = b"\x00\x00\x00\x00"  # the client's mask may be any; zeros cost it nothing
PING = msgpack.packb({"type": "ping"})
PING_FRAME = bytes([0x82, 0x80 | len(PING)]) + MASK + PING


@dataclass
class Figures:
    """What was measured of one server. Memory in MiB, CPU in µs."""

    server: str
    sockets: int
    start_mib: float
    connected_mib: float
    echoed_mib: float
    connects_per_s: float
    echoes_per_s: float
    cpu_us_per_echo: float


# --- the client ---------------------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One connection: opens, waits for its first frame if one is due, then plays ping-pong while told to."""

    __slots__ = ("_buffer", "_greeted", "_request", "_run", "_transport", "_upgraded", "ready")

    def __init__(self, run: Run, request: bytes, greeted: bool) -> None:
        self._run, self._request, self._greeted = run, request, greeted
        self._buffer, self._upgraded = b"", False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Counts whole frames; all of them are shorter than 126 bytes, save the first, which is not counted."""
        if self.ready.done():
            self._run.echoes += 1
            if self._run.playing:
                self._transport.write(PING_FRAME)
            return
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.ready.set_exception(RuntimeError(head.split(b"\r\n")[0].decode()))
        elif rest or not self._greeted:
            self._buffer = b""
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.lost += 1
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed while connecting"))

    def ping(self) -> None:
        self._transport.write(PING_FRAME)

    def close(self) -> None:
        self._transport.abort()


class Run:
    """All clients of one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: list[Client] = []
        self.echoes = self.lost = 0
        self.playing = False

    async def connect(self, count: int, key_of: Any) -> None:
        """Connects `count` sockets, CONNECTING_AT_ONCE at a time."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
        loop = asyncio.get_running_loop()

        async def one(number: int) -> None:
            key = key_of(number) if key_of else None
            async with gate:
                request = upgrade_request(self.port, key)
                factory = lambda: Client(self, request, greeted=key is not None)  # noqa: E731
                _, client = await loop.create_connection(factory, "127.0.0.1", self.port)
                await client.ready
                self.clients.append(client)

        async with asyncio.timeout(CONNECT_S_MAX):
            await asyncio.gather(*(one(number) for number in range(count)))

    async def echo(self, seconds: float) -> float:
        """Every socket plays ping-pong for this long; echoes a second."""
        self.playing, self.echoes, begun = True, 0, time.monotonic()
        for number, client in enumerate(self.clients):
            client.ping()
            if number % 500 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(seconds)
        self.playing = False
        rate = self.echoes / (time.monotonic() - begun)
        await asyncio.sleep(0.5)
        return rate

    def close(self) -> None:
        for client in self.clients:
            client.close()


def upgrade_request(port: int, key: str | None) -> bytes:
    """The opening request of a WebSocket."""
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
    ]
    if key is not None:
        lines += ["Sec-WebSocket-Protocol: limner.v1.msgpack", f"Authorization: Bearer {key}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# --- measuring ----------------------------------------------------------------------------------------------------


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(server: str, sockets: int, seconds: float, arguments: list[str]) -> Figures:
    """Starts the server, connects, echoes, and ends it."""
    command = [sys.executable, "-m", SERVERS[server], *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: ASYNC220  # nothing runs yet
        try:
            assert child.stdout is not None
            async with asyncio.timeout(READY_S_MAX):
                port = int(await asyncio.to_thread(child.stdout.readline))
            start_mib, run, begun = rss_mib(child.pid), Run(port), time.monotonic()
            await run.connect(sockets, key_of_user if server == "limner" else None)
            connects_per_s = sockets / (time.monotonic() - begun)
            await asyncio.sleep(1.0)
            connected_mib, cpu_before = rss_mib(child.pid), cpu_s(child.pid)
            rate = await run.echo(seconds)
            cpu_us = (cpu_s(child.pid) - cpu_before) / max(run.echoes, 1) * 1e6
            echoed_mib = rss_mib(child.pid)
            if run.lost:
                raise RuntimeError(f"{run.lost} of {sockets} sockets were lost by {server}")
            run.close()
            return Figures(server, sockets, start_mib, connected_mib, echoed_mib, connects_per_s, rate, cpu_us)
        finally:
            child.kill()


def show(found: list[Figures]) -> None:
    """A table for people."""
    head = ("server", "sockets", "MiB start", "MiB connected", "MiB echoed", "connects/s", "echoes/s", "CPU µs/echo")
    print("  ".join(f"{name:>13}" for name in head))
    for figures in found:
        values = asdict(figures).values()
        print("  ".join(f"{v:>13}" if isinstance(v, str) else f"{v:>13,.1f}" for v in values))


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="What many connected users cost, beside websockets.serve.")
    parser.add_argument("--sockets", type=int, default=9000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--discord", action="store_true")
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    raise_file_limit()

    async def both(database: str) -> list[Figures]:
        arguments = [database, "discord"] if wanted.discord else [database]
        return [await measure(server, wanted.sockets, wanted.seconds, arguments) for server in SERVERS]

    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/limner.db"
        populate(database, wanted.sockets)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(both(database))
    show(found)
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(figures) for figures in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
