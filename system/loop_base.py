"""The Thespian system base that Limner's actors live on: tens of thousands of actors on one asyncio loop.

Thespian's semantics hold (its own suite is run on this base): a message that fails its receiver three times goes back
to its sender as PoisonMessage, letters to the dead go to the registered handler, parents hear ChildActorExited.
Beyond it: names, tasks, crashes with reasons, a strict mode, accounts of who does what, and nothing is kept of the
dead.

    mailroom.py  delivery      lives.py   names, births, tasks, deaths    record.py  what one actor may ask of the base
    outside.py   other threads timers.py  wakeups                         stats.py   what the console is shown
    held.py      the suspended trails.py  what is followed

`start` runs a base in a thread of its own; `run_on` puts one on a loop that its caller runs, real or virtual.
"""

import asyncio
import itertools
import logging
import random
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from thespian.actors import ActorAddress, ActorExitRequest, ActorSystem
from thespian.system import isInternalActorSystemMessage

from system.lives import Lives, NameTaken
from system.outside import LoopThread, Outside
from system.record import ActorRecord, LoopAddress, as_if_sent_far
from system.stats import ActorStats, Totals
from system.trails import Sight, WatchedMail

__all__ = ["LoopBase", "NameTaken", "NobodyThere", "run_on", "start"]

STOP_S_MAX = 5.0
UNWIND_S_MIN = 0.1
RATE_SECONDS_MIN = 0.001

log = logging.getLogger("limner.actors")


class NobodyThere(LookupError):
    """No living actor has this name or address."""


class Asker:
    """Hears the answer to one `ask`; what comes after it, or from the system itself, is nothing to it."""

    __slots__ = ("_answer",)

    def __init__(self, answer: "asyncio.Future[Any]") -> None:
        self._answer = answer

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:
        if not self._answer.done() and not isInternalActorSystemMessage(message):
            self._answer.set_result(message)


class LoopBase(Lives):
    """A base on one event loop, made in that loop's thread.

    `strict`: every message is encoded and decoded on its way. `process`: what actors see as theirs, the live things
    of the process. `rng`: the seed of all actors' dice (default: the operating system's)."""

    def __init__(
        self,
        system: ActorSystem,
        loop: asyncio.AbstractEventLoop,
        *,
        strict: bool = False,
        process: Any = None,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(system, loop, strict, process, rng)
        self.thread: LoopThread | None = None
        self._stop_under_way: asyncio.Task[bool] | None = None
        self._askers = itertools.count(1)
        self._privates = itertools.count(1)
        self._sampled_at = self.clock()

    def create(self, actor_class: type, name: str | None = None) -> LoopAddress:
        """A top-level actor, under this name from birth. Raises NameTaken, and whatever its __init__ raises."""
        return self.spawn(self.root, actor_class, None, name, None)

    def tell(self, to: str | ActorAddress, message: Any) -> None:
        """Sends a message from outside the actors, to a name or an address; to nobody: a counted dead letter."""
        if self.strict:
            message = as_if_sent_far(message)
        if isinstance(to, ActorAddress):
            self.enqueue(self.find(to), message, self.root.address)
        elif to in self.names:
            self.enqueue(self.names[to], message, self.root.address)
        else:
            self.letter_to_nobody(to, message, self.root.address)

    async def ask(self, to: str | ActorAddress, message: Any, timeout: float) -> Any:  # noqa: ASYNC109
        """The first answer to this message. Raises NobodyThere at once, TimeoutError after `timeout` seconds."""
        target = self._resolve(to)
        if target is None:
            raise NobodyThere(f"no actor at {to}")
        if self.strict:
            message = as_if_sent_far(message)
        answer: asyncio.Future[Any] = self.loop.create_future()
        asker = self.correspondent(f"System:Asker:{next(self._askers)}", Asker(answer))
        try:
            async with asyncio.timeout(timeout):
                self.enqueue(target, message, asker.address)
                return await answer
        finally:
            self.dismiss(asker)

    async def idle(self) -> None:
        """Returns when every mailbox is empty and nobody is at work (tasks and timers may be under way)."""
        await asyncio.sleep(0)  # lets calls from other threads, queued on the loop before this one, come in
        while self.fifo:
            await self.drained()

    async def ended(self, to: str | ActorAddress) -> str | None:
        """Waits for the end of an actor; the reason of its crash, or None. Raises NobodyThere when there is none."""
        record = self._resolve(to)
        if record is None:
            raise NobodyThere(f"no actor at {to}")
        if record.ended is None:
            record.ended = self.loop.create_future()
        return await asyncio.shield(record.ended)

    async def stop(self, stop_s: float = STOP_S_MAX) -> bool:
        """Asks all actors to exit, youngest top-level actor first, and waits at most `stop_s` for them and their tasks;
        whoever is left is ended by force. True when nobody had to be. The base takes nothing more afterwards."""
        deadline = self.loop.time() + stop_s
        for held in tuple(self.held):
            self.resume(held.label)
        for record in reversed(self.actors()):
            # Children are asked by the end of their parent; those whose parent has gone before them, here.
            if record.parent is not None and (record.parent is self.root or record.parent.instance is None):
                self.enqueue(record, ActorExitRequest(), self.root.address)
        orderly = await self._emptied(deadline)
        self.stopped = True
        for record in self.actors():
            self.end(record, None)
        orderly = await self._unwound(deadline) and orderly
        self.fifo.clear()
        self.timers.close()
        super().shutdown()
        return orderly

    async def _emptied(self, deadline: float) -> bool:
        """True when all actors have gone by themselves: nobody is left when no message is left."""
        try:
            async with asyncio.timeout_at(deadline):
                while self.fifo:
                    await self.drained()
        except TimeoutError:
            log.warning("%d messages were left when the time to stop was over", len(self.fifo))
        return not self.actors()

    async def _unwound(self, deadline: float) -> bool:
        """True when all cancelled tasks have ended."""
        if not self.tasks:
            return True
        left_s = max(UNWIND_S_MIN, deadline - self.loop.time())
        _, unfinished = await asyncio.wait(list(self.tasks), timeout=left_s)
        for task in unfinished:
            log.warning("a task ignores its cancellation", extra={"task": task.get_name()})
        return not unfinished

    def begin_stop(self) -> "asyncio.Task[bool]":
        """Like `stop`, for those who cannot wait for it, such as an actor; the same stop when it has begun."""
        if self._stop_under_way is None:
            self._stop_under_way = self.loop.create_task(self.stop(), name="stop the actors")
        return self._stop_under_way

    def next_private(self) -> int:
        return next(self._privates)

    def census(self) -> tuple[ActorStats, ...]:
        """All living actors in the order of their births."""
        now = self.loop.time()
        return tuple(self.describe(record, now) for record in self.actors())

    def sample_rates(self) -> None:
        """For who is called each few seconds: each actor's `rate` is of the time since the last call."""
        now = self.clock()
        seconds, self._sampled_at = max(now - self._sampled_at, RATE_SECONDS_MIN), now
        for record in self.actors():
            record.rate = (record.handled - record.counted) / seconds
            record.counted = record.handled

    # --- what is followed for a while (system/trails.py) ---

    def trace(self, job: str, seconds: float) -> bool | None:
        """Notes each message about this job for so long, from the next turn on. False: it was followed already, and is
        for so long from now on; None: too many others are."""
        now = self.loop.time()
        known = self.trails.is_followed(job)
        if not self.trails.follow(job, now + seconds, now):
            return None
        self.loop.call_soon(self._watch)
        self.loop.call_later(seconds, self._watch)
        return not known

    def trail(self, job: str) -> tuple[Sight, ...]:
        """What was seen of a job that is, or was lately, followed; oldest first."""
        return self.trails.of(job)

    def _watch(self) -> None:
        """Between two turns, for a turn holds on to the FIFO that it began with."""
        watched = self.trails.lapse(self.loop.time())
        if watched != isinstance(self.fifo, WatchedMail):
            self.fifo = WatchedMail(self.fifo, self) if watched else deque(self.fifo)

    def restarted(self, name: str) -> None:
        """A supervisor starts the actor of this name again; the count outlives both."""
        self.restarts.put(name, (self.restarts.get(name) or 0) + 1)

    def waiting(self) -> Counter[str]:
        """How many messages wait for whom: for who looks often, as it costs nothing for those for whom none waits."""
        depths = Counter(record.label for record, _, _ in self.fifo)
        depths.update({record.label: len(held.mail) for record, held in self.held.items()})
        return depths

    def loop_lag_s(self) -> float:
        """How late the latest turn of these last seconds was."""
        return self.lag.worst(self.clock())

    def totals(self) -> Totals:
        return Totals(
            messages=self.messages,
            waiting=len(self.fifo) + sum(len(held.mail) for held in self.held.values()),
            dead_letters=self.dead_letters,
            crashes=self.crashes,
            actors=len(self.actors()),
            tasks=len(self.tasks),
            timers=len(self.timers),
            loop_lag_s=self.loop_lag_s(),
        )

    def describe(self, record: ActorRecord, now: float) -> ActorStats:
        """One living actor; `now` is the loop's time."""
        error = self.last_errors.get(record.label)
        return ActorStats(
            name=record.name,
            address=record.address.actorAddressString,
            kind=record.kind,
            parent=record.parent.label if record.parent and record.parent is not self.root else None,
            depth=record.enqueued - record.handled,
            handled=record.handled,
            busy_s=record.busy_s,
            uptime_s=now - record.born_at,
            tasks=len(record.tasks or ()),
            children=len(record.children or ()),
            restarts=self.restarts.get(record.label) or 0,
            last_error=error.reason if error else None,
            rate=record.rate,
            suspended=record.suspended,
        )

    def actors(self) -> list[ActorRecord]:
        """All living actors in the order of their births: parents before their children."""
        return [record for record in self.actorRegistry.values() if record.parent is not None]

    def children_of(self, label: str) -> list[ActorRecord]:
        """Those of one living actor, by its name or address, in the order of their births."""
        parent = self.names.get(label) or self.actorRegistry.get(label)
        return list(parent.children or ()) if parent is not None and parent.instance is not None else []

    def _resolve(self, to: str | ActorAddress) -> ActorRecord | None:
        record = self.names.get(to) if isinstance(to, str) else self.find(to)
        return record if record is not None and record.instance is not None else None


def run_on(loop: asyncio.AbstractEventLoop, capabilities: Mapping[str, Any] | None = None, **options: Any) -> LoopBase:
    """A base on this loop, which the caller runs, in the calling thread. `options` are those of LoopBase; its
    `.system` is an ActorSystem for other threads (its `ask` and `listen` would block the very loop that is to
    answer)."""
    outside = Outside()
    system = ActorSystem(systemBase=outside, capabilities=dict(capabilities or {}), transientUnique=True)
    base = LoopBase(system, loop, **options)
    outside.attach(base)
    return base


def start(capabilities: Mapping[str, Any] | None = None, **options: Any) -> ActorSystem:
    """A started ActorSystem, its actors on a loop in a daemon thread of its own; usable from any thread, ended by its
    `shutdown`. `options` are those of LoopBase."""
    return LoopThread().start(lambda loop: run_on(loop, capabilities, **options)).system
