"""Messages and plain actors that the tests of the loop base share."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from thespian.actors import Actor, ActorExitRequest, ChildActorExited, WakeupMessage

from system.loop_base import LoopBase, run_on
from system.message import Message
from system.virtual_time import VirtualLoop, run_virtually


class Note(Message, frozen=True):
    text: str
    number: int = 0


class Hear(Message, frozen=True):
    """Asks a Diary what it heard."""


class Pages(Message, frozen=True):
    texts: tuple[str, ...]


class Forward(Message, frozen=True):
    to: str
    text: str


class Diary(Actor):
    """Remembers the texts of notes, and of what Thespian tells it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def receiveMessage(self, message: Any, sender: Any) -> None:
        me = self._myRef
        match message:
            case Note(text):
                self.texts.append(text)
            case Hear():
                self.send(sender, Pages(tuple(self.texts)))
            case Forward(to, text):
                me.send_to_name(to, Note(text))
            case ChildActorExited():
                self.texts.append(f"{message.name} ended: {message.reason}")
            case WakeupMessage():
                self.texts.append(f"{message.payload} at {me.now():g}")
            case ActorExitRequest():
                self.texts.append("asked to exit")


def with_base(scene: Callable[[LoopBase], Coroutine[Any, Any, Any]], seed: int = 0, **options: Any) -> Any:
    """Plays a scene on a strict base in virtual time, and stops the base, which must be orderly."""

    async def main(loop: VirtualLoop) -> Any:
        base = run_on(loop, **{"strict": True, **options})
        result = await scene(base)
        await base.stop()
        return result

    return run_virtually(main, seed=seed, virtual_s_max=100_000)


async def heard(base: LoopBase, name: str) -> tuple[str, ...]:
    """What the Diary of this name has heard when all mailboxes are empty."""
    await base.idle()
    answer: Pages = await base.ask(name, Hear(), timeout=1)
    return answer.texts


async def pass_time(seconds: float) -> None:
    """On a virtual loop: lets this much time pass, at once."""
    await asyncio.sleep(seconds)
