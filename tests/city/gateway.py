"""The gateway of the city's Discord: sessions with numbered events, and wires that walk along them.

By the documents: HELLO, IDENTIFY or RESUME, READY or the missed events and RESUMED; heartbeats are answered; a session
outlives its wire unless the client closed it with 1000 or 1001. A wire keeps order and is late; cut, it loses what was
under way.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from system.links import LinkBroken, WireClosed

if TYPE_CHECKING:
    from tests.city.discord import Discord

URL = "ws://gateway.city"
RESUME_URL = "ws://resume.city"
HEARTBEAT_MS = 20_000
LATENCY_S = (0.005, 0.08)
CONNECT_S = (0.02, 0.5)
RECONNECT_CLOSE_S = 5.0
#: A session without a wire is kept this long.
SESSION_KEPT_S = 180.0
EVENTS_KEPT_MAX = 2000
#: Two things sent one after the other arrive one after the other.
ORDER_S = 1e-6
INVALID_TOKEN, DISALLOWED_INTENTS = 4004, 4014


@dataclass(eq=False)
class Session:
    """What one account's client has been told, and may have missed. `left_at`: since when it has no wire."""

    id: str
    account: str
    seq: int = 0
    events: deque[tuple[int, str, Any]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT_MAX))
    wire: CityWire | None = None
    left_at: float = 0.0


class CityWire:
    """One WebSocket, both ends of it; `receive`, `send`, `close` and `drop` are the client's (system.links.Wire)."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        self.gateway, self.number = gateway, number
        self.loop = gateway.discord.loop
        self.inbox: deque[str | WireClosed] = deque()
        self._wanted: asyncio.Future[None] | None = None
        self.session: Session | None = None
        self.open = True
        self._down_at = self._up_at = 0.0
        self.tell(10, {"heartbeat_interval": gateway.heartbeat_ms})

    # --- the client's end ---

    async def receive(self) -> str | bytes:
        while not self.inbox:
            self._wanted = self.loop.create_future()
            await self._wanted
        if isinstance(found := self.inbox[0], WireClosed):
            raise found
        self.inbox.popleft()
        return found

    def send(self, text: str) -> None:
        if self.open:
            self._up_at = self._later(self._up_at)
            self.loop.call_at(self._up_at, self.gateway.judge, self, text)

    def close(self, code: int) -> None:
        if self.open:
            self._end(code, WireClosed(code))

    def drop(self) -> None:
        if self.open:
            self._end(None, WireClosed(None))

    # --- the server's end ---

    def tell(self, op: int, data: Any = None, seq: int | None = None, name: str | None = None) -> None:
        """A frame, on its way."""
        self._down(msgspec.json.encode({"op": op, "d": data, "s": seq, "t": name}).decode())

    def shut(self, code: int) -> None:
        """Close with this code, after what was said before."""
        if self.open:
            self._down(WireClosed(code))
            self.gateway.part(self, code)

    def cut(self) -> None:
        """Gone, with all that is on its way."""
        if self.open:
            self._end(None, WireClosed(None))

    def _down(self, item: str | WireClosed) -> None:
        self._down_at = self._later(self._down_at)
        self.loop.call_at(self._down_at, self._arrive, item)

    def _arrive(self, item: str | WireClosed) -> None:
        if self.open:
            self.open = not isinstance(item, WireClosed)
            self._put(item)

    def _end(self, code: int | None, how: WireClosed) -> None:
        self.open = False
        self._put(how)
        self.gateway.part(self, code)

    def _put(self, item: str | WireClosed) -> None:
        self.inbox.append(item)
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)

    def _later(self, after: float) -> float:
        return max(after + ORDER_S, self.loop.time() + self.gateway.dice.uniform(*LATENCY_S))


class Gateway:
    """All sessions."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.dice = discord.dice
        self.weather = discord.weather
        self.heartbeat_ms = HEARTBEAT_MS
        self.sessions: dict[str, Session] = {}
        self.sessions_of: defaultdict[str, list[Session]] = defaultdict(list)
        self.wires = 0
        #: Accounts that Discord does not let in, by the code that says why.
        self.locked: dict[str, int] = {}
        #: Those whose line was closed for good (code, when), until somebody who may not know of it is there.
        self.turned_away: dict[str, tuple[int, float]] = {}
        self.broken: Callable[[str], None] = lambda what: None
        #: Wires that have seen op 7 and will be closed.
        self.live: dict[CityWire, None] = {}

    async def connect(self, url: str) -> CityWire:
        """A client's new WebSocket. Raises LinkBroken."""
        await asyncio.sleep(self.dice.uniform(*CONNECT_S))
        if self.weather.strikes("connect_refused"):
            raise LinkBroken("ConnectionRefusedError", False)
        self.wires += 1
        wire = CityWire(self, self.wires)
        self.live[wire] = None
        self.discord.note(f"wire {wire.number} to {url.partition('?')[0]}")
        return wire

    def judge(self, wire: CityWire, text: str) -> None:
        """What the client says."""
        if wire not in self.live:
            return
        payload = msgspec.json.decode(text)
        if payload["op"] == 1:
            if not self.weather.strikes("no_ack"):
                wire.tell(11)
        elif payload["op"] == 2:
            self._identify(wire, payload["d"])
        elif payload["op"] == 6:
            self._resume(wire, payload["d"])
        else:
            wire.shut(4001)

    def _identify(self, wire: CityWire, told: dict[str, Any]) -> None:
        account = self.discord.account_of(told["token"])
        if account is None:
            wire.shut(4004)
            return
        if self._is_turned_away(wire, account.name):
            return
        session = Session(self.dice.randbytes(8).hex(), account.name, wire=wire)
        self.sessions[session.id] = wire.session = session
        self.sessions_of[account.name].append(session)
        self.discord.note(f"session {session.id} of {account.name} on wire {wire.number}")
        user = {"id": account.user_id, "username": account.name}
        self._say(session, "READY", {"session_id": session.id, "resume_gateway_url": RESUME_URL, "user": user})
        session.events.clear()

    def _resume(self, wire: CityWire, told: dict[str, Any]) -> None:
        session = self.sessions.get(told["session_id"])
        if session is not None and self.locked.get(session.account) == INVALID_TOKEN:
            self._is_turned_away(wire, session.account)
            return
        if self.weather.strikes("resume_cut"):
            wire.cut()
            return
        if session is None or self._is_stale(session, told["seq"]) or self.weather.strikes("resume_refused"):
            self._forget(session)
            wire.tell(9, False)
            return
        if told["seq"] > session.seq:
            wire.shut(4007)
            return
        if session.wire is not None:
            session.wire.shut(4000)
        session.wire, wire.session = wire, session
        self.discord.note(f"resume {session.id} after {told['seq']} of {session.seq} on wire {wire.number}")
        for seq, name, data in session.events:
            if seq > told["seq"]:
                wire.tell(0, data, seq, name)
        self._say(session, "RESUMED", {})
        session.events.pop()

    def _is_turned_away(self, wire: CityWire, account: str) -> bool:
        """Closes the line of an account that is locked out; who was told so must not knock again."""
        if account in self.turned_away:
            self.broken(f"{account} knocks again after {self.turned_away[account]}")
        code = self.locked.get(account)
        if code is not None:
            self.turned_away[account] = (code, self._now())
            wire.shut(code)
        return code is not None

    def publish(self, account: str, name: str, data: dict[str, Any]) -> None:
        """An event for every session of an account."""
        for session in self.sessions_of[account]:
            self._say(session, name, data)

    def _say(self, session: Session, name: str, data: dict[str, Any]) -> None:
        session.seq += 1
        session.events.append((session.seq, name, data))
        if session.wire is not None:
            session.wire.tell(0, data, session.seq, name)

    def part(self, wire: CityWire, code: int | None) -> None:
        """A wire has ended; with 1000 and 1001, and with some codes of the server's, so has its session."""
        self.live.pop(wire, None)
        session = wire.session
        if session is None or session.wire is not wire:
            return
        session.wire, session.left_at = None, self._now()
        if code in (1000, 1001, 4004, 4007, 4009):
            self._forget(session)

    def _forget(self, session: Session | None) -> None:
        if session is not None and self.sessions.pop(session.id, None) is not None:
            self.sessions_of[session.account].remove(session)

    def _is_stale(self, session: Session, seq: int) -> bool:
        """Whether it was left too long ago, or too much has happened since `seq`."""
        left = session.wire is None and self._now() - session.left_at > SESSION_KEPT_S
        return left or session.seq - seq > EVENTS_KEPT_MAX

    def forgive(self, account: str | None) -> None:
        """Somebody who may not know of it is there now (None: of any account): it may knock again."""
        for name in list(self.turned_away) if account is None else [account]:
            self.turned_away.pop(name, None)

    # --- mischief ---

    def wire_of(self, dice: Any) -> CityWire | None:
        """Any one that has a session."""
        wires = [wire for wire in self.live if wire.session is not None]
        return dice.choice(wires) if wires else None

    def ask_to_reconnect(self, wire: CityWire) -> None:
        """Op 7, and a close soon after."""
        wire.tell(7)
        self.discord.loop.call_later(RECONNECT_CLOSE_S, wire.shut, 4000)

    def invalidate(self, wire: CityWire, can_resume: bool) -> None:
        """Op 9."""
        if not can_resume and wire.session is not None:
            self._forget(wire.session)
            wire.session = None
        wire.tell(9, can_resume)

    def _now(self) -> float:
        return self.discord.loop.time()
