"""The mischief maker: kills actors, in the middle of what they do too, and processes; cuts lines; sets clocks back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.shell import Kill
from tests.city.clock import Trouble
from tests.city.gateway import DISALLOWED_INTENTS, INVALID_TOKEN

if TYPE_CHECKING:
    from tests.city.town import Town

CLOSE_CODES = (1000, 1001, 1006, 1011, 4000, 4001, 4002, 4003, 4005, 4007, 4008, 4009)
HOUR_S = 3600.0
STALL_S = (1.0, 60.0)
AFTER_MIDNIGHT_S = (5.0, 30.0)
LOCKED_S = (5.0, 25.0)
TROUBLED_S = (2.0, 45.0)
TROUBLES = ("full", "locked", "unavailable")
#: Within a turn an actor says a few things: it dies before one of them.
WORDS_MAX = 3


class Struck(RuntimeError):
    """A fault that the mischief maker has made."""


class Mischief:
    """One a city."""

    def __init__(self, town: Town, dice: random.Random) -> None:
        self.town, self.dice = town, dice
        self.deeds: dict[Callable[[], Any], int] = {
            self.kill_an_actor: 6,
            self.strike_an_actor: 6,
            self.cut_a_wire: 3,
            self.close_a_wire: 3,
            self.ask_to_reconnect: 2,
            self.invalidate: 2,
            self.cut_a_citizen: 3,
            self.stall_a_citizen: 2,
            self.renew_commands: 1,
            self.kill_the_process: 2,
            self.restart_in_order: 1,
            self.set_the_clock: 1,
            self.trouble_the_store: 1,
            self.lock_an_account: 1,
        }

    async def work(self) -> None:
        """One deed after the other until the storm is over."""
        while True:
            await asyncio.sleep(self.dice.expovariate(1.0 / self.town.weather.mischief_each_s))
            if self.town.over:
                return
            deed = self.dice.choices(list(self.deeds), list(self.deeds.values()))[0]
            self.town.note(f"mischief: {deed.__name__}")
            done = deed()
            if asyncio.iscoroutine(done):
                await done

    # --- actors ---

    def _anyone(self) -> str | None:
        names = sorted(name for name in self.town.base.names if name != "root") if self.town.is_up else []
        return self.dice.choice(names) if names else None

    def kill_an_actor(self) -> None:
        """Between two messages."""
        if (name := self._anyone()) is not None:
            self.town.note(f"kill {name}")
            self.town.base.tell(name, Kill("mischief"))

    def strike_an_actor(self) -> None:
        """In the middle of a handler: some of what it had to say is said, the rest never."""
        if (name := self._anyone()) is None:
            return
        actor, words = self.town.actor(name), self.dice.randint(0, WORDS_MAX)
        self.town.note(f"strike {name} after {words}")
        say = actor.tell

        def tell(to: str, message: Any) -> None:
            nonlocal words
            words -= 1
            if words < 0:
                raise Struck(f"struck before {type(message).__name__}")
            say(to, message)

        actor.tell = tell

    # --- lines ---

    def cut_a_wire(self) -> None:
        if (wire := self.town.discord.gateway.wire_of(self.dice)) is not None:
            wire.cut()

    def close_a_wire(self) -> None:
        if (wire := self.town.discord.gateway.wire_of(self.dice)) is not None:
            wire.shut(self.dice.choice(CLOSE_CODES))

    def ask_to_reconnect(self) -> None:
        if (wire := self.town.discord.gateway.wire_of(self.dice)) is not None:
            self.town.discord.gateway.ask_to_reconnect(wire)

    def invalidate(self) -> None:
        if (wire := self.town.discord.gateway.wire_of(self.dice)) is not None:
            self.town.discord.gateway.invalidate(wire, can_resume=self.dice.random() < 0.5)

    def cut_a_citizen(self) -> None:
        self.dice.choice(self.town.citizens).hang_up()

    def stall_a_citizen(self) -> None:
        self.dice.choice(self.town.citizens).stall(self.dice.uniform(*STALL_S))

    def renew_commands(self) -> None:
        """What the daemon knows of them is stale."""
        self.town.discord.version += 1

    def lock_an_account(self) -> None:
        """Discord does not let it in for a while: its token is invalid, or its intents are disallowed."""
        gateway, loop = self.town.discord.gateway, self.town.loop
        resident = self.dice.choice(self.town.discord.residents)
        gateway.locked[resident.name] = self.dice.choice((INVALID_TOKEN, DISALLOWED_INTENTS))
        loop.call_later(self.dice.uniform(*LOCKED_S), gateway.locked.pop, resident.name, None)
        for wire in [wire for wire in gateway.live if wire.session and wire.session.account == resident.name]:
            gateway.invalidate(wire, can_resume=self.dice.random() < 0.5)

    # --- the process ---

    async def kill_the_process(self) -> None:
        """kill -9, and somebody starts it again."""
        self.town.kill_process()
        await asyncio.sleep(self.dice.uniform(0.1, 8.0))
        self.town.start_process()

    async def restart_in_order(self) -> None:
        """SIGTERM."""
        await self.town.stop_process()
        await asyncio.sleep(self.dice.uniform(0.1, 3.0))
        self.town.start_process()

    async def play_with_midnight(self, at: float) -> None:
        """Soon after a plan's midnight (loop s), the clock is set back over it."""
        await asyncio.sleep(at + self.dice.uniform(*AFTER_MIDNIGHT_S))
        if not self.town.over and not self.town.loop.set_back_s:
            self.town.visited("back over midnight")
            self.set_the_clock()

    def set_the_clock(self) -> None:
        """The host's clock is set back an hour, or right again."""
        self.town.loop.set_back_s = 0.0 if self.town.loop.set_back_s else HOUR_S

    def trouble_the_store(self) -> None:
        """The disk is full, another process holds the database, or it is gone: for some seconds."""
        loop = self.town.loop
        loop.trouble_until = loop.time() + self.dice.uniform(*TROUBLED_S)
        loop.trouble = Trouble(self.dice.choice(TROUBLES))
        self.town.visited(f"store {loop.trouble.code}")
        loop.call_at(loop.trouble_until, loop.end_trouble)
