"""A stage for actors in tests: real ones on a strict loop base in virtual time, and recorders in the other parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from actors.process import Process
from actors.shell import Shell, Start
from core.config import Config, read
from system.loop_base import LoopBase, run_on
from system.message import Message
from system.virtual_time import VirtualLoop, run_virtually

Kind = TypeVar("Kind", bound=Message)

CONFIG = """
[plans.free]
daily = 5
queued = 4
concurrent = 3

[[accounts]]
name = "fox"
token = "t"
guild_id = "1"
channel_id = "2"
slots = 2
"""


class Recorder(Shell):
    """Plays any part by writing down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Message] = []

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Message) and not isinstance(message, Start):
            self.heard.append(message)
        else:
            super().receiveMessage(message, sender)


class Stage:
    """The actors of one test. `heard(name, Kind)` gives, and forgets, what a recorder was told."""

    def __init__(self, base: LoopBase) -> None:
        self.base = base

    def cast(self, name: str, actor: type[Shell] = Recorder) -> Any:
        """A new actor of this name, started; its instance, to look at."""
        address = self.base.create(actor, name)
        self.base.tell(name, Start(name))
        return address.record.instance

    def instance(self, name: str) -> Any:
        """The living actor of this name."""
        return self.base.names[name].instance

    def tell(self, name: str, *messages: Message) -> None:
        for message in messages:
            self.base.tell(name, message)

    async def heard(self, name: str, kind: type[Kind] = Message) -> list[Kind]:  # type: ignore[assignment]
        """What the recorder was told of this kind, once all is quiet."""
        await self.quiet()
        recorder = self.instance(name)
        found = [message for message in recorder.heard if isinstance(message, kind)]
        recorder.heard = [message for message in recorder.heard if not isinstance(message, kind)]
        return found

    async def one(self, name: str, kind: type[Kind]) -> Kind:
        """The one thing of this kind that the recorder was told."""
        found = await self.heard(name, kind)
        assert len(found) == 1, found
        return found[0]

    async def quiet(self, seconds: float = 0.2) -> None:
        """Lets the little time pass that a commit takes."""
        await asyncio.sleep(seconds)
        await self.base.idle()


def process_for(config: Config, data: Path) -> Process:
    """A process with a config and a database in memory, and no links: enough for actors that reach no network."""
    return Process(
        config=config,
        data=data,
        links=None,  # type: ignore[arg-type]
        pictures=None,  # type: ignore[arg-type]
        pool=ThreadPoolExecutor(1),
        database="sqlite://",
    )


def play(
    scene: Callable[[Stage], Coroutine[Any, Any, None]],
    *,
    config: str = CONFIG,
    seed: int = 1,
    data: Path = Path("."),
    database: str = "sqlite://",
) -> None:
    """Plays a scene in virtual time."""

    async def main(loop: VirtualLoop) -> None:
        process = process_for(read(config, {}), data)
        process.database = database
        base = run_on(loop, strict=True, process=process, rng=loop.rng)
        await scene(Stage(base))
        await base.stop()

    run_virtually(main, seed=seed, virtual_s_max=200_000)
