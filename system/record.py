"""An actor's record: what the loop base knows of it, and what it may ask of the base (its `_myRef` in Thespian's
words).

The address of an actor carries its record, so that sending needs no look-up. It still compares by its text with any
other address, and pickles as a plain one.
"""

import asyncio
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from thespian.actors import ActorAddress, ActorSystemMessage

from system.held import Held
from system.message import Message, decode, encode

if TYPE_CHECKING:
    from system.loop_base import LoopBase


class LoopAddress(ActorAddress):  # type: ignore[misc]  # Thespian is untyped
    """Address of an actor of a loop base. Unhashable, as Thespian's addresses are."""

    __slots__ = ("_aaddr", "record")

    def __init__(self, text: str, record: "ActorRecord") -> None:
        self._aaddr = text
        self.record = record

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self._aaddr == getattr(other, "addressDetails", None)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[ActorAddress], tuple[str]]:
        return ActorAddress, (self._aaddr,)


class ActorRecord:
    """One actor, alive while `instance` is not None. Records without a parent belong to the base and never end."""

    __slots__ = (
        "_rng",
        "address",
        "base",
        "births",
        "born_at",
        "busy_s",
        "children",
        "counted",
        "ended",
        "enqueued",
        "handled",
        "instance",
        "name",
        "parent",
        "rate",
        "serial",
        "source_hash",
        "tasks",
        "timers",
    )

    def __init__(self, base: "LoopBase", address: str, parent: "ActorRecord | None", serial: int) -> None:
        self.base = base
        self.address = LoopAddress(address, self)
        self.parent = parent
        self.serial = serial
        self.instance: Any = None
        self.name: str | None = None
        self.children: dict[ActorRecord, None] | None = None
        self.births = 0
        self.tasks: dict[asyncio.Task[Any], str] | None = None
        self.timers = 0
        self.enqueued = 0
        self.handled = 0
        self.busy_s = 0.0
        self.counted = 0
        self.rate = 0.0
        self.born_at = base.loop.time()
        self.source_hash: str | None = None
        self.ended: asyncio.Future[str | None] | None = None
        self._rng: random.Random | None = None

    @property
    def label(self) -> str:
        """The name, or the address of a nameless actor: for people."""
        text: str = self.name or self.address.actorAddressString
        return text

    @property
    def suspended(self) -> bool:
        """Whether its mail waits until it is resumed."""
        return isinstance(self.instance, Held)

    @property
    def kind(self) -> str:
        """The name of the actor's class."""
        instance = self.instance
        return type(instance.actor if isinstance(instance, Held) else instance).__name__

    # --- what Limner's actors use (actors/shell.py) ---

    def now(self) -> float:
        """Monotonic time of the loop, s; virtual on a virtual loop."""
        return self.base.loop.time()

    def wall(self) -> float:
        """Unix time, s; virtual on a virtual loop."""
        return self.base.wall()

    @property
    def process(self) -> Any:
        """The opaque object of live things that the base was made with."""
        return self.base.process

    @property
    def rng(self) -> random.Random:
        """Dice of this actor's own: from the base's seed, its name and its place in the order of births, so that one
        seed replays a run and yet a restarted actor does not throw its predecessor's dice again (nonces would
        repeat)."""
        if self._rng is None:
            self._rng = random.Random(f"{self.base.seed}/{self.label}/{self.serial}")
        return self._rng

    def register(self, name: str) -> None:
        """Takes a name. Raises NameTaken when another living actor has it, or when this one has another."""
        self.base.register(self, name)

    def whereis(self, name: str) -> LoopAddress | None:
        return self.base.whereis(name)

    def create(self, actor_class: type, name: str | None = None) -> LoopAddress:
        """A child, under this name from birth. Raises NameTaken; a child that failed in __init__ is heard of as
        ChildActorExited."""
        return self.base.spawn(self, actor_class, None, name, self.source_hash)

    def send_to_name(self, name: str, message: Any) -> None:
        """Sends to whoever has the name now; a name of nobody is a counted dead letter."""
        target = self.base.names.get(name)
        if target is None:
            self.base.letter_to_nobody(name, message, self.address)
        else:
            self.base.enqueue(target, message, self.address)

    def send_first(self, name: str, message: Any) -> None:
        """The same, before all that waits: in no order with what else was sent."""
        target = self.base.names.get(name)
        if target is None:
            self.base.letter_to_nobody(name, message, self.address)
        else:
            self.base.put_first(target, message, self.address)

    def start_task(self, coroutine: Coroutine[Any, Any, Any], label: str) -> "asyncio.Task[Any]":
        """Runs a coroutine as this actor's: its result, unless None, comes back as a message; its exception is the
        actor's crash; the actor's end cancels it. Raises RuntimeError when the actor has ended."""
        return self.base.start_task(self, coroutine, label)

    def post(self, message: Any) -> None:
        """From a task of this actor: a message to itself. Dropped when the actor is gone."""
        if self.instance is not None:
            self.base.enqueue(self, message, self.address)

    def crash(self, error: BaseException, during: object | None = None) -> None:
        """Ends the actor because of this error; `during` is the message (only its type is logged) or a task's label."""
        self.base.crash(self, error, during)

    def exit(self) -> None:
        """Ends the actor in the normal way, at once: what is left in its mailbox are dead letters."""
        self.base.end(self, None)

    # --- Thespian's interface, by the names that Actor calls ---

    @property
    def globalName(self) -> str | None:
        return self.name

    @property
    def childCount(self) -> int:
        return self.births

    def createActor(
        self, actor_class: Any, requirements: Any, global_name: str | None, source_hash: str | None = None
    ) -> ActorAddress:
        return self.base.newActor(
            self.address, actor_class, None, requirements, global_name, source_hash or self.source_hash
        )

    def actor_send(self, to: ActorAddress, message: Any) -> None:
        # The hot path: `Mailroom.enqueue` by hand, which saves a call a message.
        base = self.base
        try:
            target: ActorRecord = to.record
        except AttributeError:
            target = base.find(to)
        if target.base is not base:
            target = base.find(to)
        target.enqueued += 1
        base.fifo.append((target, message, self.address))
        if not base.pump_is_due:
            base.wake()

    def wakeupAfter(self, period: timedelta | float, payload: Any = None) -> None:
        if self.instance is not None:
            self.base.timers.add(self, period, payload)

    def handleDeadLetters(self, address: ActorAddress, enable: bool) -> None:
        self.base.handle_dead_letters(self, enable)

    def registerSourceAuthority(self, address: ActorAddress) -> None:
        self.base.registerSourceAuthority(address)

    def notifyOnSourceAvailability(self, address: ActorAddress, enable: bool) -> None:
        self.base.registerSourceNotifications(address, enable)

    def notifyOnSystemRegistrationChanges(self, address: ActorAddress, enable: bool) -> None:
        """Ignored, as in Thespian's simple base: a loop base is in no convention (its Node actor is)."""

    def updateCapability(self, name: str, value: Any) -> None:
        self.base.updateCapability(name, value)

    def loadActorSource(self, file: Any) -> str:
        source_hash: str = self.base.loadActorSource(file)
        return source_hash

    def unloadActorSource(self, source_hash: str) -> None:
        self.base.unloadActorSource(source_hash)


class StrictRecord(ActorRecord):
    """A record whose every sent message is encoded and decoded first, as if its receiver lived on another host."""

    __slots__ = ()

    def actor_send(self, to: ActorAddress, message: Any) -> None:
        super().actor_send(to, as_if_sent_far(message))

    def send_to_name(self, name: str, message: Any) -> None:
        super().send_to_name(name, as_if_sent_far(message))

    def send_first(self, name: str, message: Any) -> None:
        super().send_first(name, as_if_sent_far(message))

    def post(self, message: Any) -> None:
        super().post(as_if_sent_far(message))


def as_if_sent_far(message: Any) -> Any:
    """The message after a journey through bytes; Thespian's own messages as they are. Raises TypeError (or
    UndecodableMessage, when a field has a wrong type) for what could not make the journey."""
    if isinstance(message, Message):
        return decode(encode(message))
    if isinstance(message, ActorSystemMessage):
        return message
    raise TypeError(f"a {type(message).__name__} is no Message: it cannot be sent in strict mode")
