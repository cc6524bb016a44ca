"""A gateway stream to measure with, recorded from the simulator: what a session hears while drawings are made.

READY and GUILD_CREATE as a bot gets them (libraries for bots read them too), then several drawings at once as their
account hears them, each asked by a slash command, and every so often the ACK of a heartbeat. INTERACTION_CREATE is the
bot's: a user's client gets it in a shape of its own, on which libraries for bots stumble. Numbered on and on, as a
gateway does.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import msgspec

from sim.app import Simulator
from sim.desk import Invocation
from sim.identity import Account
from sim.interactions import COMMAND, Asked
from sim.ledger import Row
from sim.parts import Options
from sim.sessions import Line, Session

PROMPTS = (
    "a red fox in deep snow, morning light, long shadows, oil on canvas --ar 16:9 --v 6.1",
    "lighthouse --niji 6",
    "the inside of a clock as a city, brass bridges, tiny people with lanterns, fog between the wheels, drawn in ink "
    "and washed with blue, seen from far above, very fine lines, in the manner of old maps --stylize 250 --chaos 20",
    "three herons over a lake, ☁ 水彩画, soft --ar 3:2 --no people --quality 2",
)
#: Long enough for every update the simulated bot can make.
DRAWING_S = 6.0
RECORD_S_MAX = 30.0
ACK_EACH = 40
INTENTS = 1 << 0 | 1 << 9 | 1 << 15
ACK = b'{"t":null,"s":null,"op":11,"d":null}'
HELLO = b'{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250,"_trace":["[]"]}}'


class Spoken(msgspec.Struct, frozen=True):
    """A dispatch without its number; `data` is its JSON."""

    name: str
    data: msgspec.Raw


class Recording(msgspec.Struct, frozen=True):
    """`account` is who had it drawn, `bot_token` whose READY it is."""

    account: Account
    bot_token: str
    welcome: list[Spoken]
    drawings: list[Spoken]


class Recorder:
    """Stands where a connection would; hears of each event, and when the last drawing is over."""

    def __init__(self, line: Line, drawings: int) -> None:
        self.line = line
        self.drawings_left = drawings
        self.heard_all = asyncio.Event()

    def wake(self) -> None:
        self.drawings_left -= self.line.events[-1].name == "MESSAGE_DELETE"
        if self.drawings_left == 0:
            self.heard_all.set()


async def record(drawing_s: float = DRAWING_S) -> Recording:
    """Has the simulator draw; takes as long as two drawings, for one of them waits for a slot."""
    simulator = Simulator(Options(accounts=2, bots=1, seed=1, seconds=drawing_s, pictures="canned"))
    parts = simulator.parts
    account, bot = parts.identity.accounts[0], parts.identity.bots[0]
    request: Any = SimpleNamespace(host="127.0.0.1:1")
    greeting = simulator.greeter.welcome(bot, "recorded", request, "10", {"intents": INTENTS})
    welcome = [Spoken(name, msgspec.Raw(msgspec.json.encode(data))) for name, data in greeting]
    line = parts.hub.open(Session("recorder", account.id, 0, False))
    recorder = line.walker = Recorder(line, len(PROMPTS))
    for number, prompt in enumerate(PROMPTS):
        body = {"channel_id": account.channel_id, "nonce": str(1173000000000000001 + number)}
        row = Row(body["nonce"], account.name, "imagine", prompt, time.time())
        simulator.interactions.take(Asked("imagine", prompt, COMMAND, name="imagine"), body, account, row)
    async with asyncio.timeout(RECORD_S_MAX):
        await recorder.heard_all.wait()
    heard = [Spoken(event.name, event.data) for event in line.events if event.name != "INTERACTION_CREATE"]
    asked = [as_asked(simulator, account, bot, prompt) for prompt in PROMPTS]
    await simulator.close()
    return Recording(account, bot.token, welcome, asked + heard)


def as_asked(simulator: Simulator, account: Account, bot: Account, prompt: str) -> Spoken:
    """A slash command as the bot hears of it."""
    snowflake = simulator.parts.snowflakes.next
    options = [{"type": 3, "name": "prompt", "value": prompt}]
    data = {"id": snowflake(), "name": "draw", "type": 1, "options": options}
    token = "t" * 200  # as long as Discord's
    asked = Invocation(snowflake(), token, bot.id, account.id, account.channel_id, COMMAND, data, None, time.time())
    return Spoken("INTERACTION_CREATE", msgspec.Raw(msgspec.json.encode(simulator.desk.shown(asked))))


def documents(recording: Recording, rounds: int) -> Iterator[bytes]:
    """The stream as JSON documents: the welcome once, the drawings `rounds` times."""
    numbers = count(1)
    for spoken in [*recording.welcome, *recording.drawings * rounds]:
        number = next(numbers)
        yield msgspec.json.encode({"t": spoken.name, "s": number, "op": 0, "d": spoken.data})
        if number % ACK_EACH == 0:
            yield ACK


def compressed(stream: list[bytes]) -> list[bytes]:
    """The documents as frames of Discord's zlib-stream."""
    deflate = zlib.compressobj()
    return [deflate.compress(document) + deflate.flush(zlib.Z_SYNC_FLUSH) for document in stream]
