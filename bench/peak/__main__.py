"""The compressed peak on the real daemon: `python -m bench.peak [--jobs N] [--rate R | --saturate | --hold] …`.

Four processes: `limner sim`, which draws; `limner serve` with a config file that lets a whole day come within minutes;
the crowd, all users on sockets of their own, with a ledger of what they were told; and this one, which looks at the
others' CPU and memory each second. In the end the crowd's ledger, the simulator's and the database are held against
each other.

    --rate R     jobs arrive by themselves, R a second, as they would over 8 hours (the acknowledgement's latency)
    --saturate   the next job as soon as fewer than --backlog are under way (the highest sustained rate)
    --hold       drawings that never end, all sockets open, all jobs waiting (the memory)
    --profile    where the daemon's CPU time goes: OUT/profile.txt, and folded stacks for a flame graph in OUT/profile

The result is OUT/peak.json and OUT/peak.svg; OUT is named in the end. Exit code 1 when anything was lost, doubled or
swapped; the daemon's data is kept then, and the logs always.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bench.files import raise_file_limit
from bench.house import populate
from bench.peak.book import Kept, Read
from bench.peak.machines import Ended, Machine, Watch
from bench.peak.plan import Plan, config_of
from bench.peak.report import figures, picture, table

READY_S_MAX = 60.0
LEDGER_PAGE = 10_000
HOLD_S = 20.0
HOLD_SECONDS = 80_000.0
POLL_S = 0.1
KEPT = """
SELECT jobs.prompt, jobs.state, images.sha256, jobs.started_at, jobs.finished_at
FROM jobs LEFT JOIN images ON images.job = jobs.id
"""


async def run(plan: Plan, folder: Path, profile: bool) -> dict[str, Any]:
    """A whole run; what it found. Raises Ended when a process died."""
    sim, daemon, crowd = (Machine(name, folder) for name in ("sim", "daemon", "crowd"))
    machines = (sim, daemon, crowd)
    try:
        announced = await start_sim(sim, plan)
        (folder / "limner.toml").write_text(config_of(plan, announced))
        data = folder / "data"
        data.mkdir()
        populate(f"sqlite:///{data}/limner.db", plan.users)
        program = ("-m", "bench.peak.profiled", str(folder / "profile")) if profile else ("-m", "runtime")
        await daemon.spawn(*program, "serve", "--config", "limner.toml", "--data", "data", "--port", "0")
        url = await daemon.line("limner ready ", READY_S_MAX)
        base = announced["api"].partition("/api/")[0]
        await accounts_up(base, plan.accounts)
        say(f"{plan.accounts} accounts are up; {plan.always_open:,} sockets are being opened")
        book_file = folder / "book"
        port = url.rpartition(":")[2]
        await crowd.spawn("-m", "bench.peak.crowd", port, msgspec.json.encode(plan).decode(), str(book_file))
        watch = Watch(machines)
        watch.look()
        await attend(plan, crowd, watch, (lambda: daemon.signal(signal.SIGUSR2)) if profile else None)
        ledger, stats = await ask_ledger(base), await ask(base, "/_sim/stats")
        await crowd.stop()
        await daemon.stop()
        book = Read(book_file)
        kept = kept_jobs(data / "limner.db")
        book.learn(kept, plan.always_open, time.monotonic() - time.time())
        found = figures(plan, book, watch.samples, ledger, kept, stats)
        (folder / "peak.svg").write_text(picture(plan, book, watch.samples, found))
        return found
    finally:
        for machine in reversed(machines):
            await machine.stop()


async def start_sim(sim: Machine, plan: Plan) -> dict[str, Any]:
    """The simulated Discord, as it announces itself."""
    await sim.spawn(
        "-m", "runtime", "sim", "--accounts", str(plan.accounts), "--bots", "0", "--seed", str(plan.seed),
        "--seconds", str(HOLD_SECONDS if plan.hold else plan.seconds), "--pictures", plan.pictures,
    )  # fmt: skip
    announced: dict[str, Any] = json.loads("{" + await sim.line("{", READY_S_MAX))
    return announced


async def accounts_up(base: str, accounts: int) -> None:
    """Returns when every account has its gateway session. Raises TimeoutError."""
    async with asyncio.timeout(READY_S_MAX):
        while (await ask(base, "/_sim/stats"))["sessions"] < accounts:  # noqa: ASYNC110  # in another process
            await asyncio.sleep(POLL_S)


async def attend(plan: Plan, crowd: Machine, watch: Watch, at_begin: Callable[[], None] | None) -> None:
    """From the first socket to the last look at a picture, while all are watched. Raises Ended."""
    watching = asyncio.create_task(watch.run())
    crowding = asyncio.create_task(follow(plan, crowd, at_begin))
    try:
        await asyncio.wait({watching, crowding}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        await crowding
        watch.look()
    finally:
        watching.cancel()
        crowding.cancel()
        await asyncio.gather(watching, crowding, return_exceptions=True)


async def follow(plan: Plan, crowd: Machine, at_begin: Callable[[], None] | None) -> None:
    """The crowd's own words, passed on to whoever runs this."""
    say(f"connected in {float(await crowd.line('connected')):.1f} s")
    crowd.tell()
    begun = float(await crowd.line("begun"))
    if at_begin is not None:
        at_begin()
    say(f"all sent {float(await crowd.line('sent')) - begun:.1f} s after the begin")
    say(f"settled {float(await crowd.line('settled')) - begun:.1f} s after the begin")
    say(f"pictures were looked at in {float(await crowd.line('looked')):.1f} s")
    if plan.hold:
        await asyncio.sleep(HOLD_S)


async def ask(base: str, path: str) -> dict[str, Any]:
    """JSON of the simulator's control."""
    async with aiohttp.ClientSession() as http, http.get(base + path) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def ask_ledger(base: str) -> list[dict[str, Any]]:
    """Every interaction that the simulator received."""
    rows: list[dict[str, Any]] = []
    while True:
        page = await ask(base, f"/_sim/ledger?after={len(rows)}&limit={LEDGER_PAGE}")
        rows += page["rows"]
        if page["next"] is None:
            return rows


def kept_jobs(path: Path) -> list[Kept]:
    """Every job that the daemon's database has."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return [Kept(*row) for row in database.execute(KEPT)]


def say(line: str) -> None:
    """How far we are."""
    print(f"  … {line}", flush=True)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.peak", description="The compressed peak on a real daemon.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--rate", type=float, help="jobs that arrive a second (100)")
    way.add_argument("--over", type=float, help="seconds in which all jobs arrive")
    way.add_argument("--saturate", action="store_true", help="send as fast as jobs are finished")
    way.add_argument("--hold", action="store_true", help="drawings never end")
    parser.add_argument("--jobs", type=int, default=usual.jobs)
    parser.add_argument("--users", type=int, default=usual.users)
    parser.add_argument("--open", type=float, default=usual.open, help="share of users with a socket all the time")
    parser.add_argument("--backlog", type=int, default=usual.backlog, help="jobs under way at most, with --saturate")
    parser.add_argument("--accounts", type=int, default=usual.accounts)
    parser.add_argument("--slots", type=int, default=usual.slots)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of a drawing")
    parser.add_argument("--pictures", choices=("canned", "painted"), default=usual.pictures)
    parser.add_argument("--look-each", type=int, default=usual.look_each, help="of every so many-th picture look at it")
    parser.add_argument(
        "--settle", type=float, default=usual.settle_s, help="seconds of silence after which all is lost"
    )
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--profile", action="store_true", help="of the daemon's CPU time")
    parser.add_argument("--out", type=Path, help="folder of the result (default: a new one)")
    return parser.parse_args()


def main() -> int:
    """The exit code."""
    wanted = arguments()
    rate = wanted.jobs / wanted.over if wanted.over else wanted.rate or Plan().rate
    plan = Plan(
        jobs=wanted.jobs, users=max(2, wanted.users), open=wanted.open, rate=rate, saturate=wanted.saturate,
        hold=wanted.hold, backlog=wanted.backlog, accounts=wanted.accounts, slots=wanted.slots, seconds=wanted.seconds,
        pictures=wanted.pictures, look_each=wanted.look_each, settle_s=wanted.settle, seed=wanted.seed,
    )  # fmt: skip
    folder = (wanted.out or Path(tempfile.mkdtemp(prefix="limner-peak-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    raise_file_limit()
    print(f"peak: {plan.jobs:,} jobs of {plan.users:,} users, in {folder}", flush=True)
    try:
        found = asyncio.run(run(plan, folder, wanted.profile))
    except Ended as ended:
        print(f"peak: {ended}", file=sys.stderr)
        return 1
    (folder / "peak.json").write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))
    print(f"peak: {folder}/peak.json, {folder}/peak.svg")
    if any(found["counts"][name] for name in ("lost", "doubled", "swapped")):
        return 1
    shutil.rmtree(folder / "data")  # hundreds of thousands of pictures, which nobody will look into
    return 0


if __name__ == "__main__":
    sys.exit(main())
