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
    CancelJob,
    ImageShown,
    JobShown,
    PlaceJob,
    Question,
    Refusal,
    ShowImage,
    ShowJobs,
    ShowMe,
)
from protocol.client import (
    TERMINAL_FRAMES,
    Accepted,
    Act,
    Cancel,
    Done,
    Draw,
    Error,
    Progress,
    Reset,
    Resume,
    Resumed,
    ServerFrame,
    Started,
    Welcome,
)
from tests.city.cdn import nonce_in
from tests.city.phone import LATENCY_S, REMOTE, TOO_MANY, Hear, Phone
from tests.city.tablet import Visit
from tests.city.witness import Witness

#: Few, so that equal prompts meet.
PROMPTS = ("a red fox", "a red fox in snow", "the sea", "the sea --relax", "two owls  and a moon https://a.test/x.png")
STORED = (Accepted, Started, *TERMINAL_FRAMES)
WELCOME_S_MAX = 8.0
ANSWER_S_MAX = 15.0
AGAIN_S = (0.2, 4.0)
LATER_S = (2.0, 12.0)
TABLET_EACH_S = 25.0
#: Refusals that say: ask again later.
LATER = frozenset({"draining", "queue_full", "too_many_jobs", "no_account", "rate_limited"})


class House(Protocol):
    """What citizens need of their city: a running Limner, sometimes."""

    loop: Any
    config: Config
    witness: Witness
    owners: dict[str, str]
    over: bool

    def note(self, text: str) -> None: ...
    def visited(self, what: str) -> None: ...
    def tell_gate(self, message: Any) -> None: ...
    def call(self, dice: random.Random, user: str, key: str | None, key_in_frame: bool, hear: Hear) -> Phone | None: ...
    def count(self, user: str | None, live: bool = False) -> int: ...
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
class Wish:
    """A draw or an act, as long as it was not answered. `by_http`: it is asked again by HTTP."""

    order: Draw | Act
    by_http: bool
    job: str | None = None
    refused: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there was no answer yet."""
        return self.job is None and self.refused is None


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
    ends: dict[str, ServerFrame] = field(default_factory=dict)
    live: bool = False
    checks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.requests = itertools.count(1)
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
            full = phone.refused == TOO_MANY or getattr(welcome, "code", "") == "rate_limited"
            self._claim(welcome is None or full, f"the first frame is {welcome}")
            return phone.hang_up()
        self._claim(isinstance(welcome, Welcome), f"the first frame is {welcome}")
        self._claim(welcome.seq >= self.seq, f"welcome says {welcome.seq}, {self.seq} was told before")
        phone.say(Resume(self.seq))
        stays_s = self.dice.expovariate(1 / 60.0) if not self.house.over else 1e6
        try:
            async with asyncio.timeout(stays_s):
                while (frame := await inbox.get()) is not None:
                    self._hear(frame)
        except TimeoutError:
            self.house.note(f"{self.name} hangs up")
        self.house.visited("too slow" if phone.too_slow else f"closed {phone.close_code} {phone.close_reason}".strip())
        self._claim(not phone.pipe.overrun, "more was written than the wire takes")
        phone.hang_up()

    def hang_up(self) -> None:
        """The network does."""
        if self.phone is not None:
            self.phone.cut()

    def stall(self, seconds: float) -> None:
        """Reads nothing for a while: an app in the background, a train in a tunnel."""
        if self.phone is not None:
            self.phone.stall(seconds)

    def _say(self, frame: Any) -> None:
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
            self._claim(self.seq == frame.seq, f"resumed({frame.seq}) with events up to {self.seq} only")
            self.live = True
            for wish in self.wishes.values():
                if wish.is_open and not wish.by_http:
                    self._say(wish.order)
        elif isinstance(frame, Error):
            self._refused(frame.ref, frame.code, frame.message)
        elif isinstance(frame, Progress):
            self._claim(frame.job not in self.ends or not self.live, f"{frame.job} goes on after its end")
        self._claim(not isinstance(frame, Reset), "events were forgotten")

    def _learn(self, frame: Any) -> None:
        known = self.events.get(frame.seq)
        if known is not None:
            self._claim(known == frame, f"event {frame.seq} was {known}, is {frame}")
            again = isinstance(frame, Accepted) and frame.ref in self.wishes
            self._claim(not self.live or again, f"event {frame.seq} came twice on one connection")
            return
        self._claim(not self.live or frame.seq == self.seq + 1, f"event {frame.seq} comes after {self.seq}")
        self.events[frame.seq] = frame
        while self.seq + 1 in self.events:
            self.seq += 1
        owner = self.house.owners.setdefault(frame.job, self.name)
        self._claim(owner == self.name, f"{frame.job} is {owner}'s")
        if isinstance(frame, Accepted):
            self._accepted(frame.ref, frame.job)
        elif isinstance(frame, TERMINAL_FRAMES):
            self._claim(frame.job not in self.ends, f"{frame.job} has ended twice")
            self.ends[frame.job] = frame
            if isinstance(frame, Done):
                self._begin(self._look_at(frame))

    def _accepted(self, ref: str | None, job: str) -> None:
        wish = self.wishes.get(ref or "")
        self._claim(wish is not None, f"{job} was never asked for (ref {ref})")
        if wish is not None:
            self._claim(wish.job in (None, job), f"ref {ref} is {wish.job} and {job}")
            wish.job, wish.refused = job, None  # it may have been said twice, and the second time been in luck

    def _refused(self, ref: str | None, code: str, message: str) -> None:
        wish = self.wishes.get(ref or "")
        if wish is None:
            self._claim(ref is None and code in ("not_found", "not_cancellable", "bad_frame"), f"{code}: {message}")
        elif code not in LATER:  # else it is asked again, as it is without an answer
            fair = code == "quota_exceeded" or (isinstance(wish.order, Act) and code in ("bad_prompt", "not_found"))
            self._claim(fair, f"{wish.order.ref} is refused: {code}: {message}")
            self._claim(wish.job is None, f"{wish.order.ref} was accepted as {wish.job} and refused: {code}")
            wish.refused = code

    # --- wanting ---

    async def want(self) -> None:
        """Wishes for this and that, as long as there are wishes and the storm lasts."""
        for number in range(self.wants):
            await asyncio.sleep(self.dice.expovariate(1 / 4.0))
            if self.house.over:
                return
            order = self._act(number) if self.ends and self.dice.random() < 0.35 else None
            wish = Wish(order or self._draw(number), by_http=self.dice.random() < 0.25)
            self.wishes[wish.order.ref] = wish
            self._begin(self._order(wish))
            if self.dice.random() < 0.15:
                self._begin(self._cancel_something())
            if self.dice.random() < 0.2:
                self._begin(self._look_around())

    def _draw(self, number: int) -> Draw:
        kind = "shorten" if self.dice.random() < 0.1 else "imagine"
        return Draw(f"{self.name}/{number}", self.dice.choice(PROMPTS), self.dice.choice(self.modes), kind)  # type: ignore[arg-type]

    def _act(self, number: int) -> Act | None:
        done = [frame for frame in self.ends.values() if isinstance(frame, Done) and frame.actions]
        if not done:
            return None
        frame = self.dice.choice(done)
        chosen = self.dice.choice(frame.actions)
        prompt = "wider" if chosen.action == "custom_zoom" else None
        return Act(f"{self.name}/{number}", frame.job, chosen.action, chosen.index, prompt)

    async def _order(self, wish: Wish) -> None:
        while wish.is_open:
            if not wish.by_http:
                if self.live:
                    self._say(wish.order)  # else it is said after the next `resumed`
                await asyncio.sleep(ANSWER_S_MAX)
                continue
            answer = await self.ask(PlaceJob(wish.order))
            if isinstance(answer, JobShown):
                self._accepted(wish.order.ref, answer.job.job)
            elif isinstance(answer, Refusal):
                self._refused(wish.order.ref, answer.code, answer.message)
                await asyncio.sleep(self.dice.uniform(*LATER_S))
            else:
                await asyncio.sleep(self.dice.uniform(*AGAIN_S))

    async def _cancel_something(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.0, 10.0))
        jobs = [wish.job for wish in self.wishes.values() if wish.job is not None and wish.job not in self.ends]
        if not jobs:
            return
        job = self.dice.choice(jobs)
        if self.live and self.dice.random() < 0.5:
            self._say(Cancel(job))
        else:
            answer = await self.ask(CancelJob(job))
            fair = isinstance(answer, JobShown) or (isinstance(answer, Refusal) and answer.code == "not_cancellable")
            self._claim(answer is None or fair, f"cancel of {job}: {answer}")

    async def _look_around(self) -> None:
        """Questions that change nothing."""
        page = await self.ask(ShowJobs(None, 50, None))
        for job in getattr(page, "jobs", ()):
            self._claim(self.house.owners.setdefault(job.job, self.name) == self.name, f"{job.job} is shown to all")
        await self.ask(ShowMe())
        strangers = [job for job, owner in self.house.owners.items() if owner != self.name]
        if strangers:
            answer = await self.ask(ShowImage(f"i{self.dice.choice(strangers)}-1-1"))
            self._claim(not isinstance(answer, ImageShown), "a picture was shown to a stranger")

    async def _look_at(self, done: Done) -> None:
        """Is the picture that of the job?"""
        for picture in done.images:
            answer: Any = None
            while not isinstance(answer, ImageShown):
                await asyncio.sleep(self.dice.uniform(*AGAIN_S))
                answer = await self.ask(ShowImage(picture.id))
                self._claim(getattr(answer, "code", "") != "not_found", f"{picture.id} is not there")
            self.house.witness.picture(done.job, nonce_in(answer.data))

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

    # --- small things ---

    def _begin(self, coroutine: Any) -> None:
        task = self.house.loop.create_task(coroutine)
        self.checks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.checks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.house.witness.broken(f"{self.name} broke: {task.exception()!r}")

    def _claim(self, holds: bool, otherwise: str) -> None:
        self.house.witness.claim(holds, f"{self.name}: {otherwise}")
