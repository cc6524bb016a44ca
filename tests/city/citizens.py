"""Citizens: users with a connection that breaks, a memory that does not, and wishes.

A citizen keeps the ledger of what it was told: an `accepted` is a promise, events are numbered without gap, an end
comes once. After each break it resumes by seq and says again, under the same ref, what was not answered.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.gate import Asked
from core.config import Config
from protocol.api import (
    Answer,
    ImageShown,
    Question,
    ShowImage,
)
from protocol.client import (
    TERMINAL_FRAMES,
    Accepted,
    Act,
    Done,
    Error,
    Progress,
    Reset,
    Resume,
    Resumed,
    ServerFrame,
    Started,
    Welcome,
)
from tests.city.auditor import Auditor
from tests.city.cdn import nonce_in
from tests.city.phone import LATENCY_S, REMOTE, Hear, Phone
from tests.city.tablet import Visit
from tests.city.wishes import Wish, Wishes
from tests.city.witness import Witness

STORED = (Accepted, Started, *TERMINAL_FRAMES)
WELCOME_S_MAX = 8.0
ANSWER_S_MAX = 15.0
AGAIN_S = (0.2, 4.0)
TABLET_EACH_S = 25.0
#: Refusals that say: ask again later.
LATER = frozenset({"draining", "queue_full", "too_many_jobs", "no_account", "rate_limited"})
#: Refusals of a whole connection that say so.
NOT_NOW = frozenset({"rate_limited", "draining"})
#: What a limit of the user's own plan refuses.
LIMITS = frozenset({"too_many_jobs", "quota_exceeded"})


class House(Protocol):
    """What citizens need of their city: a running Limner, sometimes."""

    loop: Any
    config: Config
    witness: Witness
    auditor: Auditor
    owners: dict[str, str]
    over: bool

    def note(self, text: str) -> None: ...
    def visited(self, what: str) -> None: ...
    def tell_gate(self, message: Any) -> None: ...
    def call(self, dice: random.Random, user: str, key: str | None, key_in_frame: bool, hear: Hear) -> Phone | None: ...
    def count_live(self, user: str) -> int: ...
    def count_since(self, user: str, since: float) -> int: ...
    def open_door(self, socket: str, door: CityDoor) -> None: ...
    def shut_door(self, socket: str) -> None: ...


class CityDoor:
    """The live end of one HTTP request (actors.process.Door): words come in order, a while later, until it is shut."""

    def __init__(self, house: House, dice: random.Random, hear: Callable[[Any], None]) -> None:
        self.house, self.dice, self.hear = house, dice, hear
        self.open = True
        self._due = 0.0

    def send(self, words: Any) -> None:
        self._due = max(self._due + 1e-6, self.house.loop.time() + self.dice.uniform(*LATENCY_S))
        self.house.loop.call_at(self._due, self._deliver, words)

    def close(self, code: int, reason: str) -> None:
        self.send(None)

    def cut(self) -> None:
        """Nothing more comes."""
        if self.open:
            self.open = False
            self.hear(None)

    def _deliver(self, words: Any) -> None:
        if not self.open:
            return
        self.open = words is not None
        self.hear(words)


@dataclass(eq=False)
class Citizen:
    """One user. `events` are all the stored events it ever heard, `seq` up to where it has them all."""

    house: House
    name: str
    key: str
    dice: random.Random
    wants: int
    modes: tuple[str, ...] = ("fast",)
    seq: int = 0
    events: dict[int, ServerFrame] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
    #: Jobs that were said to be cancelled.
    cancelled: set[str] = field(default_factory=set)
    ends: dict[str, ServerFrame] = field(default_factory=dict)
    live: bool = False
    checks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.requests = itertools.count(1)
        self.wanting = Wishes(self)
        self.phone: Phone | None = None

    # --- the connection ---

    async def live_on(self) -> None:
        """Connects, listens, and connects again, for ever."""
        while True:
            await self._one_connection()
            self.live, self.phone = False, None
            await asyncio.sleep(self.dice.uniform(*AGAIN_S))

    async def _one_connection(self) -> None:
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        in_frame = self.dice.random() < 0.3
        self.phone = phone = self.house.call(self.dice, self.name, self.key, in_frame, inbox.put_nowait)
        if phone is None:
            return
        try:
            async with asyncio.timeout(WELCOME_S_MAX):
                welcome = await inbox.get()
        except TimeoutError:
            return phone.hang_up()
        if welcome is None or isinstance(welcome, Error):
            self.claim(welcome is None or welcome.code in NOT_NOW, f"the first frame is {welcome}")
            return phone.hang_up()
        self.claim(isinstance(welcome, Welcome), f"the first frame is {welcome}")
        self.claim(welcome.seq >= self.seq, f"welcome says {welcome.seq}, {self.seq} was told before")
        phone.say(Resume(self.seq))
        stays_s = self.dice.expovariate(1 / 60.0) if not self.house.over else 1e6
        try:
            async with asyncio.timeout(stays_s):
                while (frame := await inbox.get()) is not None:
                    self._hear(frame)
        except TimeoutError:
            self.house.note(f"{self.name} hangs up")
        self.house.visited("too slow" if phone.too_slow else f"closed {phone.close_code} {phone.close_reason}".strip())
        self.claim(not phone.pipe.overrun, "more was written than the wire takes")
        phone.hang_up()

    def hang_up(self) -> None:
        """The network does."""
        if self.phone is not None:
            self.phone.cut()

    def stall(self, seconds: float) -> None:
        """Reads nothing for a while: an app in the background, a train in a tunnel."""
        if self.phone is not None:
            self.phone.stall(seconds)

    def say(self, frame: Any) -> None:
        if self.phone is not None:
            self.phone.say(frame)

    async def use_a_tablet(self) -> None:
        """Now and then, as long as the storm lasts."""
        dice = random.Random(self.dice.random())
        while not self.house.over:
            await asyncio.sleep(dice.expovariate(1 / TABLET_EACH_S))
            if not self.house.over:
                await Visit(self, dice).pay()

    # --- hearing ---

    def _hear(self, frame: ServerFrame) -> None:
        if isinstance(frame, STORED):
            self._learn(frame)
        elif isinstance(frame, Resumed):
            self.claim(self.seq == frame.seq, f"resumed({frame.seq}) with events up to {self.seq} only")
            self.live = True
            for wish in self.wishes.values():
                if wish.is_open and not wish.by_http:
                    wish.said(self.house.loop.time())
                    self.say(wish.order)
        elif isinstance(frame, Error):
            self.refused(frame.ref, frame.code, frame.message)
        elif isinstance(frame, Progress):
            self.claim(frame.job not in self.ends or not self.live, f"{frame.job} goes on after its end")
        self.claim(not isinstance(frame, Reset), "events were forgotten")

    def _learn(self, frame: Any) -> None:
        known = self.events.get(frame.seq)
        if known is not None:
            self.claim(known == frame, f"event {frame.seq} was {known}, is {frame}")
            again = isinstance(frame, Accepted) and frame.ref in self.wishes
            self.claim(not self.live or again, f"event {frame.seq} came twice on one connection")
            return
        self.claim(not self.live or frame.seq == self.seq + 1, f"event {frame.seq} comes after {self.seq}")
        self.events[frame.seq] = frame
        while self.seq + 1 in self.events:
            self.seq += 1
        owner = self.house.owners.setdefault(frame.job, self.name)
        self.claim(owner == self.name, f"{frame.job} is {owner}'s")
        if isinstance(frame, Accepted):
            self.accepted(frame.ref, frame.job)
        elif isinstance(frame, TERMINAL_FRAMES):
            self.claim(frame.job not in self.ends, f"{frame.job} has ended twice")
            self.ends[frame.job] = frame
            self.house.auditor.heard(self.name, frame)
            if isinstance(frame, Done):
                self.begin(self._look_at(frame))

    def accepted(self, ref: str | None, job: str) -> None:
        wish = self.wishes.get(ref or "")
        self.claim(wish is not None, f"{job} was never asked for (ref {ref})")
        if wish is not None:
            self.claim(wish.job in (None, job), f"ref {ref} is {wish.job} and {job}")
            strangers = self.house.auditor.names_strangers(self.name, wish.order)
            self.claim(not strangers, f"{job} is drawn from somebody else's upload")
            wish.job, wish.refused = job, None  # it may have been said twice, and the second time been in luck
            wish.accepted.set()

    def refused(self, ref: str | None, code: str, message: str) -> None:
        wish = self.wishes.get(ref or "")
        if wish is None:
            fair = ("not_found", "not_cancellable", "bad_frame", "rate_limited", "draining")
            self.claim(ref is None and code in fair, f"{code}: {message}")
            return
        self.house.visited(f"refused {code}")
        if code in LIMITS:
            self.claim(self.house.auditor.was_full(self.name, code, wish.said_at), f"{wish.order.ref}: {message}")
        if code == "ref_conflict":
            self.claim(wish.conflicts, f"{wish.order.ref} is in conflict with nothing")
        elif code not in LATER:  # else it is asked again, as it is without an answer
            fair = code == "quota_exceeded" or (isinstance(wish.order, Act) and code in ("bad_prompt", "not_found"))
            fair = fair or (code == "not_found" and self.house.auditor.names_strangers(self.name, wish.order))
            self.claim(fair, f"{wish.order.ref} is refused: {code}: {message}")
            # Of an order said twice the one copy may be in luck, and the refusal of the other be heard later.
            fair = wish.job is None or code in LIMITS
            self.claim(fair, f"{wish.order.ref} was accepted as {wish.job} and refused: {code}")
            wish.refused = code if wish.job is None else None

    # --- asking ---

    async def ask(self, question: Question) -> Answer | None:
        """An HTTP request: its answer, None when none came."""
        socket = f"{self.name}-h{next(self.requests)}"
        answered: asyncio.Future[Any] = self.house.loop.create_future()
        door = CityDoor(self.house, self.dice, lambda words: answered.done() or answered.set_result(words))
        self.house.open_door(socket, door)
        self.house.tell_gate(Asked(socket, REMOTE, self.key, question))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await answered
        except TimeoutError:
            return None
        finally:
            self.house.shut_door(socket)

    async def _look_at(self, done: Done) -> None:
        """Is the picture that of the job?"""
        for picture in done.images:
            answer: Any = None
            while not isinstance(answer, ImageShown):
                await asyncio.sleep(self.dice.uniform(*AGAIN_S))
                answer = await self.ask(ShowImage(picture.id))
                self.claim(getattr(answer, "code", "") != "not_found", f"{picture.id} is not there")
            self.house.witness.picture(done.job, nonce_in(answer.data))

    # --- small things ---

    def begin(self, coroutine: Any) -> None:
        task = self.house.loop.create_task(coroutine)
        self.checks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.checks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.house.witness.broken(f"{self.name} broke: {task.exception()!r}")

    def claim(self, holds: bool, otherwise: str) -> None:
        self.house.witness.claim(holds, f"{self.name}: {otherwise}")
