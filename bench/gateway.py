"""What a gateway frame costs: `python -m bench.gateway [--rounds 2000] [--json FILE]`.

One drawing is recorded from the simulator, from INTERACTION_CREATE to the deletion of the start message, as the
documents its account gets. They are then read again and again, as often as `--rounds` says: by `msgspec.json.decode`
alone (every field of every map: the limit of a reader that decodes it all); by the gateway machine and the observer;
as they come compressed; and as another account's that shares the channel. Microseconds of CPU an event, events a
second of CPU; each the best of five.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec

from protocol.drawing_events import Finished, Observer
from protocol.gateway import Dispatch, Gateway, Identity
from protocol.inflate import Inflater
from sim.app import Simulator
from sim.identity import DRAWING_BOT_ID, Account
from sim.interactions import COMMAND, Asked
from sim.ledger import Row
from sim.parts import Options
from sim.sessions import Event, Line, Session

PROMPT = "a red fox in deep snow, morning light, long shadows, oil on canvas --ar 16:9 --v 6.1"
#: Long enough for every update the simulated bot can make.
DRAWING_S = 6.0
RECORD_S_MAX = 30.0
REPEATS = 5
CPU_US_AIM = 20.0


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2_000, help="how often the drawing is read")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    account, events = asyncio.run(recorded())
    documents = list(read_again(events, options.rounds))
    length = sum(len(event.data) for event in events) // len(events)
    print(f"one drawing: {len(events)} events of {length} bytes on average: {', '.join(e.name for e in events)}")
    ours, others = Observer(frozenset({DRAWING_BOT_ID}), account.channel_id, account.id), str(int(account.id) + 1)
    stranger = Observer(frozenset({DRAWING_BOT_ID}), account.channel_id, others)
    figures = {
        "msgspec.json.decode alone": best(lambda: decode(documents)),
        "gateway and observer": best(lambda: read(documents, ours, options.rounds)),
        "the same, another account's": best(lambda: read(documents, stranger, 0)),
        "inflate alone": best_of_streams(documents),
    }
    for name, seconds in figures.items():
        per_event_us = seconds / len(documents) * 1e6
        print(f"{name:30} {per_event_us:8.1f} µs of CPU an event {len(documents) / seconds:12,.0f} events/s")
    if options.json:
        Path(options.json).write_text(json.dumps({k: v / len(documents) for k, v in figures.items()}))
    if figures["gateway and observer"] / len(documents) * 1e6 > CPU_US_AIM:
        raise SystemExit(f"above the aim of {CPU_US_AIM} µs")


async def recorded() -> tuple[Account, list[Event]]:
    """What the gateway tells an account of one drawing, in order."""
    simulator = Simulator(Options(accounts=1, bots=0, seed=1, seconds=DRAWING_S, pictures="canned"))
    parts = simulator.parts
    account = parts.identity.accounts[0]
    line = parts.hub.open(Session("recorder", account.id, 0, False))
    recorder = line.walker = Recorder(line)
    body = {"channel_id": account.channel_id, "nonce": "1173000000000000001"}
    interactions = simulator.rest.interactions
    row = Row(body["nonce"], account.name, "imagine", PROMPT, time.time())
    interactions.take(Asked("imagine", PROMPT, COMMAND, name="imagine"), body, account, row)
    async with asyncio.timeout(RECORD_S_MAX):
        await recorder.heard_all.wait()
    await simulator.close()
    return account, list(line.events)


class Recorder:
    """Stands where a connection would, and hears of each event that it is there."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.heard_all = asyncio.Event()

    def wake(self) -> None:
        if self.line.events[-1].name == "MESSAGE_DELETE":
            self.heard_all.set()


def read_again(events: list[Event], rounds: int) -> Iterator[bytes]:
    """The drawing's documents, `rounds` times, numbered on as a gateway does."""
    numbers = count(2)
    for _ in range(rounds):
        for event in events:
            yield msgspec.json.encode({"t": event.name, "s": next(numbers), "op": 0, "d": event.data})


def decode(documents: list[bytes]) -> None:
    for document in documents:
        msgspec.json.decode(document)


def read(documents: list[bytes], observer: Observer, finished: int) -> None:
    """What the daemon does with each, short of its actors; `finished` pictures must be found."""
    gateway = Gateway(Identity("token"), "wss://gateway.example/?v=10", random.Random(1))
    gateway.connection_made(0.0)
    gateway.receive(b'{"op":10,"d":{"heartbeat_interval":41250}}', 0.0)
    gateway.receive(b'{"op":0,"s":1,"t":"READY","d":{"session_id":"s","resume_gateway_url":"wss://x"}}', 0.0)
    gateway.events_received()
    found = 0
    for document in documents:
        gateway.receive(document, 1.0)
        for event in gateway.events_received():
            if isinstance(event, Dispatch):
                found += isinstance(observer.observe(event.type, event.data), Finished)
    assert found == finished


def best(work: Callable[[], object]) -> float:
    """Seconds of CPU of the quickest of five: what else the machine does only adds."""
    return min(spent(work) for _ in range(REPEATS))


def best_of_streams(documents: list[bytes]) -> float:
    deflate = zlib.compressobj()
    frames = [deflate.compress(document) + deflate.flush(zlib.Z_SYNC_FLUSH) for document in documents]

    def inflate() -> None:
        inflater = Inflater()
        for frame in frames:
            inflater.receive(frame)

    return best(inflate)


def spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
