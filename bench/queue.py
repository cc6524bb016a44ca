"""What a long queue costs: `python -m bench.queue [--jobs 300000] [--users 10000] [--folder DIR] [--json FILE]`.

First core/fairness alone, as full as it gets: arrivals, services, places of a new job, and the places of all of a
user's jobs as they are told every few seconds, in operations a second; with the memory of a waiting job. One user of
each hundred has half the jobs. Then the opening: Store and Queue on a uvloop loop, from a database file with as many
queued jobs to the Queue's word that it is open, and for how long at most the loop did not turn meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import insert, select

from actors.process import Process
from actors.queue.actor import Queue
from actors.queue.messages import PLACES_TOLD_MAX, LedgerOpen
from actors.shell import Shell, Start
from actors.store import Store
from bench.store import accepting, commit, job_of
from core.config import Config
from core.fairness import FairQueue, Waiting
from core.ids import new_id
from storage.database import open_database
from storage.operations import AddUser
from storage.pictures import MemoryPictures
from storage.tables import jobs as jobs_table
from system.loop_base import run_on

MODES = ("fast", "relax")
#: What one turn of the loop may take while the backlog is read; the aim.
TURN_MS_AIM = 50
LOOK_EACH_S = 0.002
INSERTED_AT_ONCE = 10_000
ASKED = 20_000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=300_000, help="jobs that wait")
    parser.add_argument("--users", type=int, default=10_000, help="users whose they are")
    parser.add_argument("--folder", help="where to put the database (default: a temporary folder)")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    figures = in_a_child(core_alone, options.jobs, options.users)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        url = f"sqlite:///{folder}/limner.db"
        in_a_child(fill, url, options.jobs, options.users)
        figures |= in_a_child(opening, url)
    for name, figure in figures.items():
        print(f"{name:<44}{figure:>12,.1f}" if figure < 100 else f"{name:<44}{figure:>12,.0f}")
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1))


def in_a_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function gives in a fresh process, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def owners(jobs: int, users: int) -> Iterator[str]:
    """Whose the jobs are: every other one a heavy user's (1 % of all), the rest everybody's in turn."""
    heavy = max(1, users // 100)
    for number in range(jobs):
        yield f"U{(number // 2) % (heavy if number % 2 else users):05}"


# --- the core ---------------------------------------------------------------------------------------------------


def core_alone(jobs: int, users: int) -> dict[str, float]:
    """Rates and memory of a FairQueue with so many waiting jobs."""
    dice = random.Random(1)
    gc.collect()
    before = resident_bytes()
    waiting = [Waiting(new_id("j", number / 10, dice), user, "fast") for number, user in enumerate(owners(jobs, users))]
    queue = FairQueue()
    figures = {"core: arrivals, a second": rate(len(waiting), lambda: add_all(queue, waiting))}
    waiting.clear()
    gc.collect()
    figures["core: memory of a waiting job, bytes"] = (resident_bytes() - before) / jobs
    names = [f"U{dice.randrange(users):05}" for _ in range(ASKED)]
    figures["core: place of a new job, a second"] = rate(ASKED, lambda: each(queue.standing_of_new, names))
    began = time.perf_counter()
    told = sum(len(queue.standings(user, PLACES_TOLD_MAX)) for user in names)
    took = time.perf_counter() - began
    figures["core: users told all their places, a second"] = ASKED / took
    figures["core: places told, a second"] = told / took
    figures["core: services, a second"] = rate(ASKED, lambda: serve(queue))
    figures["core: services with parking, a second"] = rate(ASKED, lambda: serve_at_limits(queue))
    began = time.perf_counter()
    queue.shares()
    queue.look_anew()
    figures["core: a look at all shares, ms"] = (time.perf_counter() - began) * 1000
    return figures


def add_all(queue: FairQueue, waiting: list[Waiting]) -> None:
    for job in waiting:
        queue.add(job, weight=1.0, concurrent=3)


def each(place: Callable[..., Any], names: list[str]) -> None:
    for user in names:
        place(user, "fast", None, 1.0, 3)


def serve(queue: FairQueue) -> None:
    """Drawings that end at once."""
    for _ in range(ASKED):
        taken = queue.take("fox", MODES)
        if taken is not None:
            queue.ended(taken.user)


def serve_at_limits(queue: FairQueue) -> None:
    """Every drawing outlasts 1,000 others, so that those with many jobs are at their limit again and again."""
    dice = random.Random(2)
    running = []
    for _ in range(ASKED):
        taken = queue.take("fox", MODES)
        if taken is not None:
            running.append(taken.user)
        if len(running) >= 1_000:
            queue.ended(running.pop(dice.randrange(len(running))))


def rate(count: int, work: Callable[[], None]) -> float:
    """So many a second."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def resident_bytes() -> int:
    """The memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


# --- the opening ------------------------------------------------------------------------------------------------


def fill(url: str, jobs: int, users: int) -> None:
    """A database with so many queued jobs: one accepted as every job is, the others copies of its row."""
    database = open_database(url)
    commit(database, (AddUser(f"U{number:05}", f"U{number:05}", "free", False, 0.0) for number in range(users)))
    commit(database, iter([accepting(0)]))
    with database.reading() as connection:
        row = dict(connection.execute(select(jobs_table)).mappings().one())
    copies = [
        row | {"id": job_of(number), "user": user, "ref": f"ref-{number}"}
        for number, user in enumerate(owners(jobs, users))
        if number > 0
    ]
    with database.writing() as connection:
        for begin in range(0, len(copies), INSERTED_AT_ONCE):
            connection.execute(insert(jobs_table), copies[begin : begin + INSERTED_AT_ONCE])
    database.close()


class Watcher(Shell):
    """Plays the scheduler: hears that the Queue is open."""

    ACCEPTS = (LedgerOpen,)

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()

    def receiveMsg_LedgerOpen(self, opened: LedgerOpen, sender: Any) -> None:
        self.opened.set()


def opening(url: str) -> dict[str, float]:
    """How long Store and Queue take to open, and what it costs."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(open_queue(url))


async def open_queue(url: str) -> dict[str, float]:
    """From the birth of both to the Queue's word."""
    process = Process(
        config=Config(),
        data=Path(),
        links=None,  # type: ignore[arg-type]  # nobody here speaks to Discord
        pictures=MemoryPictures(),
        pool=ThreadPoolExecutor(1),
        database=url,
    )
    base = run_on(asyncio.get_running_loop(), process=process)
    born = {}
    gc.collect()
    before, began, cpu = resident_bytes(), time.perf_counter(), time.process_time()
    for name, actor in (("scheduler", Watcher), ("store", Store), ("queue", Queue)):
        born[name] = base.create(actor, name).record.instance
        base.tell(name, Start(name))
    turn_s = await longest_turn(born["scheduler"].opened)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    waiting = len(born["queue"].fair)
    gc.collect()
    after = resident_bytes()
    await base.stop()
    return {
        "opening: queued jobs": waiting,
        "opening: seconds": took,
        "opening: seconds of CPU": cpu,
        f"opening: longest turn of the loop, ms (aim {TURN_MS_AIM})": turn_s * 1000,
        "opening: memory a job, all of the daemon, bytes": (after - before) / waiting,
    }


async def longest_turn(opened: asyncio.Event) -> float:
    """Until it is open: the longest time in which the loop did not turn, beyond the look's own pause (seconds)."""
    longest, before = 0.0, time.perf_counter()
    while not opened.is_set():
        await asyncio.sleep(LOOK_EACH_S)
        now = time.perf_counter()
        longest, before = max(longest, now - before - LOOK_EACH_S), now
    return longest


if __name__ == "__main__":
    main()
