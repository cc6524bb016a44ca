"""Delivery: the innermost part of the loop base, which actors reach through their records.

One FIFO holds (receiver's record, message, sender's address) for all actors, so messages between any two actors keep
their order and a run on a virtual loop replays exactly; only what is put in front of it (`put_first`) keeps none.
`_pump` hands out at most PUMP_MESSAGES_MAX messages, or as many as fit in PUMP_TURN_S_MAX, then lets the loop serve
sockets and timers before its next turn.

All methods run in the loop's thread.
"""

import asyncio
import logging
import random
import threading
import time
import traceback
from abc import abstractmethod
from collections import Counter, deque
from datetime import timedelta
from typing import Any

from thespian.actors import (
    ActorAddress,
    ActorExitRequest,
    ActorSystem,
    ActorSystemMessage,
    ChildActorExited,
    DeadEnvelope,
    PoisonMessage,
    ValidatedSource,
    WakeupMessage,
)
from thespian.system.messages.status import Thespian_ActorStatus, Thespian_StatusReq
from thespian.system.simpleSystemBase import ActorSystemBase
from thespian.system.timing import ExpirationTimer

from system.held import Held
from system.record import ActorRecord, StrictRecord
from system.stats import BoundedTable, LagMeter, LastError
from system.timers import Timers
from system.trails import Trails

PUMP_MESSAGES_MAX = 1000
PUMP_TURN_S_MAX = 0.005
DELIVERY_ATTEMPTS_MAX = 3
LAST_ERRORS_MAX = 256
UNKNOWN_NAMES_MAX = 256
#: Of so many names the restarts are counted: a few hundred accounts must not be forgotten for the sessions that died.
RESTARTS_MAX = 4096
# News for someone who died meanwhile is no loss to anybody.
NOT_WORTH_A_DEAD_LETTER = (ChildActorExited, ActorExitRequest, WakeupMessage, DeadEnvelope)

log = logging.getLogger("limner.actors")


class Retry(ActorSystemMessage):  # type: ignore[misc]  # Thespian is untyped
    """A message that failed its receiver, on its way to it once more."""

    __slots__ = ("attempts", "message")

    def __init__(self, message: Any, attempts: int) -> None:
        self.message = message
        self.attempts = attempts


class Mailroom(ActorSystemBase):  # type: ignore[misc]  # Thespian is untyped
    """Mailroom delivers, Lives adds births and deaths, LoopBase the doors for everyone who is no actor."""

    def __init__(
        self,
        system: ActorSystem,
        loop: asyncio.AbstractEventLoop,
        strict: bool,
        process: Any,
        rng: random.Random | None,
    ) -> None:
        self.loop = loop
        self.thread_id = threading.get_ident()
        self.strict = strict
        self.process = process
        # A virtual loop has its own dice and calendar, and no time passes on it while an actor works.
        self.seed = (rng or getattr(loop, "rng", None) or random.SystemRandom()).getrandbits(64)
        self.wall = getattr(loop, "wall", time.time)
        self.clock = loop.time if hasattr(loop, "wall") else time.perf_counter
        self.fifo: deque[tuple[ActorRecord, Any, ActorAddress]] = deque()
        self.pump_is_due = False
        self.timers = Timers(loop, self._wake_up)
        self.names: dict[str, ActorRecord] = {}
        #: How many names of each kind are taken: the "session" of "session/u1".
        self.kinds: Counter[str] = Counter()
        self.last_errors: BoundedTable[LastError] = BoundedTable(LAST_ERRORS_MAX)
        self.restarts: BoundedTable[int] = BoundedTable(RESTARTS_MAX)
        self.unknown_names: BoundedTable[int] = BoundedTable(UNKNOWN_NAMES_MAX)
        self.tasks: dict[asyncio.Task[Any], ActorRecord] = {}
        self.held: dict[ActorRecord, Held] = {}
        self.trails = Trails()
        self.lag = LagMeter()
        self.messages = self.dead_letters = self.crashes = 0
        self.stopped = False
        self._record_class = StrictRecord if strict else ActorRecord
        self._serial = 0
        self._due_since = 0.0
        self._dead_letter_box: ActorRecord | None = None
        self._drained: list[asyncio.Future[None]] = []
        super().__init__(system, logDefs=False)
        system.capabilities["Thespian ActorSystem Name"] = "loopSystem"
        self.root: ActorRecord = self.actorRegistry[system.systemAddress.actorAddressString]
        self.bad_actor: ActorRecord = self.actorRegistry["System:BadActor"]

    # --- delivery ---

    def find(self, address: ActorAddress) -> ActorRecord:
        """The record behind any address; an empty one when nobody is there. An address of another base in this process
        leads nowhere, even if somebody here has the same text: its actor may live in another thread."""
        record: ActorRecord | None = getattr(address, "record", None)
        text = address.actorAddressString
        if record is None:
            record = self.actorRegistry.get(text)
        if record is None or record.base is not self:
            record = self._record_class(self, text, None, 0)
        return record

    def enqueue(self, target: ActorRecord, message: Any, sender: ActorAddress) -> None:
        target.enqueued += 1
        self.fifo.append((target, message, sender))
        if not self.pump_is_due:
            self.wake()

    def put_first(self, target: ActorRecord, message: Any, sender: ActorAddress) -> None:
        """Handed out before all that waits, also before what was put first earlier."""
        target.enqueued += 1
        self.fifo.appendleft((target, message, sender))
        if not self.pump_is_due:
            self.wake()

    def wake(self) -> None:
        self.pump_is_due = True
        self._due_since = self.clock()
        self.loop.call_soon(self._pump)

    def drained(self) -> "asyncio.Future[None]":
        """Done at the end of the first turn that leaves no message waiting."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        self._drained.append(waiter)
        return waiter

    def _pump(self) -> None:
        clock = self.clock
        take = self.fifo.popleft
        before = clock()
        self.lag.sample(before, before - self._due_since)
        turn_ends = before + PUMP_TURN_S_MAX
        taken = 0
        try:
            while taken < PUMP_MESSAGES_MAX:
                try:
                    record, message, sender = take()
                except IndexError:
                    break
                taken += 1
                record.handled += 1
                instance = record.instance
                if instance is None:
                    self.dead_letter(record.address.actorAddressString, message, sender)
                    continue
                if isinstance(message, ActorSystemMessage):
                    self._deliver_system_message(record, message, sender)
                else:
                    try:
                        instance.receiveMessage(message, sender)
                    except KeyboardInterrupt:
                        raise
                    except BaseException:
                        self._failed(record, message, sender, 1)
                after = clock()
                record.busy_s += after - before
                before = after
                if after > turn_ends:
                    break
        finally:
            self.messages += taken
            if self.fifo:
                self.wake()
            else:
                self.pump_is_due = False
                self._tell_drained()

    def _tell_drained(self) -> None:
        waiters, self._drained = self._drained, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _deliver_system_message(self, record: ActorRecord, message: Any, sender: ActorAddress) -> None:
        attempt = 1
        if type(message) is Retry:
            attempt, message = message.attempts + 1, message.message
        if isinstance(message, Thespian_StatusReq):
            self.enqueue(self.find(sender), self._status(record), record.address)
            return
        if record is self.root and isinstance(message, ValidatedSource):
            self._loadValidatedActorSource(message.sourceHash, message.sourceZip)
            return
        instance = record.instance
        try:
            instance.receiveMessage(message, sender)
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._failed(record, message, sender, attempt)
        # A suspended actor has been resumed by this, and takes it again after what waits for it.
        if isinstance(message, ActorExitRequest) and record.parent is not None and record.instance is instance:
            self.end(record, None, recursive=message.isRecursive)

    def _failed(self, record: ActorRecord, message: Any, sender: ActorAddress, attempt: int) -> None:
        """Called where the exception is at hand. Thespian's way with failures: try again, then poison the sender."""
        log.warning(
            "%s failed at %s, attempt %d",
            record.label,
            type(message).__name__,
            attempt,
            exc_info=True,
            extra=about(record),
        )
        if isinstance(message, ActorExitRequest) or record.instance is None:
            return
        if attempt < DELIVERY_ATTEMPTS_MAX:
            self.enqueue(record, Retry(message, attempt), sender)
        elif not isinstance(message, PoisonMessage | ChildActorExited):
            self.enqueue(self.find(sender), PoisonMessage(message, traceback.format_exc()), record.address)

    def _wake_up(self, record: ActorRecord, period: timedelta | float, payload: Any, late_s: float) -> None:
        self.lag.sample(self.clock(), late_s)
        if not isinstance(period, timedelta):
            period = timedelta(seconds=period)
        self.enqueue(record, WakeupMessage(period, payload), record.address)

    def _status(self, record: ActorRecord) -> Any:
        status = Thespian_ActorStatus(record.address, record.kind, self.root.address)
        status.addWakeups(
            [(record.address, ExpirationTimer(timedelta(seconds=left))) for left in self.timers.of(record)]
        )
        for child in record.children or ():
            status.addChild(child.address)
        for target, message, sender in self.fifo:
            if target is record:
                status.addPendingMessage(sender, record.address, type(message).__name__)
        return status

    @abstractmethod
    def end(self, record: ActorRecord, reason: str | None, recursive: bool = True) -> None:
        """An actor's end, which is the affair of system/lives.py."""

    # --- dead letters ---

    def dead_letter(self, target: str, message: Any, sender: ActorAddress) -> None:
        """A message for nobody: counted, and shown to the actor that handles dead letters, if there is one."""
        if type(message) is Retry:
            message = message.message
        if isinstance(message, NOT_WORTH_A_DEAD_LETTER):
            return
        self.dead_letters += 1
        if self._dead_letter_box is not None:
            self.enqueue(self._dead_letter_box, DeadEnvelope(target, message), sender)

    def letter_to_nobody(self, name: str, message: Any, sender: ActorAddress) -> None:
        self.unknown_names.put(name, (self.unknown_names.get(name) or 0) + 1)
        log.debug("no actor is named %s: %s lost", name, type(message).__name__)
        self.dead_letter(name, message, sender)

    def handle_dead_letters(self, record: ActorRecord, enable: bool) -> None:
        if enable:
            self._dead_letter_box = record
        elif self._dead_letter_box is record:
            self._dead_letter_box = None

    # --- records ---

    def new_record(self, address: str, parent: ActorRecord | None) -> ActorRecord:
        self._serial += 1
        return self._record_class(self, address, parent, self._serial)

    def correspondent(self, address: str, instance: Any) -> ActorRecord:
        """Gives an address to someone who is no actor but hears answers: `instance.receiveMessage(message, sender)`."""
        record = self.new_record(address, None)
        record.instance = instance
        self.actorRegistry[address] = record
        return record

    def dismiss(self, correspondent: ActorRecord) -> None:
        correspondent.instance = None
        self.actorRegistry.pop(correspondent.address.actorAddressString, None)

    # --- what the rest of Thespian's simple base (its start, sources, capabilities) needs of this one ---

    def _newRefAndActor(
        self, system: Any, parent: ActorAddress, address: ActorAddress, actor_class: Any, *_: Any
    ) -> ActorRecord:
        """The base's own three, made while Thespian's __init__ runs: the system, the external requester, the bad
        actor."""
        record = self.new_record(address.actorAddressString, None)
        record.instance = actor_class()
        record.instance._myRef = record
        return record

    def actor_send(self, sender: ActorAddress, to: ActorAddress, message: Any) -> None:
        self.enqueue(self.find(to), message, sender)

    def _runSends(self, *_: Any, **__: Any) -> None:
        """Sends what inherited code (source loading) put on the simple base's list."""
        pending = list(self._pendingSends)
        self._pendingSends.clear()
        for letter in pending:
            self.enqueue(self.find(letter.toActor), letter.msg, letter.sender)


def about(record: ActorRecord) -> dict[str, Any]:
    """Fields of a log line about an actor; never its messages."""
    return {
        "actor": record.label,
        "kind": record.kind,
        "actor_address": record.address.actorAddressString,
    }
