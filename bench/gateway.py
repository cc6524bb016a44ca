"""What a gateway frame costs us and others: `python -m bench.gateway [--rounds 100] [--json FILE]`.

One stream, recorded from the simulator (`bench.recorded`), is read from compressed frame to typed event: by our gateway
machine with the messages as typed maps; by it with the meaning of each message, which is what the daemon does short of
its actors; by discord.py and by hikari, each with the standard library's JSON and with orjson. Besides, as limits: what
inflating alone takes, and `msgspec.json.decode` of every field. Microseconds of CPU an event, the best of `REPEATS`,
all readers in turn so that a busy machine treats them alike; and how often discord.py's CPU ours goes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import orjson

from bench.recorded import HELLO, Recording, compressed, documents, record
from bench.strangers import DiscordPy, Hikari
from protocol.drawing_events import MESSAGE, Finished, Observer
from protocol.gateway import Dispatch, Gateway, Identity
from protocol.inflate import Inflater
from sim.identity import DRAWING_BOT_ID

REPEATS = 5
#: Of the whole way to the meaning of a message.
CPU_US_AIM = 20.0
#: discord.py's CPU an event over that of our machine, both to a typed message.
RATIO_AIM = 5.0
OURS, MEANING, DISCORD_PY = "our gateway machine", "the same, with the messages' meaning", "discord.py 2.7"

Reading = Callable[[], Awaitable[object]]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="how often the drawings are read")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    figures = asyncio.run(measured(options.rounds))
    for name, per_event_us in figures.items():
        ratio = per_event_us / figures[OURS]
        print(f"{name:38} {per_event_us:7.1f} µs of CPU an event {1e6 / per_event_us:10,.0f} events/s {ratio:6.1f} ×")
    if options.json:
        Path(options.json).write_text(json.dumps(figures))
    if figures[MEANING] > CPU_US_AIM:
        raise SystemExit(f"above the aim of {CPU_US_AIM} µs")
    if figures[DISCORD_PY + ", orjson"] < RATIO_AIM * figures[OURS]:
        raise SystemExit(f"less than {RATIO_AIM} times as quick as discord.py")


async def measured(rounds: int) -> dict[str, float]:
    """Microseconds of CPU an event, by reader."""
    recording = await record()
    stream = list(documents(recording, rounds))
    frames = compressed(stream)
    names = sorted({spoken.name for spoken in (*recording.welcome, *recording.drawings)})
    length, packed = (sum(map(len, parts)) // len(parts) for parts in (stream, frames))
    print(f"{len(stream)} documents of {length} bytes ({packed} compressed) on average: {', '.join(names)}, ACK")
    readings = readings_of(recording, stream, frames, rounds)
    best = dict.fromkeys(readings, float("inf"))
    for _ in range(REPEATS):
        for name, reading in readings.items():
            best[name] = min(best[name], await spent(reading))
    return {name: seconds / len(stream) * 1e6 for name, seconds in best.items()}


def readings_of(recording: Recording, stream: list[bytes], frames: list[bytes], rounds: int) -> dict[str, Reading]:
    """Every way to read the stream; each checks that it has found what is in it."""
    names = [spoken.name for spoken in recording.drawings]
    spoken = rounds * sum(name.startswith("MESSAGE_") for name in names)
    typed = spoken - rounds * names.count("MESSAGE_DELETE")
    left = names.count("MESSAGE_CREATE") - names.count("MESSAGE_DELETE")

    async def ours() -> None:
        assert read(frames, as_messages) == typed

    async def meaning() -> None:
        account = recording.account
        observer = Observer(frozenset({DRAWING_BOT_ID}), account.channel_id, account.id)
        assert read(frames, lambda event: isinstance(observer.observe(event.type, event.data), Finished)) > 0

    async def inflating() -> None:
        inflater = Inflater()
        for frame in frames:
            inflater.receive(frame)

    async def decoding() -> None:
        for document in stream:
            msgspec.json.decode(document)

    def discord_py(loads: Callable[[str], object]) -> Reading:
        async def reading() -> None:
            stranger = DiscordPy(loads)
            await stranger.read(frames)
            assert stranger.messages == spoken, (stranger.messages, spoken)

        return reading

    def hikari(loads: Callable[[bytes], object]) -> Reading:
        async def reading() -> None:
            stranger = Hikari(recording.bot_token, loads)
            await stranger.read(frames)
            assert stranger.messages == left, (stranger.messages, left)

        return reading

    return {
        OURS: ours,
        MEANING: meaning,
        DISCORD_PY: discord_py(json.loads),
        DISCORD_PY + ", orjson": discord_py(orjson.loads),
        "hikari 2.7": hikari(json.loads),
        "hikari 2.7, orjson": hikari(orjson.loads),
        "inflating alone": inflating,
        "msgspec.json.decode alone": decoding,
    }


def read(frames: list[bytes], handle: Callable[[Dispatch], bool]) -> int:
    """From frames to dispatches, as an account does; how many of them `handle` counted."""
    inflater, found = Inflater(), 0
    gateway = Gateway(Identity("token"), "wss://gateway.example/?v=10", random.Random(1))
    gateway.connection_made(0.0)
    gateway.receive(HELLO, 0.0)
    for frame in frames:
        document = inflater.receive(frame)
        assert document is not None
        gateway.receive(document, 1.0)
        for event in gateway.events_received():
            if isinstance(event, Dispatch):
                found += handle(event)
    return found


def as_messages(event: Dispatch) -> bool:
    """Reads a message's fields."""
    return event.type in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and MESSAGE.read(event.data) is not None


async def spent(reading: Reading) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    await reading()
    return time.process_time() - began


if __name__ == "__main__":
    main()
