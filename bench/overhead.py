"""Overhead: what watching the daemon costs it, and how fast it answers its operator under load.

    python -m bench.overhead [--jobs 3000] [--users 1000] [--pairs 1] [--json FILE]
    python -m bench.overhead --answers [--users 10000] [--jobs 1200] [--rate 20]

The load is that of bench/peak: the daemon on a simulated Discord, the crowd on its own sockets. Watched (A) means: the
monitor looks each 5 s, and each second /metrics is scraped and a console asks for status, tree, accounts, jobs, users,
queue and events. Unwatched (B): none of it, and the monitor looks once an hour. Each run has a fresh daemon, in the
order A B B A, so that what drifts on a shared machine drifts for both. Told of each: jobs/s as fast as they are
finished, and the daemon's CPU time a job (ms), which is the steadier figure where others share the cores.

With --answers there is one watched run, in which jobs arrive by themselves, and the figures are those of the console's
questions: half, and 99 of 100, are answered within (ms).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import mean
from typing import Any

import aiohttp
import msgspec

from bench.files import raise_file_limit
from bench.house import populate
from bench.peak.__main__ import READY_S_MAX, accounts_up, start_sim
from bench.peak.machines import Machine, Watch, cpu_at
from bench.peak.plan import Plan, config_of

ADMIN_KEY = "the-operators-key-of-a-measurement"
ASKED_EACH_S = 1.0
ANSWER_S_MAX = 30.0
WATCHED_EACH_S, UNWATCHED_EACH_S = 5.0, 3_600.0
ROUTES = (
    "metrics",
    "status",
    "tree?limit=50",
    "accounts",
    "jobs?limit=50",
    "users?limit=50",
    "queue",
    "events?limit=50",
)
#: Slower than this is no reason to pace in these runs: both ways take on the same.
PATIENT_MS = 60_000


class Console:
    """Asks for everything each second, one question after the other, as a person's console would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered_ms: dict[str, list[float]] = defaultdict(list)
        self.refused: dict[str, int] = defaultdict(int)

    async def ask(self) -> None:
        """Until cancelled."""
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        limit = aiohttp.ClientTimeout(ANSWER_S_MAX)
        async with aiohttp.ClientSession(headers=headers, timeout=limit) as http:
            while True:
                began = time.monotonic()
                for route in ROUTES:
                    await self._ask(http, route)
                await asyncio.sleep(max(0.0, ASKED_EACH_S - (time.monotonic() - began)))

    async def _ask(self, http: aiohttp.ClientSession, route: str) -> None:
        path = "/metrics" if route == "metrics" else f"/admin/v1/{route}"
        began = time.monotonic()
        async with http.get(self.url + path) as answer:
            await answer.read()
            if answer.status == 200:
                self.answered_ms[route].append((time.monotonic() - began) * 1000)
            else:
                self.refused[f"{route} {answer.status}"] += 1


class Run(msgspec.Struct, frozen=True):
    """What was measured of one daemon."""

    watched: bool
    jobs_per_s: float
    cpu_ms_per_job: float
    answered_ms: dict[str, list[float]]
    refused: dict[str, int]


async def measured(plan: Plan, folder: Path, watched: bool) -> Run:
    """One run on a fresh daemon. Raises Ended when a process died."""
    sim, daemon, crowd = machines = tuple(Machine(name, folder) for name in ("sim", "daemon", "crowd"))
    try:
        url = await started(plan, folder, sim, daemon, watched)
        await crowd.spawn(
            "-m", "bench.peak.crowd", url.rpartition(":")[2], msgspec.json.encode(plan).decode(), str(folder / "book")
        )
        await crowd.line("connected")
        watch, console = Watch(machines), Console(url)
        async with beside(watch.run()), contextlib.AsyncExitStack() as asking:
            if watched:
                await asking.enter_async_context(beside(console.ask()))
            crowd.tell()
            begun = float(await crowd.line("begun"))
            settled = float(await crowd.line("settled"))
        cpu_s = cpu_at(watch.samples, "daemon", settled) - cpu_at(watch.samples, "daemon", begun)
        figures = plan.jobs / (settled - begun), cpu_s * 1000 / plan.jobs
        return Run(watched, *figures, dict(console.answered_ms), dict(console.refused))
    finally:
        for machine in reversed(machines):
            await machine.stop()


async def started(plan: Plan, folder: Path, sim: Machine, daemon: Machine, watched: bool) -> str:
    """The daemon's address, once all its accounts are up."""
    announced = await start_sim(sim, plan)
    interval_s = WATCHED_EACH_S if watched else UNWATCHED_EACH_S
    more = (
        f'[admin]\nkey = "{ADMIN_KEY}"\n\n[pacing]\ninterval_s = {interval_s}\n'
        f"loop_lag_ms = {PATIENT_MS}\ncommit_ms = {PATIENT_MS}\ndisk_free_mb = 1\n"
    )
    (folder / "limner.toml").write_text(f"{config_of(plan, announced)}\n{more}")
    (folder / "data").mkdir()
    populate(f"sqlite:///{folder}/data/limner.db", plan.users)
    await daemon.spawn("-m", "runtime", "serve", "--config", "limner.toml", "--data", "data", "--port", "0")
    url = await daemon.line("limner ready ", READY_S_MAX)
    await accounts_up(announced["api"].partition("/api/")[0], plan.accounts)
    return url


@contextlib.asynccontextmanager
async def beside(work: Any) -> AsyncIterator[None]:
    """It goes on as long as the block; its own fault ends nothing but is raised in the end."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def quantile(values: list[float], share: float) -> float:
    """The least value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def told(runs: list[Run], answers: bool) -> str:
    """The figures, for people."""
    lines = []
    if not answers:
        lines += ["| | jobs/s | CPU a job, ms |", "|---|---|---|"]
        both = {watched: [run for run in runs if run.watched is watched] for watched in (True, False)}
        for run in runs:
            lines.append(f"| {name(run.watched)} | {run.jobs_per_s:.1f} | {run.cpu_ms_per_job:.3f} |")
        rate, cpu = (
            mean(getattr(run, figure) for run in both[True]) / mean(getattr(run, figure) for run in both[False]) - 1
            for figure in ("jobs_per_s", "cpu_ms_per_job")
        )
        lines += [f"| watched against unwatched | {rate:+.1%} | {cpu:+.1%} |", ""]
    answered: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for route, times in run.answered_ms.items():
            answered[route] += times
    lines += ["| question | answers | p50, ms | p99, ms |", "|---|---|---|---|"]
    for route, times in answered.items():
        lines.append(f"| `{route}` | {len(times)} | {quantile(times, 0.5):.1f} | {quantile(times, 0.99):.1f} |")
    refused = [f"{what}: {count}" for run in runs for what, count in run.refused.items()]
    return "\n".join([*lines, *(["", "refused: " + ", ".join(refused)] if refused else [])])


def name(watched: bool) -> str:
    """What a run is called."""
    return "A watched" if watched else "B unwatched"


async def run_all(plan: Plan, order: tuple[bool, ...]) -> list[Run]:
    """All runs, one after the other."""
    runs = []
    for watched in order:
        with tempfile.TemporaryDirectory(prefix="limner-overhead-") as folder:
            runs.append(await measured(plan, Path(folder), watched))
        print(f"  … {name(watched)}: {runs[-1].jobs_per_s:.1f} jobs/s, {runs[-1].cpu_ms_per_job:.3f} ms", flush=True)
    return runs


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description="What watching the daemon costs it.")
    parser.add_argument("--answers", action="store_true", help="how fast the operator is answered instead")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--users", type=int)
    parser.add_argument("--rate", type=float, default=20.0, help="jobs that arrive a second, with --answers")
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=1, help="how often A B B A")
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    usual_jobs, usual_users = (1_200, 10_000) if wanted.answers else (3_000, 1_000)
    plan = Plan(
        jobs=wanted.jobs or usual_jobs, users=wanted.users or usual_users, rate=wanted.rate, accounts=wanted.accounts,
        saturate=not wanted.answers, backlog=500,
    )  # fmt: skip
    raise_file_limit()
    runs = asyncio.run(run_all(plan, (True,) if wanted.answers else (True, False, False, True) * wanted.pairs))
    print(told(runs, wanted.answers))
    if wanted.json:
        wanted.json.write_text(json.dumps(msgspec.to_builtins(runs), indent=1) + "\n")


if __name__ == "__main__":
    main()
