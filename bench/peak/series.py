"""Series: what happened when, in steps of the run, from the crowd's book and the samples. Pure.

Each series is a list of (seconds after the begin, value); NaN where there is nothing to tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from bench.peak.book import DONE, Read
from bench.peak.machines import Sample
from bench.peak.plan import Plan
from bench.peak.steps import Points, Steps
from bench.peak.verdict import percentiles


def rate_series(book: Read, steps: Steps) -> dict[str, Points]:
    """Jobs accepted and done a second."""
    done = (at for at, end in zip(book.ended, book.end, strict=True) if end == DONE)
    counted = {"accepted": steps.counted(book.acked), "done": steps.counted(done)}
    return {name: steps.points(count / steps.length_s for count in counts) for name, counts in counted.items()}


def depth_series(book: Read, steps: Steps) -> dict[str, Points]:
    """Jobs that wait (accepted, not begun), and those that are being drawn, at the end of each step."""
    accepted, begun = running(steps.counted(book.acked)), running(steps.counted(book.started))
    ended = running(steps.counted(at for at, end in zip(book.ended, book.end, strict=True) if end == DONE))
    pairs = zip(accepted, begun, ended, strict=True)
    waiting, drawn = zip(*((a - b, b - e) for a, b, e in pairs), strict=True)
    return {"waiting": steps.points(waiting), "being drawn": steps.points(drawn)}


def wait_series(book: Read, plan: Plan, steps: Steps) -> dict[str, Points]:
    """p50 and p99 of the seconds from `accepted` to `started`, of the jobs that began in each step, by user class."""
    found: dict[str, Points] = {}
    for kind, heavy in (("light", False), ("heavy", True)):
        jobs = (number for number, user in enumerate(book.senders) if (user < plan.heavy) == heavy)
        spreads = [percentiles(waits) for waits in binned(book, steps, jobs)]
        for share in ("p50", "p99"):
            found[f"{kind} {share}"] = steps.points(spread[share] if spread else math.nan for spread in spreads)
    return found


def memory_series(samples: list[Sample], begun: float) -> dict[str, Points]:
    """Resident MiB of the daemon, and of its children."""
    return {
        name: [(sample.at - begun, sample.rss_mib[name]) for sample in samples if sample.at >= begun]
        for name in ("daemon", "pool")
    }


def running(counts: Iterable[int]) -> list[int]:
    """Sums up to and with each."""
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(total)
    return sums


def binned(book: Read, steps: Steps, numbers: Iterable[int]) -> list[list[float]]:
    """The waits of these jobs, by the step in which they began."""
    bins: list[list[float]] = [[] for _ in range(steps.count)]
    for number in numbers:
        step = steps.of(book.started[number])
        if step is not None:
            bins[step].append(book.started[number] - book.acked[number])
    return bins
