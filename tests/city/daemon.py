"""The daemon of the town: processes that start, stop and are killed, and the doors and lines into the one that runs."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from actors.process import Process
from actors.queue.messages import Drain
from actors.root import Root
from actors.shell import Killed, Start
from actors.supervisor import Shutdown, TooManyRestarts
from core.config import Config
from protocol.frames import CLOSE_RESTARTING
from storage.pictures import Pictures
from system.loop_base import LoopBase, run_on
from tests.city.clock import CityLoop, SlowThread
from tests.city.discord import Discord
from tests.city.ground import RoomyHost
from tests.city.mischief import Struck
from tests.city.phone import OUTBOX_BYTES, CityDesk, CitySwitchboard, Hear, Phone

START_S = 2.0
#: A connection that is over is remembered for this long.
REMEMBERED_S = 30.0
#: CONTRACT §1: SIGTERM ends it within 10 s.
STOP_S_MAX = 10.0


class Daemon(ABC):
    """What of a Town is the daemon's. Town makes what it stands on."""

    loop: CityLoop
    config: Config
    url: str
    discord: Discord
    pictures: Pictures

    def __init__(self) -> None:
        self.is_up = False
        self.lives = 0
        #: When a process or an actor was last made anew (loop s).
        self.died_at = 0.0
        self.phones: dict[Phone, None] = {}

    @abstractmethod
    def note(self, text: str) -> None:
        """Writes it into the log."""

    @abstractmethod
    def break_off(self, what: str) -> None:
        """Something does not hold."""

    @abstractmethod
    def dice(self, name: str) -> random.Random:
        """Dice of their own for each part."""

    # --- its lives ---

    def start_process(self) -> None:
        """A new process on the same database, image store and Discord."""
        self.lives += 1
        self.died_at = self.loop.time()
        self.note(f"process {self.lives} starts")
        self.process = Process(self.config, Path("."), self.discord, self.pictures, SlowThread(), database=self.url)
        self.process.host = RoomyHost()
        dice = self.dice(f"process {self.lives}")
        self.base: LoopBase = run_on(self.loop, strict=True, process=self.process, rng=dice)
        self.base.crash = self._crashed  # type: ignore[method-assign]
        desk = CityDesk(self.process, self._teller(self.base), self.lives)
        self.switchboard = CitySwitchboard(desk, dice.choice(OUTBOX_BYTES))
        self.switchboard.start()
        self.base.create(Root, "root")
        self.base.tell("root", Start("root"))
        self.is_up = True
        self.discord.gateway.forgive(None)
        self.loop.create_task(self._start_again_after(self.base))

    def _teller(self, base: LoopBase) -> Any:
        def tell(to: str, message: Any) -> None:
            if not base.stopped:
                base.tell(to, message)

        return tell

    async def _start_again_after(self, base: LoopBase) -> None:
        """As systemd does when the root actor gives up."""
        await base.ended("root")
        if self.is_up and base is self.base:
            self.note("the root gave up")
            self.kill_process()
            await asyncio.sleep(START_S)
            self.start_process()

    def _crashed(self, record: Any, error: BaseException, during: object | None) -> None:
        """Crashes that nobody made are what we are looking for."""
        self.note(f"{record.label} crashed: {type(error).__name__}")
        if not isinstance(error, Killed | Struck | TooManyRestarts):
            self.break_off(f"{record.label} crashed by itself at {type(during).__name__}: {error!r}")
        self.died_at = self.loop.time()
        self.discord.gateway.forgive(None)
        LoopBase.crash(self.base, record, error, during)

    def kill_process(self) -> None:
        """kill -9: nobody stops in order, nothing more is said, every line is cut."""
        self.note("process killed")
        self.is_up = False
        self.loop.kill_threads()
        base = self.base
        base.stopped = True
        for record in list(base.actorRegistry.values()):
            base.end(record, None)
        base.fifo.clear()
        base.timers.close()
        self._end_of_process()

    async def stop_process(self) -> None:
        """SIGTERM, in the order of runtime.py: nobody is lost on the way."""
        self.note("process stops")
        base, began = self.base, self.loop.time()
        base.tell("gate", Drain())
        base.tell("queue", Drain())
        await asyncio.sleep(0.2)
        self.switchboard.close_all(CLOSE_RESTARTING, "the service is stopping")
        await asyncio.sleep(0.2)
        self.is_up = False
        base.tell("root", Shutdown())
        await asyncio.wait([self.loop.create_task(self._end_of_root(base))], timeout=4.5)
        await base.stop(1.0)
        if self.loop.time() - began > STOP_S_MAX:
            self.break_off(f"it took {self.loop.time() - began:.1f} s to stop")
        self.loop.join_threads()
        self._end_of_process()

    def _end_of_process(self) -> None:
        """What the system does: it closes what the process had open."""
        self.switchboard.stop()
        for wire in list(self.discord.gateway.live):
            wire.cut()
        for phone in list(self.phones):
            phone.lose()
        self.phones.clear()
        for door in list(self.process.sockets.values()):
            if hasattr(door, "cut"):
                door.cut()
        self.process.sockets.clear()

    async def _end_of_root(self, base: LoopBase) -> None:
        if "root" in base.names:
            await base.ended("root")

    def actor(self, name: str) -> Any:
        """The living actor of this name, None when there is none."""
        record = self.base.names.get(name) if self.is_up else None
        return record.instance if record is not None else None

    # --- what citizens need ---

    def tell_gate(self, message: Any) -> None:
        """An HTTP request's question."""
        if self.is_up:
            self.base.tell("gate", message)

    def open_door(self, socket: str, door: Any) -> None:
        """The door of an HTTP request."""
        if self.is_up:
            self.process.sockets[socket] = door

    def shut_door(self, socket: str) -> None:
        """The request is over."""
        self.process.sockets.pop(socket, None)

    def call(self, dice: random.Random, user: str, key: str | None, key_in_frame: bool, hear: Hear) -> Phone | None:
        """A WebSocket; None when nobody listens."""
        if not self.is_up:
            return None
        for phone in [phone for phone in self.phones if phone.ended_at < self.loop.time() - REMEMBERED_S]:
            del self.phones[phone]
        phone = Phone(self.loop, dice, self.switchboard, user, key, key_in_frame, hear, self._crowd)
        self.phones[phone] = None
        return phone

    def _crowd(self) -> int:
        return sum(phone.crowd > 0 and not phone.pipe.ended for phone in self.phones)

    def count_live(self, user: str) -> int:
        """The open connections of a user whose key the daemon knows to be good."""
        return sum(phone.user == user and phone.is_live for phone in self.phones)

    def count_since(self, user: str, since: float) -> int:
        """How many connections a user has had since then, for however short a while."""
        return sum(phone.user == user and phone.ended_at >= since for phone in self.phones)
