"""Machines: the processes of a run, each by itself, and what they cost, read from /proc once a second.

CPU is user and system time in seconds. The daemon's children (the pool that makes thumbnails) are counted apart, and of
the daemon itself the loop's thread apart from all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
SAMPLE_S = 1.0
STOP_S_MAX = 15.0
#: The simulator announces all its accounts in one line.
LINE_BYTES_MAX = 8 << 20
PAGE_BYTES, TICKS_PER_S = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class Ended(Exception):
    """A process that should run has ended; says which, and the last of its log."""


class Machine:
    """A child process; stderr goes to FOLDER/NAME.log."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.process: asyncio.subprocess.Process | None = None

    async def spawn(self, *arguments: str) -> None:
        """Starts `python ARGUMENTS` in the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIMNER_")}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=self.folder, env=kept | {"PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                limit=LINE_BYTES_MAX,
            )  # fmt: skip

    @property
    def log(self) -> Path:
        """All it said on stderr."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Raises when it was not spawned."""
        assert self.process is not None
        return self.process.pid

    async def line(self, start: str, limit_s: float | None = None) -> str:
        """The first line on stdout that begins so, without `start`. Raises Ended, TimeoutError."""
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(limit_s):
            async for line in self.process.stdout:
                if line.decode().startswith(start):
                    return line.decode().removeprefix(start).strip()
        raise Ended(f"{self.name} has ended:\n{self.log.read_text()[-3000:]}")

    def tell(self) -> None:
        """A line on its stdin."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    def signal(self, number: int) -> None:
        """Raises when it was not spawned."""
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if that takes too long."""
        if self.process is None or self.process.returncode is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S_MAX)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Sample(msgspec.Struct, frozen=True):
    """One look at all processes: monotonic s; CPU seconds and resident MiB by name."""

    at: float
    cpu_s: dict[str, float]
    rss_mib: dict[str, float]


class Watch:
    """Looks at the machines again and again: `run()` until cancelled."""

    def __init__(self, machines: tuple[Machine, ...]) -> None:
        self.machines = machines
        self.samples: list[Sample] = []

    async def run(self) -> None:
        """A sample each SAMPLE_S. Raises Ended when one of the machines is gone."""
        while True:
            self.look()
            await asyncio.sleep(SAMPLE_S)

    def look(self) -> None:
        """One sample. Raises Ended."""
        cpu: dict[str, float] = {}
        rss: dict[str, float] = {}
        for machine in self.machines:
            try:
                cpu[machine.name], rss[machine.name] = cpu_s(machine.pid), rss_mib(machine.pid)
                if machine.name == "daemon":
                    cpu["daemon loop"] = cpu_s(machine.pid, machine.pid)
                    pool = children(machine.pid)
                    cpu["pool"], rss["pool"] = sum(map(cpu_s, pool)), sum(map(rss_mib, pool))
            except FileNotFoundError:
                raise Ended(f"{machine.name} has ended:\n{machine.log.read_text()[-3000:]}") from None
        self.samples.append(Sample(time.monotonic(), cpu, rss))


def cpu_s(pid: int, thread: int | None = None) -> float:
    """User and system time of a process, or of one of its threads."""
    path = f"/proc/{pid}/stat" if thread is None else f"/proc/{pid}/task/{thread}/stat"
    fields = Path(path).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 2**20


def children(pid: int) -> list[int]:
    """The processes that its threads have started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except FileNotFoundError:
            continue  # the thread ended while we looked
    return found


def cpu_at(samples: list[Sample], name: str, at: float) -> float:
    """CPU seconds of a process at a moment, on a straight line between samples."""
    before = after = samples[0]
    for after in samples:
        if after.at >= at:
            break
        before = after
    low, high = before.cpu_s.get(name, 0.0), after.cpu_s.get(name, 0.0)
    share = (at - before.at) / (after.at - before.at) if after.at > before.at else 1.0
    return low + (high - low) * min(1.0, max(0.0, share))
