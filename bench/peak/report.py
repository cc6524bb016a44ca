"""Report: the figures of a run as one map (peak.json), and as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bench.peak.book import DONE, Kept, Read
from bench.peak.machines import Sample, cpu_at
from bench.peak.plan import Plan, config_of
from bench.peak.plot import Panel, drawing
from bench.peak.series import depth_series, memory_series, rate_series, wait_series
from bench.peak.verdict import acknowledgements, counts, fairness, middle, rates, steps_of, waits

COSTS = ("daemon", "daemon loop", "pool", "sim", "crowd")
NOBODY: dict[str, Any] = {"api": "…", "gateway": "…", "cdn": "…", "guild_id": "…", "accounts": ()}


def figures(
    plan: Plan,
    book: Read,
    samples: list[Sample],
    ledger: Iterable[Mapping[str, Any]],
    kept: Iterable[Kept],
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that peak.json holds. Rates in jobs/s, CPU in ms a job, memory in MiB, waits in s, answers in ms."""
    settled = (book.more["begun"], book.more["settled"])
    found = counts(plan, book, ledger, kept, stats["duplicates"])
    return {
        "plan": msgspec.to_builtins(plan) | {"heavy": plan.heavy, "concurrent": plan.concurrent},
        "config": config_of(plan, NOBODY),
        "seconds": settled[1] - settled[0],
        "jobs_per_s": rates(book),
        "cpu_ms_per_job": cpu_per_job(book, samples, settled),
        "cpu_ms_per_job_in_the_middle": cpu_per_job(book, samples, middle(book)),
        "crowd_cpu_s": book.more["cpu_s"],
        "rss_mib": {name: memory(samples, name) for name in ("daemon", "pool", "sim", "crowd")},
        "latency_ms": acknowledgements(book, plan),
        "waits_s": waits(book, plan),
        "jain": fairness(book, plan),
        "counts": found,
        "refused": book.refused,
        "failed": book.failed,
        "wrong": book.wrong,
        "frames": book.frames,
        "looked": book.more["looked"],
        "simulator": {name: stats[name] for name in ("interactions", "duplicates", "rate_limited", "identifies")},
        "rss_over_time": [[round(sample.at - settled[0], 1), round(sample.rss_mib["daemon"], 1)] for sample in samples],
    }


def cpu_per_job(book: Read, samples: list[Sample], part: tuple[float, float]) -> dict[str, float]:
    """CPU ms of each process in a part of the run, for each job that was done in it (with none done: each accepted)."""
    low, high = part
    done = sum(low <= at <= high for at, end in zip(book.ended, book.end, strict=True) if end == DONE)
    done = done or sum(low <= at <= high for at in book.acked) or 1
    return {name: (cpu_at(samples, name, high) - cpu_at(samples, name, low)) / done * 1000 for name in COSTS}


def memory(samples: list[Sample], name: str) -> dict[str, float]:
    """At the first look, at the last, and the most, in MiB."""
    seen = [sample.rss_mib.get(name, 0.0) for sample in samples]
    return {"first": seen[0], "last": seen[-1], "most": max(seen)}


def picture(plan: Plan, book: Read, samples: list[Sample], found: Mapping[str, Any]) -> str:
    """The run as an SVG."""
    steps, begun = steps_of(book), book.more["begun"]
    way = "as fast as they are drawn" if plan.saturate else "held" if plan.hold else f"{plan.rate:,.0f} a second"
    title = f"{plan.jobs:,} jobs of {plan.users:,} users, {way}"
    did = " · ".join(
        (
            f"{found['jobs_per_s']['sustained']:,.0f} jobs/s",
            f"{found['cpu_ms_per_job_in_the_middle']['daemon']:.2f} ms of daemon CPU a job",
            *(f"{found['counts'][name]:,} {name}" for name in ("lost", "doubled", "swapped")),
        )
    )
    rate = rate_series(book, steps)
    panels = (
        Panel("Jobs a second", {name: rate[name] for name in ("done", "accepted")}),
        Panel("Jobs", depth_series(book, steps)),
        Panel("Seconds from accepted to started", wait_series(book, plan, steps)),
        Panel("Memory, MiB", memory_series(samples, begun)),
    )
    return drawing(title, did, steps.count * steps.length_s, panels)


def table(found: Mapping[str, Any]) -> str:
    """For people."""
    lines: list[tuple[str, str]] = [
        (
            "jobs/s, in the middle / in total / accepted",
            " / ".join(f"{rate:,.1f}" for rate in found["jobs_per_s"].values()),
        )
    ]
    for part, name in (("in the middle", "cpu_ms_per_job_in_the_middle"), ("in total", "cpu_ms_per_job")):
        costs = ", ".join(f"{who} {cost:.2f}" for who, cost in found[name].items())
        lines.append((f"CPU ms a job, {part}", costs))
    for name, ms in found["latency_ms"].items():
        lines.append((f"{name}, ms", _spread(ms)))
    for kind, both in found["waits_s"].items():
        lines += [(f"{kind}: {name}, s", _spread(wait)) for name, wait in both.items()]
    lines.append(("Jain's index", ", ".join(f"{kind} {index:.4f}" for kind, index in found["jain"].items())))
    for name in ("daemon", "pool", "sim", "crowd"):
        seen = found["rss_mib"][name]
        lines.append((f"RSS of {name}, MiB", ", ".join(f"{when} {mib:,.0f}" for when, mib in seen.items())))
    for name in ("counts", "refused", "failed", "wrong", "looked", "simulator"):
        if found[name]:
            lines.append((name, ", ".join(f"{what} {count:,}" for what, count in found[name].items())))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {words}" for name, words in lines)


def _spread(found: Mapping[str, float] | None) -> str:
    return "none" if found is None else ", ".join(f"{name} {value:,.2f}" for name, value in found.items())
