"""Shell: the base class of every actor of ours, and the only place that knows Thespian's manners.

An actor says which messages it takes (`ACCEPTS`) and has a handler `receiveMsg_NAME(self, message, sender)` for each; a
class that misses one cannot even be defined. What it does not accept is refused loudly: it raises. An exception in a
handler or a task is the actor's death, logged once; its supervisor decides what comes next (let it crash). The failed
message is gone: correspondents lean on leases and timers.

Clock and dice are injected by the actor system (`now`, `wall`, `dice`), correspondents are named by id (`tell`), and
what is live and cannot be sent (sockets, database, links) is found in `process`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from thespian.actors import (
    Actor,
    ActorAddress,
    ActorExitRequest,
    ChildActorExited,
    PoisonMessage,
    WakeupMessage,
)

from actors.process import Process
from system.held import Urgent
from system.lives import Wanted
from system.log_levels import DEBUG
from system.message import Message
from system.plain_structlog import structlog

#: What log lines call the subject of actors of these kinds.
ABOUT = MappingProxyType({"account": "account", "session": "user"})


class Start(Message, frozen=True):
    """The first message to every actor: its name, under which others tell it things."""

    name: str


class Kill(Urgent, frozen=True):
    """Die as if by a fault (the operator's `actor restart`): a fresh one is started. `why` becomes its last error."""

    why: str


class AskSummary(Message, frozen=True):
    """Say in a few counters what you hold. Answered by Summary to the console."""

    ask: str


class Summary(Message, frozen=True):
    """What an actor holds: counters and states; never secrets, prompts or what users wrote."""

    ask: str
    state: dict[str, Any]


class UnknownMessage(TypeError):
    """A message that this actor does not accept: a mistake of the sender's, said loudly."""


class Killed(Wanted):
    """Death on request."""


class Shell(Actor):  # type: ignore[misc]  # Thespian is untyped
    """Base of all actors. Subclasses set ACCEPTS (added to the base's), handlers, and override the `on_` hooks."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = ()
    _handlers: ClassVar[dict[type, Callable[[Any, Any, ActorAddress], None]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        accepted = {kind for ancestor in cls.__mro__ for kind in ancestor.__dict__.get("ACCEPTS", ())}
        missing = [kind.__name__ for kind in accepted if not hasattr(cls, f"receiveMsg_{kind.__name__}")]
        if missing:
            raise TypeError(f"{cls.__name__} accepts {', '.join(missing)} but has no receiveMsg_ for it")
        cls._handlers = {kind: getattr(cls, f"receiveMsg_{kind.__name__}") for kind in accepted}

    def __init__(self) -> None:
        super().__init__()
        self.name = ""

    # --- what subclasses use ---------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """What the actor is about: "fox-07" of "account/fox-07"; empty for a plain name."""
        return self.name.partition("/")[2]

    @property
    def log(self) -> Any:
        """Where this actor says things, with what it is about. Made when needed: ten thousand sessions rarely speak.

        What is said of a job, user or account has its id under `job`, `user` or `account`.
        """
        about = {"actor": self.name}
        field = ABOUT.get(self.name.partition("/")[0])
        if field is not None and self.subject:
            about[field] = self.subject
        return structlog.get_logger(type(self).__module__).bind(**about)

    def debug(self, event: str, **fields: Any) -> None:
        """Says it while the operator wants to hear more of this actor (`loglevel`); else it costs a comparison."""
        if self.process.log_levels.wants(self.name, DEBUG):
            self.log.debug(event, **fields)

    @property
    def life(self) -> str:
        """An id of this incarnation: no other actor, and no earlier or later life of this one, has it."""
        return f"{self._myRef.base.seed:016x}.{self._myRef.serial}"

    @property
    def process(self) -> Process:
        """The live things of this process."""
        return self._myRef.process  # type: ignore[no-any-return]

    @property
    def dice(self) -> random.Random:
        """This actor's own dice, derived from the system's seed and the actor's name."""
        return self._myRef.rng  # type: ignore[no-any-return]

    def now(self) -> float:
        """Monotonic seconds, for durations, leases and timers."""
        return self._myRef.now()  # type: ignore[no-any-return]

    def wall(self) -> float:
        """Unix seconds, for what people read."""
        return self._myRef.wall()  # type: ignore[no-any-return]

    def tell(self, name: str, message: Message) -> None:
        """Send to the actor of that name, wherever it lives; nobody of that name: a counted dead letter."""
        self._myRef.send_to_name(name, message)

    def tell_first(self, name: str, message: Message) -> None:
        """Like `tell`, but taken before all that waits, in no order with anything: for what an operator asks and hears
        while everybody has much to do. It changes nothing, and its answer says which question it answers."""
        self._myRef.send_first(name, message)

    def after(self, seconds: float, message: Message) -> None:
        """The message comes back to this actor after `seconds`. It cannot be cancelled: give it an identity."""
        self.wakeupAfter(timedelta(seconds=seconds), message)

    def work(self, coroutine: Coroutine[Any, Any, Message | None], label: str) -> Any:
        """Run the coroutine as a task of this actor: its result (if any) is told to self, its exception kills us."""
        return self._myRef.start_task(coroutine, label)

    def post(self, message: Message) -> None:
        """Tell self, from within a task of this actor."""
        self._myRef.post(message)

    def leave(self) -> None:
        """End normally."""
        self.send(self.myAddress, ActorExitRequest())

    def on_start(self) -> None:
        """Called once, when the actor has its name."""

    def on_stop(self) -> None:
        """Called once, at a normal end (not at a crash)."""

    def summary(self) -> dict[str, Any]:
        """What this actor holds, for the operator: counters and states, never secrets or what users wrote."""
        return {}

    def on_child_exit(self, exited: ChildActorExited) -> None:
        """A child is gone. Only supervisors have children."""
        raise UnknownMessage(f"{type(self).__name__} has no children")

    # --- what Thespian calls ---------------------------------------------------------------------------------

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:
        """Dispatch by type; turn an unexpected exception into a logged death."""
        if type(message) is WakeupMessage:
            message = message.payload
        try:
            handler = self._handlers.get(type(message))
            if handler is not None:
                handler(self, message, sender)
            else:
                self._receive_rarely(message)
        except Exception as error:
            # Logged once by the base, with the message's type only: prompts and keys stay out of logs.
            self._myRef.crash(error, message)

    def _receive_rarely(self, message: Any) -> None:
        if isinstance(message, Start):
            self._start(message.name)
        elif isinstance(message, Kill):
            raise Killed(message.why)
        elif isinstance(message, AskSummary):
            self.tell_first("console", Summary(message.ask, self.summary()))
        elif isinstance(message, ActorExitRequest):
            self.on_stop()
        elif isinstance(message, ChildActorExited):
            self.on_child_exit(message)
        elif isinstance(message, PoisonMessage):
            self.log.error("a message of ours was poison to its receiver", kind=type(message.poisonMessage).__name__)
        else:
            raise UnknownMessage(f"{type(self).__name__} does not take {type(message).__name__}")

    def _start(self, name: str) -> None:
        self.name = name
        if self._myRef.name != name:
            self._myRef.register(name)
        self.on_start()
