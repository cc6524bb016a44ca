"""Messages among 100 actors, and 10,000 idle ones: the loop base beside Pykka and Thespian's simple and TCP bases.

    python -m bench.loop_base [--json FILE]

Each engine runs in a process of its own, so that none feels another's memory or threads. Messages: in a ring of actors
each member holds one number and passes what it gets on, less one, until all are zero; counted are deliveries a second,
the median of RUNS. Idle actors: the time to create them, and the growth in proportional memory (PSS) of the process and
its descendants, divided by their number. Every engine does the same work in ways natural to it; nobody's messages are
encoded but those of the TCP base. Runs in about half a minute.
"""

import argparse
import asyncio
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pykka
from thespian.actors import ActorSystem

from bench.ring import Await, Counter, Link, Member, PykkaCounter, PykkaMember, Start
from system.loop_base import LoopBase, run_on

RUNS = 3
CHILD_S_MAX = 60.0
ANSWER_S_MAX = 30.0
ACTORS_COMPARED = 10_000
MARK = "LIMNER_BENCH"


class Engine(NamedTuple):
    """How much each engine is given to do: enough for a steady figure, little enough for the clock."""

    label: str
    ring: int
    messages: int
    idle: int


ENGINES = {
    "loop": Engine("Limner loop base", 100, 2_000_000, ACTORS_COMPARED),
    "simple": Engine("Thespian simpleSystemBase", 100, 200_000, ACTORS_COMPARED),
    "pykka": Engine("Pykka, a thread an actor", 100, 100_000, ACTORS_COMPARED),
    "tcp": Engine("Thespian multiprocTCPBase", 20, 4_000, 40),
}


def measure_loop(engine: Engine) -> dict[str, float]:
    async def run() -> dict[str, float]:
        base = run_on(asyncio.get_running_loop())
        rates = [await loop_ring(base, engine) for _ in range(RUNS)]
        idle = measure_idle(engine, lambda: base.create(Member))
        await base.stop()
        return {"messages_per_s": statistics.median(rates), **idle}

    return asyncio.run(run())


async def loop_ring(base: LoopBase, engine: Engine) -> float:
    members = [base.create(Member) for _ in range(engine.ring)]
    counter = base.create(Counter)
    for link, member in links(members, counter):
        base.tell(member, link)
    finished = asyncio.Event()
    listener = base.correspondent("System:Bench", Listener(finished))
    base.enqueue(counter.record, Await(engine.ring), listener.address)
    await base.idle()
    began = time.perf_counter()
    base.tell(members[0], Start(tuple(members), engine.messages // engine.ring))
    await finished.wait()
    return engine.messages / (time.perf_counter() - began)


class Listener:
    """Hears the counter's last word on the loop base."""

    def __init__(self, finished: asyncio.Event) -> None:
        self.finished = finished

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if message == "finished":
            self.finished.set()


def measure_thespian(engine: Engine, base: str, capabilities: dict[str, Any]) -> dict[str, float]:
    system = ActorSystem(base, capabilities, logDefs={"version": 1})
    try:
        rates = [thespian_ring(system, engine) for _ in range(RUNS)]
        idle = measure_idle(engine, lambda: system.createActor(Member))
        return {"messages_per_s": statistics.median(rates), **idle}
    finally:
        system.shutdown()


def thespian_ring(system: ActorSystem, engine: Engine) -> float:
    members = [system.createActor(Member) for _ in range(engine.ring)]
    counter = system.createActor(Counter)
    for link, member in links(members, counter):
        system.tell(member, link)
    assert system.ask(counter, Await(engine.ring), ANSWER_S_MAX) == "ready"
    began = time.perf_counter()
    answer = system.ask(members[0], Start(tuple(members), engine.messages // engine.ring), ANSWER_S_MAX)
    assert answer == "finished", f"the ring said {answer}"
    return engine.messages / (time.perf_counter() - began)


def measure_pykka(engine: Engine) -> dict[str, float]:
    rates = [pykka_ring(engine) for _ in range(RUNS)]
    idle = measure_idle(engine, PykkaMember.start)
    os.write(1, json.dumps({"messages_per_s": statistics.median(rates), **idle}).encode())
    os._exit(0)  # 10,000 threads would take longer to stop than they did to start


def pykka_ring(engine: Engine) -> float:
    finished = threading.Event()
    members = [PykkaMember.start() for _ in range(engine.ring)]
    counter = PykkaCounter.start(finished)
    for link, member in links(members, counter):
        member.tell(link)
    counter.tell(Await(engine.ring))
    began = time.perf_counter()
    members[0].tell(Start(tuple(members), engine.messages // engine.ring))
    assert finished.wait(ANSWER_S_MAX)
    rate = engine.messages / (time.perf_counter() - began)
    pykka.ActorRegistry.stop_all()
    return rate


def links(members: list[Any], counter: Any) -> Iterator[tuple[Link, Any]]:
    for place, member in enumerate(members):
        yield Link(members[(place + 1) % len(members)], counter), member


def measure_idle(engine: Engine, create: Callable[[], Any]) -> dict[str, float]:
    before = memory_bytes()
    began = time.perf_counter()
    kept = [create() for _ in range(engine.idle)]
    create_s = time.perf_counter() - began
    return {
        "idle_measured": len(kept),
        "create_s": create_s * ACTORS_COMPARED / engine.idle,
        "bytes_an_actor": (memory_bytes() - before) / engine.idle,
    }


def memory_bytes() -> int:
    """PSS of this process and its descendants, known by the mark in their environment."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    total = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                rollup = (process / "smaps_rollup").read_text()
                total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue  # ended meanwhile, or not ours
    return total


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


MEASURES: dict[str, Callable[[Engine], dict[str, float]]] = {
    "loop": measure_loop,
    "simple": lambda engine: measure_thespian(engine, "simpleSystemBase", {}),
    "pykka": measure_pykka,
    "tcp": lambda engine: measure_thespian(engine, "multiprocTCPBase", {"Admin Port": free_port()}),
}


def measure_in_child(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.loop_base", "--engine", name]
    environment = {**os.environ, MARK: f"{name}-{os.getpid()}", "THESPLOG_FILE": os.devnull}
    try:
        child = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=CHILD_S_MAX, check=True
        )
        return dict(json.loads(child.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {CHILD_S_MAX:g} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": error.stderr.strip().splitlines()[-1] if error.stderr.strip() else f"exit {error.returncode}"}


def table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield f"{'':28}{'messages/s':>12}{'10,000 created in':>20}{'an idle actor':>16}"
    for name, result in results.items():
        engine = ENGINES[name]
        if "failed" in result:
            yield f"{engine.label:28}{result['failed']}"
            continue
        stars = "" if engine.idle == ACTORS_COMPARED else " *"
        yield (
            f"{engine.label:28}{result['messages_per_s']:>12,.0f}{result['create_s']:>18.2f} s"
            f"{result['bytes_an_actor'] / 1024:>13,.1f} KB{stars}"
        )
    few = ENGINES["tcp"]
    yield f"* {few.ring} actors in the ring, {few.idle} idle ones measured; the time for 10,000 is extrapolated."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--engine", choices=MEASURES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        print(json.dumps(MEASURES[arguments.engine](ENGINES[arguments.engine])))
        return 0
    results = {name: measure_in_child(name) for name in ENGINES}
    print("\n".join(table(results)))
    if arguments.json:
        host = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
        arguments.json.write_text(json.dumps({"host": host, "engines": results}, indent=2) + "\n")
    return 1 if any("failed" in result for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
