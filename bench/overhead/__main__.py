"""Overhead: what watching the daemon costs it, and how fast it answers its operator, both under full load.

    python -m bench.overhead [--pairs 27] [--block 10] [--users 10000] [--json FILE]
    python -m bench.overhead --answers [--samples 200]

The load is that of `bench.peak --saturate`: one daemon on a simulated Discord, a socket for each user, and always more
jobs than it can draw. Each process is by itself: daemon, simulator, crowd, and who asks (asker.py).

Overhead: watched (A) means that the Monitor counts and looks each 5 s, that /metrics is scraped as often, and that
each second `limner console` asks what its first screen shows; unwatched (B) none of it (switched.py). The one daemon is
watched and left alone by turns, in blocks of --block seconds: A B, B A, A B, … Told is by how much A differs from B, of
jobs/s and of the daemon's CPU time a job, as the ratios within the pairs tell, with a 95 % interval (paired.py). Exit
code 1 when the interval does not show at most 3 % fewer jobs/s.

Answers: watched all the time, with the pacing of an untouched config; every read of docs/ADMIN.md is asked --samples
times. Exit code 1 when 99 of 100 answers of a read do not come within 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from bench.files import raise_file_limit
from bench.house import populate
from bench.overhead.asker import ADMIN_KEY
from bench.overhead.paired import Difference, difference, order, quantile, value_at
from bench.peak.__main__ import READY_S_MAX, accounts_up, start_sim
from bench.peak.machines import Ended, Machine, Watch
from bench.peak.plan import Plan, config_of

LOSS_MAX, ANSWER_MS_MAX, ANSWER_SHARE = 0.03, 200.0, 0.99
WARM_S = 15.0
#: Of each block the beginning is left out: what the block before has begun ends in it.
CHANGE_S = 1.0
JOBS_PER_S_MAX = 1_000
ROUND_S_MAX = 10.0
#: Slower than this is no reason to pace: watched and unwatched take on the same.
PATIENT = "\n[pacing]\nloop_lag_ms = 60000\ncommit_ms = 60000\ndisk_free_mb = 1\n"


class Block(msgspec.Struct, frozen=True):
    """What was measured in one block."""

    watched: bool
    jobs_per_s: float
    cpu_ms_per_job: float


class Bench:
    """All processes of a run, and what they said."""

    def __init__(self, plan: Plan, folder: Path, pacing: str) -> None:
        self.plan, self.folder, self.pacing = plan, folder, pacing
        self.sim, self.daemon, self.crowd, self.asker = self.machines = tuple(
            Machine(name, folder) for name in ("sim", "daemon", "crowd", "asker")
        )
        self.watch = Watch(self.machines)
        self.done: list[tuple[float, float]] = []
        self.refused = 0
        self.answered_ms: dict[str, list[float]] = defaultdict(list)
        self.not_answered: Counter[str] = Counter()
        self._is_asking = False

    async def start(self, asks: str) -> None:
        """Returns when the load is on. Raises Ended, TimeoutError."""
        announced = await start_sim(self.sim, self.plan)
        config = f'{config_of(self.plan, announced)}\n[admin]\nkey = "{ADMIN_KEY}"\n{self.pacing}'
        (self.folder / "limner.toml").write_text(config)
        (self.folder / "data").mkdir()
        populate(f"sqlite:///{self.folder}/data/limner.db", self.plan.users)
        await self.daemon.spawn(
            "-m", "bench.overhead.switched", "serve", "--config", "limner.toml", "--data", "data", "--port", "0"
        )
        url = await self.daemon.line("limner ready ", READY_S_MAX)
        await accounts_up(announced["api"].partition("/api/")[0], self.plan.accounts)
        await self.asker.spawn("-m", "bench.overhead.asker", url, asks)
        plan, port = msgspec.json.encode(self.plan).decode(), url.rpartition(":")[2]
        await self.crowd.spawn("-m", "bench.peak.crowd", port, plan, str(self.folder / "book"))
        say(f"{self.plan.users:,} sockets were opened in {float(await self.crowd.line('connected')):.0f} s")
        self.crowd.tell()
        await self.crowd.line("begun")

    async def stop(self) -> None:
        """Nobody is left."""
        for machine in reversed(self.machines):
            await machine.stop()

    @contextlib.asynccontextmanager
    async def heard(self) -> AsyncIterator[None]:
        """Within it, what all say and use is noted; when one of them ends, that is raised."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in (self.watch.run(), self._hear_crowd(), self._hear_asker())]
            yield
            for task in tasks:
                task.cancel()

    async def _hear_crowd(self) -> None:
        while True:
            at, done, refused = (await self.crowd.line("done ")).split()
            self.done.append((float(at), float(done)))
            self.refused = int(refused)

    async def _hear_asker(self) -> None:
        while True:
            route, status, ms = (await self.asker.line("answer ")).split()
            if status == "200":
                self.answered_ms[route].append(float(ms))
            else:
                self.not_answered[f"{route} {status}"] += 1

    def switch(self, watched: bool) -> None:
        """Watched from now on, or not."""
        self.daemon.signal(signal.SIGUSR1 if watched else signal.SIGUSR2)
        if watched is not self._is_asking:
            self.asker.tell()
            self._is_asking = watched

    async def block(self, watched: bool, seconds: float) -> tuple[bool, float, float]:
        """One block: how it was, and from when to when it counts."""
        self.switch(watched)
        await asyncio.sleep(CHANGE_S)
        began = time.monotonic()
        await asyncio.sleep(seconds - CHANGE_S)
        return watched, began, time.monotonic()

    def figures(self, watched: bool, began: float, ended: float) -> Block:
        """Of one block, once all that was said of it is known."""
        cpu = [(sample.at, sample.cpu_s["daemon"]) for sample in self.watch.samples]
        jobs, cpu_s = (value_at(points, ended) - value_at(points, began) for points in (self.done, cpu))
        return Block(watched, jobs / (ended - began), cpu_s * 1000 / jobs)


async def overhead(bench: Bench, pairs: int, block_s: float) -> list[Block]:
    """Blocks in the order of `order`. Raises Ended."""
    await bench.start("console")
    async with bench.heard():
        await asyncio.sleep(WARM_S)
        say(f"{2 * pairs} blocks of {block_s:g} s begin")
        spans = [await bench.block(watched, block_s) for watched in order(pairs)]
        await asyncio.sleep(2.0)  # what is told each second is told of the last one too
    return [bench.figures(*span) for span in spans]


async def answers(bench: Bench, samples: int) -> None:
    """Every read so often. Raises Ended."""
    await bench.start("all")
    async with bench.heard():
        await asyncio.sleep(WARM_S)
        bench.switch(True)
        begun = time.monotonic()
        while time.monotonic() - begun < samples * ROUND_S_MAX:
            await asyncio.sleep(1.0)
            if bench.answered_ms and min(map(len, bench.answered_ms.values())) >= samples:
                break


def overhead_told(blocks: list[Block]) -> tuple[str, bool]:
    """The figures, for people; and whether the aim is shown."""
    pairs = [
        (one, other) if one.watched else (other, one) for one, other in zip(blocks[::2], blocks[1::2], strict=True)
    ]
    rate, cpu = (
        difference([(getattr(one, figure), getattr(other, figure)) for one, other in pairs])
        for figure in ("jobs_per_s", "cpu_ms_per_job")
    )
    lines = ["| | jobs/s, p50 (p10 to p90) | CPU a job, ms |", "|---|---|---|"]
    for name, watched in (("A watched", True), ("B unwatched", False)):
        rates, cpus = ([getattr(b, f) for b in blocks if b.watched is watched] for f in Block.__struct_fields__[1:])
        spread = f"{quantile(rates, 0.5):.1f} ({quantile(rates, 0.1):.1f} to {quantile(rates, 0.9):.1f})"
        lines.append(f"| {name} | {spread} | {quantile(cpus, 0.5):.3f} |")
    lines += [f"| A against B, 95 % interval | {rate} | {cpu} |", "", verdict(rate)]
    return "\n".join(lines), rate.low >= -LOSS_MAX


def verdict(rate: Difference) -> str:
    """What the interval says of the aim."""
    if rate.low >= -LOSS_MAX:
        return f"At most {LOSS_MAX:.0%} fewer jobs/s: shown."
    return f"At most {LOSS_MAX:.0%} fewer jobs/s: {'not so' if rate.high < -LOSS_MAX else 'neither shown nor refuted'}."


def answers_told(answered_ms: dict[str, list[float]]) -> tuple[str, bool]:
    """The figures, for people; and whether the aim is met."""
    lines = ["| question | answers | p50, ms | p99, ms | most, ms | within 200 ms |", "|---|---|---|---|---|---|"]
    for route, times in answered_ms.items():
        p50, p99, most = (quantile(times, share) for share in (0.5, ANSWER_SHARE, 1.0))
        within = sum(ms <= ANSWER_MS_MAX for ms in times) / len(times)
        lines.append(f"| `{route}` | {len(times)} | {p50:.0f} | {p99:.0f} | {most:.0f} | {within:.1%} |")
    return "\n".join(lines), all(quantile(times, ANSWER_SHARE) <= ANSWER_MS_MAX for times in answered_ms.values())


def say(line: str) -> None:
    """How far we are."""
    print(f"  … {line}", flush=True)


async def run(wanted: argparse.Namespace, folder: Path) -> int:
    """Measures, prints, writes. The exit code. Raises Ended."""
    seconds = 2 * wanted.pairs * wanted.block if not wanted.answers else wanted.samples * ROUND_S_MAX
    jobs = int((seconds + 2 * WARM_S) * JOBS_PER_S_MAX)
    plan = Plan(
        jobs=jobs, users=wanted.users, saturate=True, accounts=wanted.accounts, backlog=wanted.backlog,
        look_each=jobs,
    )  # fmt: skip
    bench = Bench(plan, folder, "" if wanted.answers else PATIENT)
    blocks: list[Block] = []
    try:
        if wanted.answers:
            await answers(bench, wanted.samples)
        else:
            blocks = await overhead(bench, wanted.pairs, wanted.block)
    finally:
        await bench.stop()
    told, is_met = overhead_told(blocks) if blocks else answers_told(bench.answered_ms)
    print(told)
    if blocks:
        print("", answers_told(bench.answered_ms)[0], sep="\n")
    (began, none), (ended, done) = bench.done[0], bench.done[-1]
    rate = (done - none) / (ended - began)
    print(f"\n{done:.0f} jobs, {rate:.0f} a second; {bench.refused} wishes refused; {wanted.users:,} sessions")
    if bench.not_answered:
        print("not answered:", dict(bench.not_answered))
    if wanted.json:
        found: dict[str, Any] = {"blocks": msgspec.to_builtins(blocks), "answered_ms": bench.answered_ms}
        wanted.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if is_met else 1


def main() -> int:
    """The exit code."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description="What watching the daemon costs it.")
    parser.add_argument("--answers", action="store_true", help="how fast the operator is answered instead")
    parser.add_argument("--pairs", type=int, default=27, help="of blocks, watched and unwatched")
    parser.add_argument("--block", type=float, default=10.0, help="seconds of a block")
    parser.add_argument("--samples", type=int, default=200, help="of each question, with --answers")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--accounts", type=int, default=usual.accounts)
    parser.add_argument("--backlog", type=int, default=usual.backlog, help="jobs under way or waiting at most")
    parser.add_argument("--json", type=Path, help="a file for all that was measured")
    parser.add_argument("--out", type=Path, help="a new folder, which keeps the logs and the daemon's data")
    wanted = parser.parse_args()
    raise_file_limit()
    try:
        with tempfile.TemporaryDirectory(prefix="limner-overhead-") as made:
            folder = wanted.out or Path(made)
            folder.mkdir(parents=True, exist_ok=True)
            return asyncio.run(run(wanted, folder.absolute()))
    except Ended as ended:
        print(f"overhead: {ended}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
