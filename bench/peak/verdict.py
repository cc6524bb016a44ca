"""Verdict: three ledgers held against each other: what users were told, what the bot drew, what the daemon keeps. Pure.

lost      acknowledged, and no end was told (and what has ended, but in the daemon's ledger otherwise)
doubled   drawn twice, a nonce sent twice, or ended twice
swapped   a kept picture is not, by its digest, what was drawn for the job's own prompt; or one that its owner fetched
          shows another prompt
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.peak.book import CANCELLED, DONE, FAILED, REFUSED, Kept, Read
from bench.peak.plan import Plan, number_of
from bench.peak.steps import Steps
from core.jain import jain

STATES = {DONE: "done", FAILED: "failed", CANCELLED: "cancelled"}
DREW = frozenset({"accepted", "done"})
#: The middle of the run, by which rates are told: without the rise at the begin and the last stragglers.
MIDDLE = (0.2, 0.8)


def counts(
    plan: Plan, book: Read, drawn: Iterable[Mapping[str, Any]], kept: Iterable[Kept], duplicates: int
) -> dict[str, int]:
    """How many were lost, doubled, swapped.

    `drawn` are rows of the simulator's ledger, `kept` the daemon's jobs, `duplicates` the nonces that the simulator saw
    twice. Of jobs that are held, none ends: they are lost when the daemon does not have them.
    """
    digests: dict[int, set[str]] = defaultdict(set)
    times: Counter[int] = Counter()
    for row in drawn:
        number = number_of(row["prompt"])
        if number is not None and row["outcome"] in DREW:
            times[number] += 1
            digests[number].add(row["sha256"])
    swapped, states = book.more["looked"].get("swapped", 0), dict[int, str]()
    for job in kept:
        number = number_of(job.prompt)
        if number is not None:
            states[number] = job.state
            swapped += job.digest is not None and job.digest not in digests[number]
    accepted = [number for number, at in enumerate(book.acked) if not math.isnan(at)]
    told = {number: STATES.get(book.end[number]) for number in accepted}
    ends = Counter(book.end)
    return {
        "accepted": len(accepted),
        "done": ends[DONE],
        "failed": ends[FAILED],
        "refused": ends[REFUSED],
        "unanswered": sum(map(math.isnan, book.acked)) - ends[REFUSED],
        "lost": sum(n not in states or (not plan.hold and told[n] != states[n]) for n in accepted),
        "done without a drawing": sum(end == DONE and not times[number] for number, end in enumerate(book.end)),
        "doubled": sum(count > 1 for count in times.values()) + duplicates + book.wrong.get("ends doubled", 0),
        "swapped": swapped,
    }


def percentiles(values: Iterable[float]) -> dict[str, float] | None:
    """p50, p90, p99 and the most, in the values' unit; None when there are none."""
    ordered = sorted(value for value in values if not math.isnan(value))
    if not ordered:
        return None
    last = len(ordered) - 1
    picked = {f"p{share}": ordered[round(last * share / 100)] for share in (50, 90, 99)}
    return picked | {"max": ordered[-1]}


def acknowledgements(book: Read, plan: Plan) -> dict[str, dict[str, float] | None]:
    """Milliseconds from the order's write to its `accepted`; and, in an open loop, how late the client was with it."""
    begun, answers, late = book.more["begun"], [], []
    for number in there(book, plan):
        answers.append((book.acked[number] - book.sent[number]) * 1000)
        late.append((book.sent[number] - begun - book.due[number]) * 1000)
    return {"ack": percentiles(answers), "client late": None if plan.closed_loop else percentiles(late)}


def waits(book: Read, plan: Plan) -> dict[str, dict[str, dict[str, float] | None]]:
    """Seconds from `accepted` to `started` and to `done`, of heavy and light users."""
    found: dict[str, dict[str, list[float]]] = {
        kind: {"accepted to started": [], "accepted to done": []} for kind in ("light", "heavy")
    }
    for number in there(book, plan):
        if book.end[number] == DONE:
            lists = found["heavy" if book.senders[number] < plan.heavy else "light"]
            lists["accepted to started"].append(book.started[number] - book.acked[number])
            lists["accepted to done"].append(book.ended[number] - book.acked[number])
    return {kind: {name: percentiles(values) for name, values in lists.items()} for kind, lists in found.items()}


def there(book: Read, plan: Plan) -> Iterator[int]:
    """The jobs of users who were there all the time, and heard everything when it happened."""
    return (number for number, user in enumerate(book.senders) if user < plan.always_open)


def fairness(book: Read, plan: Plan) -> dict[str, float]:
    """Jain's index over the light users, and over the heavy ones.

    A light user's service is how fast they were served beside the other light users of the same time: the seconds from
    `accepted` to `done` that were usual for jobs accepted in the same steps of the run, by those that their own jobs
    took. A heavy user's, whose jobs never run out while the queue is long, is the number of their jobs that began in
    the middle of the run.
    """
    steps, (low, high) = steps_of(book), middle(book)
    begun: Counter[int] = Counter(dict.fromkeys(range(plan.heavy), 0))
    light: list[tuple[int, int, float]] = []
    for number in there(book, plan):
        user, step = book.senders[number], steps.of(book.acked[number])
        if book.end[number] != DONE or step is None:
            continue
        if user >= plan.heavy:
            light.append((user, step, book.ended[number] - book.acked[number]))
        elif low <= book.started[number] < high:
            begun[user] += 1
    sums, jobs = [0.0] * steps.count, [0] * steps.count
    for _, step, took in light:
        sums[step] += took
        jobs[step] += 1
    usual: dict[int, float] = defaultdict(float)
    own: dict[int, float] = defaultdict(float)
    for user, step, took in light:
        usual[user] += sums[step] / jobs[step]
        own[user] += took
    return {"light": jain(usual[user] / own[user] for user in own), "heavy": jain(begun.values())}


def span(book: Read) -> tuple[float, float]:
    """From the begin to the last end, monotonic s."""
    return book.more["begun"], max((at for at in book.ended if not math.isnan(at)), default=book.more["settled"])


def steps_of(book: Read) -> Steps:
    """From the begin to the last end."""
    return Steps(*span(book))


def middle(book: Read) -> tuple[float, float]:
    """The part of the run by which rates are told."""
    begun, last = span(book)
    return tuple(begun + (last - begun) * share for share in MIDDLE)  # type: ignore[return-value]


def rates(book: Read) -> dict[str, float]:
    """Jobs a second: finished in the middle of the run, finished in all, accepted until the last one was."""
    (begun, last), (low, high) = span(book), middle(book)
    done = [at for at, end in zip(book.ended, book.end, strict=True) if end == DONE]
    answered = [at for at in book.acked if not math.isnan(at)]
    return {
        "sustained": sum(low <= at < high for at in done) / max(high - low, 1e-9),
        "in total": len(done) / max(last - begun, 1e-9),
        "accepted": len(answered) / max(max(answered, default=last) - begun, 1e-9),
    }
