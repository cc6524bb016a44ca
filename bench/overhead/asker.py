"""Asker: an operator's console and a Prometheus in a process of their own: `python -m bench.overhead.asker URL WHICH`.

Each second one question after the other: of `console` what `limner console` asks for its first screen, and in every
fifth round a scrape (deploy/prometheus.yml has one in fifteen seconds); of `all` every read of docs/ADMIN.md. A line on
stdin begins the asking, the next one ends it, and so on. It says of each answer, a line each: `answer ROUTE STATUS MS`.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
import uvloop

ADMIN_KEY = "the-operators-key-of-a-measurement"
ASKED_EACH_S = 1.0
ANSWER_S_MAX = 30.0
#: So many rounds of `console` have one scrape.
SCRAPED_EACH = 5
CONSOLE = (
    "metrics",
    "status",
    "accounts",
    "tree?sort=restarts&limit=20",
    "tree?sort=depth&limit=20",
)
#: ACCOUNT and JOB: of the latest answers that named some, another one each time.
ALL = (
    *CONSOLE,
    "queue",
    "events?limit=100",
    "jobs?limit=100",
    "users?limit=100",
    "readyz",
    "tree",
    "tree?sort=busy&limit=100",
    "tree?filter=user-9&limit=100",
    "actors/queue",
    "actors/lobby",
    "accounts/ACCOUNT",
    "jobs?state=queued&limit=100",
    "jobs?account=ACCOUNT&limit=100",
    "jobs/JOB",
    "users?sort=used&limit=100",
    "users?sort=jobs&limit=100",
    "users/user-0",
    "nodes",
    "audit?limit=100",
    "config",
)
WHICH = {"console": CONSOLE, "all": ALL}
PUBLIC = {"metrics": "/metrics", "readyz": "/readyz"}


class Asker:
    """Remembers what it can ask about."""

    def __init__(self, http: aiohttp.ClientSession, routes: tuple[str, ...]) -> None:
        self._http, self._routes = http, routes
        self._turn = itertools.count()
        self._known: dict[str, tuple[str, ...]] = {"ACCOUNT": (), "JOB": ()}

    async def round(self) -> None:
        """Every question once."""
        turn = next(self._turn)
        for route in self._routes:
            path = PUBLIC.get(route, f"/admin/v1/{route}")
            for word, names in self._known.items():
                if word in path and names:
                    path = path.replace(word, names[turn % len(names)])
            is_due = route != "metrics" or self._routes is ALL or turn % SCRAPED_EACH == 0
            if is_due and "ACCOUNT" not in path and "JOB" not in path:
                await self._ask(route, path)

    async def _ask(self, route: str, path: str) -> None:
        began = time.monotonic()
        try:
            async with self._http.get(path) as answer:
                body, status = await answer.read(), answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            body, status = b"", type(error).__name__
        print("answer", route, status, (time.monotonic() - began) * 1000, flush=True)
        if status == 200 and route in ("accounts", "jobs?limit=100"):
            self._learn(msgspec.json.decode(body))

    def _learn(self, answer: dict[str, Any]) -> None:
        for word, rows, name in (("ACCOUNT", "accounts", "name"), ("JOB", "jobs", "job")):
            if rows in answer:
                self._known[word] = tuple(row[name] for row in answer[rows])


class Switch:
    """Lines on stdin."""

    def __init__(self) -> None:
        self.is_on = asyncio.Event()

    def turn(self) -> None:
        """On, or off again; the end of the input ends us with the parent."""
        if not sys.stdin.readline():
            raise SystemExit
        if self.is_on.is_set():
            self.is_on.clear()
        else:
            self.is_on.set()


async def live(url: str, routes: tuple[str, ...]) -> None:
    """See the module's docstring."""
    switch = Switch()
    turn: Callable[[], None] = switch.turn
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), turn)
    headers, limit = {"Authorization": f"Bearer {ADMIN_KEY}"}, aiohttp.ClientTimeout(ANSWER_S_MAX)
    async with aiohttp.ClientSession(url, headers=headers, timeout=limit) as http:
        asker = Asker(http, routes)
        while True:
            await switch.is_on.wait()
            began = time.monotonic()
            await asker.round()
            await asyncio.sleep(max(0.0, ASKED_EACH_S - (time.monotonic() - began)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live(sys.argv[1], WHICH[sys.argv[2]]))
