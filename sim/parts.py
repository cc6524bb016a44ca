"""Parts: what the simulator is made of, built in one place and handed to those who act."""

from __future__ import annotations

import random
import time
from pathlib import Path

import msgspec

from sim.cdn import Shelf, Signer
from sim.faults import Faults
from sim.identity import People, Snowflakes, settle_identity
from sim.ledger import Ledger
from sim.messages import Channels, Message, Renderer
from sim.preferences import Preferences
from sim.sessions import Hub
from sim.settings import Settings
from sim.store import Store
from sim.studio import Studio


class Options(msgspec.Struct, frozen=True):
    """The options of `limner sim` (CONTRACT §8). `data` None: everything in memory."""

    port: int = 0
    accounts: int = 2
    bots: int = 1
    seed: int | None = None
    seconds: float = 6.0
    data: Path | None = None
    pictures: str = "painted"


def dice_of(seed: int | None, throw: int) -> random.Random:
    return random.Random(None if seed is None else f"{seed}/{throw}")


class Counts(msgspec.Struct):
    """What /_sim/stats counts besides what others know themselves."""

    interactions: int = 0
    rate_limited: int = 0
    running: dict[str, int] = {}
    running_peak: dict[str, int] = {}


class Parts:
    """Everything that acts shares these; none of them acts by itself."""

    def __init__(self, options: Options) -> None:
        self.store = Store(options.data)
        self.identity = settle_identity(self.store, options.accounts, options.bots, dice_of(options.seed, 0))
        # Each start has dice of its own: the ids of an earlier one must not come again.
        self.dice = dice_of(options.seed, self.identity.starts)
        self.people = People(self.identity)
        self.snowflakes = Snowflakes()
        self.settings = Settings(seconds=options.seconds)
        self.preferences = Preferences(self.settings)
        self.faults = Faults()
        self.counts = Counts()
        self.studio = Studio(options.pictures == "canned")
        self.signer = Signer(self.identity.secret)
        self.shelf = Shelf(self.store, self.studio)
        self.channels = Channels(self.store, self.forget)
        self.renderer = Renderer(self.people, self.channels, lambda path: self.signer.sign(path, time.time()))
        self.clock = time.time
        self.hub = Hub(self.store, self.people)
        self.ledger = Ledger(self.store)

    def forget(self, message: Message) -> None:
        """A message fell out of its channel's history."""
        for attachment in message.attachments:
            self.shelf.forget(attachment.id)

    def close(self) -> None:
        self.studio.close()
        self.store.close()
