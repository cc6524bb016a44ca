"""The crowd of a peak: thousands of users who stay connected, order through a working day, and keep their own ledgers.

One user in a hundred orders half of everything. Each is the live end of its own socket (actors.process.Door) and
believes only what it is told: an `accepted` is a promise, events are numbered without gap, an end comes once and is
`done`, with a picture of its own. A socket that is closed is opened again, and resumed by seq.
"""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from actors.gate import Arrived, Left, Spoken
from actors.process import Door
from protocol.client import Accepted, Done, Draw, Error, Progress, Queued, Resume, Resumed, Started, Welcome

PROMPTS = ("a red fox", "a red fox in snow", "the sea", "two owls and a moon", "an old clockmaker at work")
#: One user in so many is heavy, and the heavy ones together order this share.
HEAVY_EACH, HEAVY_SHARE = 100, 0.5
#: The day's curve: arrivals a second are the mean, less or more this share of it, most of all in the middle.
SWING = 0.5
CONNECTED_WITHIN_S = 60.0
WELCOME_S_MAX = 15.0
ANSWER_S_MAX = 20.0
AGAIN_S = (0.2, 4.0)
CURVE_STEPS = 10_000


@dataclass(eq=False)
class Ledger:
    """What all users together have seen. Times in virtual seconds, by class: heavy or light."""

    broken: Callable[[str], None]
    picture: Callable[[str, str], None]
    frames: Counter[str] = field(default_factory=Counter)
    ordered: int = 0
    accepted: int = 0
    done: int = 0
    reconnects: int = 0
    waits: dict[str, array[float]] = field(default_factory=lambda: {"heavy": array("f"), "light": array("f")})
    lasts: dict[str, array[float]] = field(default_factory=lambda: {"heavy": array("f"), "light": array("f")})

    def claim(self, holds: bool, otherwise: str) -> None:
        """It must hold."""
        if not holds:
            self.broken(otherwise)


class Customer:
    """One user with one socket. `asked`: refs not answered yet; `open`: accepted jobs not ended, when ordered."""

    __slots__ = ("asked", "crowd", "kind", "live", "name", "open", "orders", "seq", "socket", "sockets", "waits")

    def __init__(self, crowd: Crowd, number: int, kind: str) -> None:
        self.crowd, self.name, self.kind = crowd, f"u{number}", kind
        self.asked: dict[str, tuple[Draw, float]] = {}
        self.open: dict[str, float] = {}
        self.waits: set[str] = set()
        self.seq = self.orders = self.sockets = 0
        self.socket = ""
        self.live = False

    # --- the socket ---

    def connect(self) -> None:
        """Opens a socket, and sees to it that it is of use."""
        self.sockets += 1
        self.socket, self.live = f"{self.name}-{self.sockets}", False
        self.crowd.doors[self.socket] = self
        self.crowd.tell_gate(Arrived(self.socket, "10.0.0.1", key_of(self.name)))
        self.crowd.loop.call_later(WELCOME_S_MAX, self._look, self.socket)

    def _look(self, socket: str) -> None:
        if socket == self.socket and not self.live:
            self.close(1006, "nobody answers")

    def close(self, code: int, reason: str) -> None:
        """The socket is gone; a new one comes soon."""
        if self.socket:
            del self.crowd.doors[self.socket]
            self.crowd.tell_gate(Left(self.socket))
            self.socket, self.live = "", False
            self.crowd.ledger.reconnects += 1
            self.crowd.loop.call_later(self.crowd.dice.uniform(*AGAIN_S), self.connect)

    def send(self, words: Any) -> None:
        """A frame came."""
        ledger = self.crowd.ledger
        kind = type(words)
        ledger.frames[kind.__name__] += 1
        if kind is Progress:
            self._claim(words.job in self.open or not self.live, f"{words.job} goes on after its end")
        elif kind is Queued:
            self._claim(words.position >= 1, f"{words.job} has place {words.position}")
        elif kind in (Accepted, Started, Done):
            self._learn(words)
        elif kind is Welcome:
            self._claim(words.seq >= self.seq, f"welcome says {words.seq}, {self.seq} was told before")
            self._say(Resume(self.seq))
        elif kind is Resumed:
            self._claim(words.seq == self.seq, f"resumed at {words.seq} with events up to {self.seq}")
            self.live = True
            for order, _ in self.asked.values():
                self._say(order)
        elif kind is Error:
            self._claim(words.code == "draining", f"refused: {words.code}: {words.message}")  # it is asked again
        else:
            self._claim(False, f"heard {words}")

    def _say(self, frame: Any) -> None:
        self.crowd.tell_gate(Spoken(self.socket, frame))

    # --- what it is told ---

    def _learn(self, event: Accepted | Started | Done) -> None:
        if event.seq <= self.seq:  # an order said twice is answered twice
            self._claim(isinstance(event, Accepted), f"event {event.seq} came twice")
            return
        self._claim(event.seq == self.seq + 1, f"event {event.seq} comes after {self.seq}")
        self.seq = event.seq
        ledger, now = self.crowd.ledger, self.crowd.loop.time()
        if isinstance(event, Accepted):
            asked = self.asked.pop(event.ref or "", None)
            self._claim(asked is not None, f"{event.job} was never asked for (ref {event.ref})")
            self.open[event.job] = asked[1] if asked is not None else now
            self.waits.add(event.job)
            ledger.accepted += 1
            return
        self._claim(event.job in self.open, f"{type(event).__name__} of {event.job}, which is none of theirs")
        if isinstance(event, Started):
            self.waits.discard(event.job)
            ledger.waits[self.kind].append(now - self.open[event.job])
        elif event.job in self.open:
            ledger.lasts[self.kind].append(now - self.open.pop(event.job))
            ledger.done += 1
            self._claim(event.job not in self.waits, f"{event.job} is done and never started")
            self._claim(len(event.images) == 1, f"{event.job} has {len(event.images)} pictures")
            for image in event.images:
                ledger.picture(event.job, image.id)

    # --- what it wants ---

    def order(self) -> None:
        """One more drawing."""
        self.orders += 1
        prompt = PROMPTS[self.crowd.dice.randrange(len(PROMPTS))]
        order = Draw(f"{self.name}/{self.orders}", prompt)
        self.asked[order.ref] = (order, self.crowd.loop.time())
        self.crowd.ledger.ordered += 1
        self._ask(order)

    def _ask(self, order: Draw) -> None:
        if order.ref in self.asked:
            if self.live:
                self._say(order)  # else it is said after the next `resumed`
            self.crowd.loop.call_later(ANSWER_S_MAX, self._ask, order)

    def _claim(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.crowd.ledger.broken(f"{self.name}: {otherwise}")


class Crowd:
    """All users, and when they order. `doors`: the daemon's table of sockets."""

    def __init__(
        self,
        loop: Any,
        dice: random.Random,
        users: int,
        ledger: Ledger,
        doors: dict[str, Door],
        tell_gate: Callable[[Any], None],
    ) -> None:
        self.loop, self.dice, self.ledger, self.doors, self.tell_gate = loop, dice, ledger, doors, tell_gate
        heavy = max(1, users // HEAVY_EACH)
        self.heavy = [Customer(self, number, "heavy") for number in range(heavy)]
        self.light = [Customer(self, number, "light") for number in range(heavy, users)]
        self._to_come: Iterator[float] = iter(())

    def connect(self) -> None:
        """Everybody opens a socket within CONNECTED_WITHIN_S."""
        for customer in (*self.heavy, *self.light):
            self.loop.call_later(self.dice.uniform(0.0, CONNECTED_WITHIN_S), customer.connect)

    def order(self, jobs: int, seconds: float) -> None:
        """So many orders from now on, through a day of so many seconds."""
        begin = self.loop.time()
        self._to_come = (begin + at for at in arrivals(jobs, seconds, self.dice))
        self._next()

    def _next(self) -> None:
        at = next(self._to_come, None)
        if at is not None:
            self.loop.call_at(at, self._one)

    def _one(self) -> None:
        some = self.heavy if self.dice.random() < HEAVY_SHARE else self.light
        some[self.dice.randrange(len(some))].order()
        self._next()

    @property
    def unsettled(self) -> int:
        """Orders that have not come to their end."""
        return self.ledger.ordered - self.ledger.done


def key_of(user: str) -> str:
    """Each user has one."""
    return f"key-of-{user}"


def arrivals(jobs: int, seconds: float, dice: random.Random) -> list[float]:
    """When the orders of a day come, sorted: at random, with the density of the day's curve (see SWING)."""
    turn = 2 * math.pi
    shares = [step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
    reached = [share - SWING * math.sin(turn * share) / turn for share in shares]
    found = []
    for _ in range(jobs):
        drawn = dice.random()
        step = min(max(bisect(reached, drawn), 1), CURVE_STEPS)
        part = (drawn - reached[step - 1]) / (reached[step] - reached[step - 1])
        found.append((step - 1 + part) / CURVE_STEPS * seconds)
    return sorted(found)
