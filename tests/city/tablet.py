"""Tablets: a user's second screen. It comes, asks for what it missed since anywhere, listens for a while, and goes.

It keeps no ledger, so it can be exact: what a `resume` is answered with, what a slow reader misses, and how the door
treats gibberish, chatter, strangers and one socket too many.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from protocol.client import (
    TERMINAL_FRAMES,
    Accepted,
    Error,
    Ping,
    Pong,
    Progress,
    Reset,
    Resume,
    Resumed,
    Started,
    Welcome,
)
from protocol.frames import CLOSE_BAD_FRAMES, CLOSE_UNAUTHENTICATED
from tests.city.phone import TOO_MANY, Phone

if TYPE_CHECKING:
    from tests.city.citizens import Citizen

STORED = (Accepted, Started, *TERMINAL_FRAMES)
FIRST_S_MAX = 12.0
LISTENS_S = (1.0, 20.0)
STALLS_S = (1.0, 50.0)
ANSWERED_S_MAX = 3.0
BEYOND = 1000
BAD_FRAMES_MAX = 10
CHATTER = 5
GIBBERISH = (b"", b"{", b"[1,2]", b'{"type":"paint"}', b'{"type":"draw"}', b"\x01type")
LIVE, REPLAY = "live", "replay"


class Visit:
    """One connection of a tablet. `after` is where it resumes from, None as long as it has not."""

    def __init__(self, citizen: Citizen, dice: random.Random) -> None:
        self.citizen, self.house, self.dice = citizen, citizen.house, dice
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: dict[int, Any] = {}
        self.ended: set[str] = set()
        self.after: int | None = None
        self.welcomed_at = 0
        #: Where it may be: (live or in a replay, the seq that must come next). A replay may begin any time.
        self.places: set[tuple[str, int]] = set()
        self.answers: list[str] = []

    async def pay(self) -> None:
        """From the call to the end."""
        house, citizen = self.house, self.citizen
        strange = self.dice.random() < 0.1
        key = self.dice.choice((None, "no such key")) if strange else citizen.key
        since = house.loop.time()
        phone = house.call(self.dice, citizen.name, key, self.dice.random() < 0.3, self.inbox.put_nowait)
        if phone is None:
            return
        first = await self._next(FIRST_S_MAX)
        most = house.config.limits.sockets_per_ip
        if phone.refused is not None or first is not None:
            is_too_many = phone.crowd > most
            self._claim(is_too_many == (phone.refused == TOO_MANY), f"{phone.refused} with {phone.crowd} of {most}")
        if phone.refused == TOO_MANY:
            house.visited("too many sockets of an address")
        elif isinstance(first, Error) and first.code == "rate_limited":
            most = house.config.limits.sockets_per_user
            others = house.count_since(citizen.name, since) - 1
            self._claim(others >= most, f"{others} other sockets are too many, {most} are allowed")
            house.visited("too many sockets of a user")
        elif isinstance(first, Error) and first.code == "draining":
            house.visited("a key cannot be looked up")
        elif strange:
            await self._is_turned_away(phone, first)
        elif first is not None:
            self._claim(isinstance(first, Welcome), f"the first frame is {first}")
            await self._listen(phone, first)
        phone.cut() if self.dice.random() < 0.5 else phone.hang_up()

    async def _is_turned_away(self, phone: Phone, first: Any) -> None:
        fair = first is None or (isinstance(first, Error) and first.code == "unauthenticated")
        self._claim(fair, f"a stranger hears {first}")
        if first is not None and await self._next(ANSWERED_S_MAX) is None and phone.close_code is not None:
            self._claim(phone.close_code == CLOSE_UNAUTHENTICATED, f"a stranger is closed {phone.close_code}")
            self.house.visited("stranger turned away")

    # --- listening ---

    async def _listen(self, phone: Phone, welcome: Welcome) -> None:
        house = self.house
        live, most = house.count_live(self.citizen.name), house.config.limits.sockets_per_user
        self._claim(live <= most, f"{live} sockets, {most} are allowed")
        self.welcomed_at = welcome.seq
        self.places = {(LIVE, welcome.seq + 1)}
        if self.dice.random() < 0.85:
            beyond = self.dice.random() < 0.1
            self._resume(phone, welcome.seq + BEYOND if beyond else self.dice.randint(0, welcome.seq))
        if self.dice.random() < 0.4:
            phone.stall(self.dice.uniform(*STALLS_S))
        until = house.loop.time() + self.dice.uniform(*LISTENS_S)
        if self.dice.random() < 0.15:
            await self._talk_gibberish(phone)
        if self.dice.random() < 0.15:
            await self._chatter(phone)
        while not phone.reads or house.loop.time() < until:
            frame = await self._next(1.0 if phone.reads else STALLS_S[1])
            if frame is None and not phone.open:
                house.visited(f"tablet closed {phone.close_code} {phone.close_reason}".strip())
                break
        if phone.too_slow:
            house.visited("too slow")
        self._claim(not phone.pipe.overrun, "more was written than the wire takes")
        self._compare()

    def _resume(self, phone: Phone, after: int) -> None:
        self.after = after
        self.places.add((REPLAY, after + 1))
        phone.say(Resume(after))

    async def _next(self, seconds: float) -> Any:
        """The next frame, None when none came in time or ever will."""
        try:
            async with asyncio.timeout(seconds):
                frame = await self.inbox.get()
        except TimeoutError:
            return None
        self._hear(frame)
        return frame

    def _hear(self, frame: Any) -> None:
        if isinstance(frame, STORED):
            self._event(frame)
        elif isinstance(frame, Resumed):
            self._claim((REPLAY, frame.seq + 1) in self.places, f"resumed({frame.seq}) where {self.places} was awaited")
            self.places, self.after = {(LIVE, frame.seq + 1)}, None
            self.house.visited("resumed from anywhere")
        elif isinstance(frame, Reset):
            self._claim((self.after or 0) > self.welcomed_at, f"reset({frame.seq}) to a resume after {self.after}")
            self.places, self.after = {(LIVE, frame.seq + 1)}, None
            self.house.visited("reset")
        elif isinstance(frame, Progress):
            self._claim(frame.job not in self.ended, f"{frame.job} goes on after its end")
        elif isinstance(frame, Error):
            self.answers.append(frame.code)
        elif isinstance(frame, Pong):
            self.answers.append("pong")

    def _event(self, frame: Any) -> None:
        seq = frame.seq
        # A replay begins at its own moment, whatever was heard live before it.
        awaited = self.places | ({(REPLAY, self.after + 1)} if self.after is not None else set())
        self.places = {(way, at + 1) for way, at in awaited if at == seq}
        self._claim(bool(self.places), f"event {seq} comes where {awaited} was awaited")
        self.heard[seq] = frame
        if isinstance(frame, TERMINAL_FRAMES):
            self.ended.add(frame.job)
        if self.after is not None:
            self.places |= {(REPLAY, self.after + 1)}

    def _compare(self) -> None:
        stored = self.house.witness.stored_events(self.citizen.name) if self.heard else {}
        for seq, frame in self.heard.items():
            self._claim(stored.get(seq) == frame, f"event {seq} is {frame}, stored is {stored.get(seq)}")

    # --- manners ---

    async def _talk_gibberish(self, phone: Phone) -> None:
        count = self.dice.choice((3, BAD_FRAMES_MAX - 1, BAD_FRAMES_MAX, BAD_FRAMES_MAX + 2))
        self.answers.clear()
        for _ in range(count):
            phone.say_bytes(self.dice.choice(GIBBERISH))
            await asyncio.sleep(0.05)
        phone.say(Ping())
        await self._answered(phone, lambda: "pong" in self.answers)
        if count < BAD_FRAMES_MAX:
            self._claim(phone.close_code != CLOSE_BAD_FRAMES, f"closed for {count} bad frames")
        elif phone.reads:
            self._claim("pong" not in self.answers, f"{count} bad frames, and it lives")
            self.house.visited("too many bad frames" if phone.close_code == CLOSE_BAD_FRAMES else "cut while talking")

    async def _chatter(self, phone: Phone) -> None:
        limit = self.house.config.limits.frames_per_min
        said = limit + CHATTER
        if limit > 30 or not phone.open:
            return
        self.answers.clear()
        for _ in range(said):
            phone.say(Ping())
        await self._answered(phone, lambda: len(self.answers) >= said)
        pongs = self.answers.count("pong")
        self._claim(pongs <= limit + 1, f"{pongs} frames a minute, {limit} are allowed")
        if len(self.answers) == said:
            self.house.visited("too many frames")

    async def _answered(self, phone: Phone, is_enough: Any) -> None:
        until = self.house.loop.time() + ANSWERED_S_MAX
        while phone.open and not is_enough() and self.house.loop.time() < until:
            await self._next(1.0)

    def _claim(self, holds: bool, otherwise: str) -> None:
        self.house.witness.claim(holds, f"{self.citizen.name}'s tablet: {otherwise}")
