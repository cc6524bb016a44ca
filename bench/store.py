"""How fast the store is: `python -m bench.store [--jobs N] [--backlog N] [--folder DIR]`.

Prints jobs accepted a second and moves a second, in groups of 50 on a real file with `synchronous=FULL`; the CPU of a
whole job; the time of a lone commit; and how long it takes to open a backlog of queued jobs as the Queue does after a
start.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from storage.database import Database, open_database
from storage.groups import Operation, commit_group
from storage.operations import (
    AcceptJob,
    AddUser,
    Applied,
    Gather,
    Grant,
    ImageRecord,
    JobRecord,
    Offer,
    Settle,
    Submit,
    Track,
    Unfinished,
    Write,
)
from storage.reads import unfinished

GROUP = 50
PAGE = 5000
USERS = 10_000
OP_NUMBERS = itertools.count(1)
#: The course of jobs: the number of the first, and how many jobs are accepted between two steps of one.
FIRST_OF_COURSE = 1_000_000
APART = 100
PROMPT = "a red fox in fresh snow at dawn, ink and watercolour, wide view, soft light, fine paper grain --ar 3:2"
OFFERS = tuple(
    Offer(
        action,
        index,
        f"{action[0].upper()}{index}",
        f"MJ::JOB::{action}::{index}::0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    )
    for action in ("upscale", "vary")
    for index in (1, 2, 3, 4)
)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs that live a whole life")
    parser.add_argument("--backlog", type=int, default=300_000, help="queued jobs to open")
    parser.add_argument("--folder", help="where to put the database (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        url = f"sqlite:///{folder}/limner.db"
        database = open_database(url)
        commit(database, (AddUser(user_of(number), user_of(number), "free", False, 0.0) for number in range(USERS)))
        whole_lives(database, options.jobs)
        course(database, options.jobs)
        lone_commits(database)
        rate = timed(database, map(accepting, range(options.jobs, options.backlog)))
        print(f"backlog accepted                {rate:>10,.0f} /s")
        database.close()
        opening(url)
        print(f"file                            {Path(folder, 'limner.db').stat().st_size / 2**20:>10,.0f} MiB")
        print(
            f"peak memory of this process     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:>10,.0f} MiB"
        )


def whole_lives(database: Database, jobs: int) -> None:
    """Every write of a job's life, each kind by itself."""
    for name, write_of in LIFE:
        print(f"{name:<32}{timed(database, map(write_of, range(jobs))):>10,.0f} /s")


def course(database: Database, jobs: int) -> None:
    """CPU of this process for all the writes of a job, many jobs on their way at once, as the Queue sends them."""
    writes = (LIFE[step][1](FIRST_OF_COURSE + job) for job, step in interleaved(jobs, len(LIFE)))
    began = time.process_time()
    commit(database, writes)
    print(f"course of a job                 {(time.process_time() - began) / jobs * 1e6:>10,.0f} µs of CPU")


def interleaved(jobs: int, steps: int) -> Iterator[tuple[int, int]]:
    """(job, step) such that each job goes on while others begin: `APART` jobs are accepted between two steps."""
    for turn in range(jobs + APART * (steps - 1)):
        for step in reversed(range(steps)):
            if 0 <= (job := turn - APART * step) < jobs:
                yield job, step


def lone_commits(database: Database, count: int = 500) -> None:
    """One write a commit: what a lone user waits for."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        commit_group(database, [Operation(f"lone{number}", accepting(10_000_000 + number))], 0.0)
        times.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(times, n=100)
    print(f"lone commit p50 / p99           {cuts[49]:>10.2f} / {cuts[98]:.2f} ms")


def opening(url: str) -> None:
    """From nothing to every unfinished job in memory."""
    began = time.perf_counter()
    database = open_database(url)
    opened = time.perf_counter()
    jobs: dict[str, JobRecord] = {}
    after: str | None = None
    while after is not None or not jobs:
        with database.reading() as connection:
            page = unfinished(connection, Unfinished(None, after, PAGE))
        jobs.update((job.id, job) for job in page.jobs)
        after = page.next
    ended = time.perf_counter()
    database.close()
    print(f"database opened in              {(opened - began) * 1000:>10.1f} ms")
    print(f"{len(jobs):>7,} unfinished read in      {ended - opened:>10.2f} s")


def timed(database: Database, writes: Iterator[Write]) -> float:
    """Writes a second, in groups."""
    began = time.perf_counter()
    count = commit(database, writes)
    return count / (time.perf_counter() - began)


def commit(database: Database, writes: Iterator[Write]) -> int:
    """Commits all in groups; how many there were. Raises RuntimeError when one was not applied."""
    count = 0
    while group := [Operation(f"queue:1:{next(OP_NUMBERS)}", write, again=False) for write in islice(writes, GROUP)]:
        for outcome in commit_group(database, group, 0.0):
            if not isinstance(outcome, Applied):
                raise RuntimeError(f"a write was not applied: {outcome}")
        count += len(group)
    return count


def user_of(number: int) -> str:
    return f"U{number % USERS:05}"


def job_of(number: int) -> str:
    return f"j{number:012}"


def accepting(number: int) -> AcceptJob:
    return AcceptJob(
        job=job_of(number),
        user=user_of(number),
        plan="free",
        ref=f"ref-{number}",
        digest="d" * 64,
        kind="imagine",
        prompt=PROMPT,
        mode="fast",
        images_in=(),
        action=None,
        index=None,
        parent=None,
        charge=1,
        day="2026-01-01",
        resets_at=86_400.0,
        daily=10_000,
        queued=10_000,
        position=number + 1,
        eta_s=12.5,
        at=float(number),
    )


def picture(number: int) -> ImageRecord:
    name = f"p{number:012}"
    return ImageRecord(
        name,
        job_of(number),
        user_of(number),
        0,
        f"{name}.png",
        f"{name}.webp",
        2048,
        2048,
        5_000_000,
        "0" * 64,
        "image/png",
    )


LIFE: tuple[tuple[str, Callable[[int], Write]], ...] = (
    ("accept", accepting),
    ("grant", lambda n: Grant(job_of(n), 1, f"lease-{n}", "fox-07", 1.0)),
    ("submit", lambda n: Submit(job_of(n), 1, f"lease-{n}", f"nonce-{n:018}", "session", 2.0)),
    ("track", lambda n: Track(job_of(n), 1, f"1{n:018}", f"2{n:018}", None, 3.0)),
    ("track on", lambda n: Track(job_of(n), 1, f"1{n:018}", None, "hash", 3.5)),
    ("gather", lambda n: Gather(job_of(n), 1, f"3{n:018}", "https://cdn/a.png", "hash", OFFERS, None, 4.0)),
    ("settle", lambda n: Settle(job_of(n), 1, ("keeping",), "done", None, None, True, (picture(n),), 5.0)),
)

if __name__ == "__main__":
    main()
