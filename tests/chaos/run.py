"""A chaos run: a simulator, a daemon, customers and a tormentor; then peace, and the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.chaos.customer import Customer
from tests.chaos.machines import ADMIN_KEY, Daemon, Simulator
from tests.chaos.tormentor import Tormentor
from tests.chaos.verdict import Verdict

SETTLE_POLL_S = 0.1
PICTURES_AT_ONCE = 16


@dataclass(frozen=True)
class Plan:
    """What is done to whom.

    `seconds` is a drawing's time, `backlog` the open orders a user; `sim_dies`: the simulator is killed too; `calm`:
    some lives are long; `pictures_max`: of how many pictures the bytes are asked for at the end.
    """

    seed: int
    kills: int = 100
    users: int = 12
    accounts: int = 6
    seconds: float = 0.8
    backlog: int = 8
    sim_dies: bool = False
    calm: bool = True
    settle_s: float = 180.0
    pictures_max: int = 2000


@dataclass
class Report:
    """What came of it: the table's rows, every promise that was broken, and the evidence."""

    rows: list[tuple[str, str]]
    violations: list[str]
    verdict: Verdict

    def table(self) -> str:
        """For people."""
        width = max(len(name) for name, _ in self.rows)
        lines = [f"  {name:<{width}}  {value}" for name, value in self.rows]
        ends = [f"VIOLATION  {each}" for each in self.violations[:50]] or ["no violation"]
        return "\n".join([*lines, *ends])


async def run(plan: Plan, folder: Path, say: Callable[[str], None] = lambda line: None) -> Report:
    """The whole run, in a folder of its own, which holds the logs and the data afterwards."""
    simulator = Simulator(folder / "sim", plan.accounts, plan.seconds, plan.seed)
    daemon = Daemon(folder / "daemon")
    dice = random.Random(f"{plan.seed}/tormentor")
    tormentor = Tormentor(daemon, simulator, dice, say, sim_dies=plan.sim_dies, calm=plan.calm)
    began_at = time.monotonic()
    try:
        await simulator.start()
        daemon.configure(simulator.announced)
        await daemon.start()
        assert await daemon.ready(), daemon.log.read_text()[-4000:]
        customers = await introduce(plan, daemon, tormentor.moments.saw)
        daemon.kill()
        await daemon.ended()
        living = [asyncio.create_task(customer.live()) for customer in customers]
        try:
            await tormentor.torment(plan.kills)
            tormented_s = time.monotonic() - began_at
            for customer in customers:
                customer.closing = True
            await tormentor.relent()
            await daemon.start()
            assert await daemon.ready(), daemon.log.read_text()[-4000:]
            settled_s = await settle(customers, living, plan.settle_s)
        finally:
            for task in living:
                task.cancel()
            ends = await asyncio.gather(*living, return_exceptions=True)
        verdict = Verdict(customers, daemon.database, await simulator.ledger())
        verdict.violations += tormentor.complaints
        verdict.violations += [f"a customer gave up: {end!r}" for end in ends if isinstance(end, Exception)]
        stats = await simulator.ask("GET", "/_sim/stats")
        verdict.claim(stats["duplicates"] == 0, f"the simulator saw {stats['duplicates']} nonces twice")
        await look_at_pictures(customers, daemon, verdict, plan.pictures_max)
        return report(plan, tormentor, verdict, tormented_s, settled_s)
    finally:
        for machine in (daemon, simulator):
            if machine.kill():
                await machine.ended()


async def introduce(plan: Plan, daemon: Daemon, saw: Callable[[str], None]) -> list[Customer]:
    """Adds the users; every third has a plan of more weight."""
    customers = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as http:
        for number in range(plan.users):
            user = {"name": f"u{number:02d}", "plan": "free" if number % 3 else "studio"}
            async with http.post(f"{daemon.url}/admin/v1/users", json=user) as answer:
                assert answer.status == 201, await answer.text()
                key = (await answer.json())["key"]
            dice = random.Random(f"{plan.seed}/{user['name']}")
            customers.append(Customer(user["name"], key, lambda: daemon.url, saw, dice, plan.backlog))
    return customers


async def settle(customers: list[Customer], living: list[asyncio.Task[None]], limit_s: float) -> float:
    """Waits until every order was acknowledged and has ended; how long that took."""
    began_at = time.monotonic()
    while time.monotonic() - began_at < limit_s and not any(task.done() for task in living):
        if all(customer.is_settled for customer in customers):
            break
        await asyncio.sleep(SETTLE_POLL_S)
    return time.monotonic() - began_at


async def look_at_pictures(customers: list[Customer], daemon: Daemon, verdict: Verdict, most: int) -> None:
    """Fetches pictures as their owners do, and has the nonces in them judged."""
    turns = asyncio.Semaphore(PICTURES_AT_ONCE)

    async def look(http: aiohttp.ClientSession, key: str, job: str, url: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with turns, http.get(daemon.url + url, headers=headers) as answer:
            png = await answer.read()
        verdict.claim(answer.status == 200, f"the picture of {job}: HTTP {answer.status}")
        if answer.status == 200:
            verdict.check_picture(job, png)

    wanted = [
        (customer.key, job, end["images"][0]["url"])
        for customer in customers
        for job, end in customer.book.ends.items()
        if end["type"] == "done" and end["images"]
    ]
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as looking:
        for each in wanted[:most]:
            looking.create_task(look(http, *each))


def report(plan: Plan, tormentor: Tormentor, verdict: Verdict, tormented_s: float, settled_s: float) -> Report:
    """The table, from what was done to what came of it."""
    ready_s = sorted(tormentor.daemon.ready_s)
    rows = [
        ("seed", str(plan.seed)),
        ("users, accounts", f"{plan.users}, {plan.accounts}"),
        ("lives of the daemon", str(tormentor.daemon.lives)),
        ("kill -9", str(tormentor.kills)),
        *((f"  {name}", str(count)) for name, count in sorted(tormentor.counts.items())),
        ("lives of the simulator", str(tormentor.simulator.lives)),
        ("faults of the simulator", str(tormentor.faults.total())),
        ("  of these", ", ".join(f"{name} {count}" for name, count in sorted(tormentor.faults.items()))),
        ("chaos, s", f"{tormented_s:.1f}"),
        ("settled after, s", f"{settled_s:.1f}"),
        ("ready after a start, s", f"median {ready_s[len(ready_s) // 2]:.2f}, most {ready_s[-1]:.2f}"),
        *((name, str(count)) for name, count in sorted(verdict.figures.items())),
    ]
    return Report(rows, verdict.violations, verdict)
