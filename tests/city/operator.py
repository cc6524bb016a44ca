"""The operator: gives suspended accounts work again, looks whether the daemon says how it is, and lets newcomers in."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import msgspec

from actors.account.messages import Reinstate
from actors.gate import Asked
from protocol.api import Instruct, Instructed, ReadyShown, Refusal, ShowReady
from tests.city.phone import REMOTE

if TYPE_CHECKING:
    from tests.city.town import Town

LOOKS_EACH_S = 8.0
ANSWER_S_MAX = 15.0
AGAIN_S = 3.0
#: Trouble that has lasted this long is known to the daemon, if nobody who should know was started meanwhile.
KNOWN_AFTER_S = 15.0
#: How long a close is under way at most.
TOLD_S = 1.0
KEY = "the operator's key"
CREATED = 201


class Operator:
    """One a city."""

    def __init__(self, town: Town, dice: random.Random) -> None:
        self.town, self.dice = town, dice
        self._requests = itertools.count(1)

    async def work(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOKS_EACH_S)
            for resident in self.town.discord.residents:
                self._look_at(resident.name)
            await self._ask_how_it_is()

    def _look_at(self, account: str) -> None:
        actor = self.town.actor(f"account/{account}")
        if actor is None or actor.suspended is None:
            return
        code, at = self.town.discord.gateway.turned_away.get(account, (0, float("inf")))
        if self.town.loop.time() - at >= TOLD_S:
            says_so = any(word in actor.suspended for word in (str(code), "401"))
            self.town.witness.claim(says_so, f"{account}, closed {code}, says {actor.suspended}")
            self.town.visited(f"suspended for {code}")
        self.town.note(f"reinstated {account}: {actor.suspended}")
        self.town.discord.gateway.forgive(account)
        self.town.base.tell(f"account/{account}", Reinstate(account))

    # --- readyz ---

    async def _ask_how_it_is(self) -> None:
        since, troubled = self.town.loop.time(), self._trouble()
        answer = await self.ask(ShowReady(), None)
        if not isinstance(answer, ReadyShown):
            return
        self.town.visited(f"readyz {', '.join(answer.reasons)}".strip())
        is_same = troubled is not None and self._trouble() == troubled and self._quiet_since() < since - KNOWN_AFTER_S
        if is_same:
            self.town.witness.claim(troubled in answer.reasons, f"readyz says {answer.reasons} in spite of {troubled}")

    async def is_ready(self) -> bool:
        """Whether readyz says so."""
        answer = await self.ask(ShowReady(), None)
        return isinstance(answer, ReadyShown) and answer.ready

    def _trouble(self) -> str | None:
        """The reason that readyz should give; None: it need not yet."""
        trouble = self.town.loop.trouble
        if trouble is None or trouble.told_at is None or self.town.loop.time() - trouble.told_at < KNOWN_AFTER_S:
            return None
        return f"store_{trouble.code}"

    def _quiet_since(self) -> float:
        """When somebody of ours died last."""
        return self.town.died_at

    # --- newcomers ---

    async def let_in(self, name: str, plan: str) -> str:
        """A new user's key."""
        while True:
            instruct = Instruct("users", None, "add", {"name": name, "plan": plan})
            answer = await self.ask(instruct, KEY)
            if isinstance(answer, Instructed) and answer.status == CREATED:
                key: str = msgspec.json.decode(answer.body)["key"]
                return key
            if isinstance(answer, Instructed | Refusal):  # said twice, its first answer lost: take another name
                self.town.note(f"{name} cannot be let in: {answer}")
                name += "'"
            await asyncio.sleep(AGAIN_S)

    async def ask(self, question: Any, key: str | None) -> Any:
        """One HTTP request; None when no answer came."""
        town, socket = self.town, f"operator-{next(self._requests)}"
        answered: asyncio.Future[Any] = town.loop.create_future()
        town.open_door(socket, _Ear(answered))
        town.tell_gate(Asked(socket, REMOTE, key, question))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await answered
        except TimeoutError:
            return None
        finally:
            town.shut_door(socket)


class _Ear:
    """A Door that takes the first word."""

    def __init__(self, answered: asyncio.Future[Any]) -> None:
        self.answered = answered

    def send(self, words: Any) -> None:
        if not self.answered.done():
            self.answered.set_result(words)

    def close(self, code: int, reason: str) -> None:
        self.send(None)

    def cut(self) -> None:
        """The daemon is gone."""
        self.send(None)
