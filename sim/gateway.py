"""Gateway: one websocket connection, by Discord's documents (GW, GE, OP in facts/discord.md).

The reader judges what the client sends; the writer alone sends, first what is in its tray (HELLO, ACK, op 7, op 9,
a close), then the next event of the session it walks along. One writer keeps the zlib stream whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from sim.faults import Faults
from sim.identity import Account
from sim.press import PRESSES
from sim.pulse import Pulse
from sim.sessions import CDN_HERE, Event, Hub, Line, Session
from sim.settings import Settings
from sim.welcome import Greeter

PAYLOAD_BYTES_MAX = 4096
SENDS_MAX, SENDS_WINDOW_S = 120, 60.0
BEATS_MISSED = 1.5  # intervals without a heartbeat before 4009
IDENTIFY_WINDOW_S = 5.0
IDENTIFY_DAILY_MAX = 1000
VERSIONS = ("9", "10")
INTENTS_ALL = (1 << 26) - 1
ENDED_BY = (4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014)  # closes after which the session is gone


class Close(Exception):
    """The connection shall be closed with `code`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Cut(Exception):
    """The TCP connection shall be reset, with no closing handshake."""


class Gates:
    """How many IDENTIFYs an application may do: one per 5 s, IDENTIFY_DAILY_MAX a day (rules 12 and 13).

    Users are not applications: they are not held back, as the documents say nothing about them.
    """

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.today: dict[str, deque[float]] = {}

    def remaining(self, account: Account, now: float) -> int:
        past = self.today.setdefault(account.id, deque())
        while past and past[0] < now - 86_400:
            past.popleft()
        return IDENTIFY_DAILY_MAX - len(past)

    def passes(self, account: Account, now: float) -> bool:
        if not account.bot:
            return True
        if now - self.last.get(account.id, 0.0) < IDENTIFY_WINDOW_S or self.remaining(account, now) <= 0:
            return False
        self.last[account.id] = now
        self.today[account.id].append(now)
        return True


class Gateway:
    """What all connections share."""

    def __init__(self, hub: Hub, greeter: Greeter, faults: Faults, settings: Settings, dice: random.Random) -> None:
        self.hub = hub
        self.greeter = greeter
        self.faults = faults
        self.settings = settings
        self.dice = dice
        self.gates = Gates()
        self.pulse = Pulse()
        self.connections: set[Connection] = set()
        self.identifies = 0
        self.resumes = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The route: upgrade and serve until the connection ends."""
        compress = request.query.get("compress")
        if compress is not None and compress not in PRESSES:
            offered = " and ".join(PRESSES)
            return web.Response(status=400, text=f"compress={compress} is not offered here; {offered} is")
        socket = web.WebSocketResponse(max_msg_size=1 << 20, timeout=2.0, compress=False)
        await socket.prepare(request)
        connection = Connection(self, socket, request)
        self.connections.add(connection)
        try:
            await connection.serve()
        finally:
            self.connections.discard(connection)
        return socket

    def of_account(self, account_id: str | None) -> list[Connection]:
        """Live identified connections, of one account or all (None)."""
        return [c for c in self.connections if c.account and (account_id is None or c.account.id == account_id)]

    async def close_all(self) -> None:
        """The simulator ends: tell clients 1012 (service restart), which leaves their sessions resumable."""
        for connection in list(self.connections):
            connection.close(1012, "service restart")
        await asyncio.gather(*(c.writer for c in self.connections if c.writer), return_exceptions=True)


class Connection:
    """One websocket from upgrade to end."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.gateway = gateway
        self.socket = socket
        self.request = request
        self.version = request.query.get("v", "10")
        compress = request.query.get("compress")
        self.press = PRESSES[compress]() if compress is not None else None
        self.here = gateway.greeter.bases(request).cdn.encode()
        self.account: Account | None = None
        self.line: Line | None = None
        self.seen = 0  # number of the last event sent here
        self.tray: deque[dict[str, Any] | Close | Cut] = deque()
        self.woken = asyncio.Event()
        self.sends: deque[float] = deque()
        self.interval_s = gateway.settings.heartbeat_s  # as HELLO tells it, however it is set later
        self.beat_due = 0.0
        self.replay_left: int | None = None  # events until the fault reset_in_replay strikes
        self.writer: asyncio.Task[None] | None = None
        self.closed_with: int | None = None  # our own close code; the client's echo of it says nothing

    # -- life ------------------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        self.writer = asyncio.create_task(self.write())
        self.greet()
        code = 1006
        try:
            code = await self.read()
        finally:
            self.writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.writer
            self.part(self.closed_with or code)

    def greet(self) -> None:
        self.beat_due = time.monotonic() + self.interval_s * BEATS_MISSED
        if self.version not in VERSIONS:
            self.close(4012, "Invalid API version.")
        elif self.gateway.faults.take("reconnect_no_hello"):
            self.ask_to_reconnect()
        elif not self.gateway.faults.take("no_hello"):
            self.put({"op": 10, "d": {"heartbeat_interval": round(self.interval_s * 1000), "_trace": ['["sim"]']}})
            if self.gateway.faults.take("op1_early"):
                self.put({"op": 1, "d": None})

    def part(self, code: int) -> None:
        """The session ends with 1000 and 1001 from the client and with some closes of ours; else it waits (rule 6)."""
        if self.line is None or self.line.walker is not self:
            return  # nobody's, or taken over by a newer connection
        if code in (1000, 1001) or code in ENDED_BY:
            self.gateway.hub.end(self.line)
        else:
            self.gateway.hub.leave(self.line, self)

    async def read(self) -> int:
        """Judge frames until the end; the close code: the client's, or ours, or 1006."""
        while True:
            try:
                frame = await self.socket.receive(timeout=max(0.0, self.beat_due - time.monotonic()))
            except TimeoutError:
                if time.monotonic() < self.beat_due:
                    continue
                self.close(4009, "Session timed out.")
                frame = await self.socket.receive(timeout=5.0)
            if frame.type is WSMsgType.CLOSE:
                return int(frame.data or 1005)
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return self.socket.close_code or 1006
            try:
                await self.judge(frame.data)
            except Close as close:
                self.close(close.code, close.text)

    # -- what the client says --------------------------------------------------------------------------------------

    async def judge(self, frame: str | bytes) -> None:
        now = time.monotonic()
        self.sends.append(now)
        while self.sends[0] < now - SENDS_WINDOW_S:
            self.sends.popleft()
        if len(self.sends) > SENDS_MAX:
            raise Close(4008, "You are being rate limited.")
        if len(frame) > PAYLOAD_BYTES_MAX:
            raise Close(4002, "Error while decoding payload.")
        try:
            payload = msgspec.json.decode(frame, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Close(4002, "Error while decoding payload.") from None
        handler = HANDLERS.get(payload.get("op", -1) if isinstance(payload.get("op"), int) else -1)
        if handler is None:
            raise Close(4001, "Unknown opcode.")
        if self.account is None and handler not in BEFORE_IDENTIFY:
            raise Close(4003, "Not authenticated.")
        await handler(self, payload.get("d"))

    async def on_heartbeat(self, d: object) -> None:
        grace_s = self.interval_s * (BEATS_MISSED - 1)
        self.gateway.pulse.beat(time.monotonic() - (self.beat_due - grace_s))
        self.beat_due = time.monotonic() + self.interval_s * BEATS_MISSED
        if not self.gateway.faults.take("no_ack", self.account):
            self.put({"op": 11})

    async def on_identify(self, d: object) -> None:
        if self.account is not None:
            raise Close(4005, "Already authenticated.")
        if not isinstance(d, dict) or not isinstance(d.get("token"), str):
            raise Close(4002, "Error while decoding payload.")
        account = self.account_of(d["token"])
        intents = d.get("intents", 0)
        if account.bot and ("intents" not in d or not isinstance(intents, int) or not 0 <= intents <= INTENTS_ALL):
            raise Close(4013, "Invalid intent(s).")
        self.strike_if_armed(account)
        passes = self.gateway.gates.passes(account, time.time())
        self.gateway.pulse.arrived(account.name, "identify", passes)
        if not passes:
            self.put({"op": 9, "d": False})
            return
        self.gateway.identifies += 1
        self.account = account
        session = Session(self.gateway.dice.randbytes(16).hex(), account.id, intents, account.bot)
        line = self.line = self.gateway.hub.open(session)
        self.gateway.hub.attach(line, self)
        with self.gateway.hub.store:
            for name, data in self.gateway.greeter.welcome(account, session.id, self.request, self.version, d):
                self.gateway.hub.say(line, name, data)

    async def on_resume(self, d: object) -> None:
        if self.account is not None:
            raise Close(4005, "Already authenticated.")
        if not isinstance(d, dict) or not isinstance(d.get("seq"), int) or not isinstance(d.get("token"), str):
            raise Close(4002, "Error while decoding payload.")
        account = self.account_of(d["token"])
        if self.gateway.faults.take("resume_1006", account):
            self.cut()
            return
        self.strike_if_armed(account)
        line = self.gateway.hub.find(d.get("session_id"))
        if line is None or line.session.account_id != account.id or not line.has_all_since(d["seq"]):
            self.gateway.pulse.arrived(account.name, "resume", taken=False)
            self.put({"op": 9, "d": False})
            return
        if d["seq"] > line.session.seq:
            self.gateway.hub.end(line)
            raise Close(4007, "Invalid seq.")
        if isinstance(line.walker, Connection):
            line.walker.close(4000, "This session was resumed elsewhere.")
        self.gateway.resumes += 1
        self.gateway.pulse.arrived(account.name, "resume", taken=True)
        self.account, self.line, self.seen = account, line, d["seq"]
        self.replay_left = 1 if self.gateway.faults.take("reset_in_replay", account) else None
        self.gateway.hub.attach(line, self)
        self.gateway.hub.say(line, "RESUMED", {"_trace": ['["sim"]']})

    async def on_ignored(self, d: object) -> None:
        """Presence and voice state change nothing that the simulator shows."""

    async def on_members(self, d: object) -> None:
        """Request Guild Members: one chunk with everyone."""
        if self.line is not None and isinstance(d, dict):
            self.gateway.hub.say(self.line, "GUILD_MEMBERS_CHUNK", self.gateway.greeter.members_chunk(d))

    def account_of(self, token: str) -> Account:
        account = self.gateway.greeter.people.by_token.get(token.removeprefix("Bot "))
        if account is None:
            raise Close(4004, "Authentication failed.")
        return account

    def strike_if_armed(self, account: Account) -> None:
        code = self.gateway.faults.take_close(account)
        if code is not None:
            raise Close(code, "Fault asked for by a test.")

    # -- what we say -----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        self.woken.set()

    def put(self, item: dict[str, Any] | Close | Cut) -> None:
        self.tray.append(item)
        self.woken.set()

    def close(self, code: int, text: str) -> None:
        self.put(Close(code, text))

    def cut(self) -> None:
        self.put(Cut())

    def ask_to_reconnect(self) -> None:
        """Op 7, and the server's own close a little later (rule 10), which leaves the session resumable."""
        self.put({"op": 7, "d": None})
        asyncio.get_running_loop().call_later(5.0, self.close, 4000, "Reconnect.")

    async def write(self) -> None:
        try:
            while True:
                self.woken.clear()
                while self.tray:
                    item = self.tray.popleft()
                    if isinstance(item, Close):
                        self.closed_with = item.code
                        await self.socket.close(code=item.code, message=item.text.encode())
                        return
                    if isinstance(item, Cut):
                        self.abort()
                        return
                    await self.send(msgspec.json.encode({"t": None, "s": None, "d": None, **item}))
                if self.line is not None and not self.line.has_all_since(self.seen):
                    self.close(4000, "Too far behind.")
                    continue
                event = self.line.after(self.seen) if self.line is not None else None
                if event is None:
                    await self.woken.wait()
                    continue
                await self.send(self.dispatch(event))
                self.seen = event.seq
                if self.replay_left is not None and event.name != "RESUMED":
                    self.abort()
                    return
        except (ConnectionError, RuntimeError):
            self.abort()  # the peer went away while we wrote: the reader sees the end too

    def dispatch(self, event: Event) -> bytes:
        """The frame of an event, its links on the address this client came by."""
        frame = msgspec.json.encode({"t": event.name, "s": event.seq, "op": 0, "d": event.data})
        return frame.replace(CDN_HERE.encode(), self.here)

    async def send(self, frame: bytes) -> None:
        if self.press is None:
            await self.socket.send_str(frame.decode())
            return
        for packed in self.press.pack(frame):
            damaged = self.gateway.faults.take("bad_zlib", self.account)
            await self.socket.send_bytes(b"\xff" * 4 + packed[4:] if damaged else packed)

    def abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


Handler = Callable[[Connection, object], Awaitable[None]]
HANDLERS: dict[int, Handler] = {
    1: Connection.on_heartbeat,
    2: Connection.on_identify,
    3: Connection.on_ignored,
    4: Connection.on_ignored,
    6: Connection.on_resume,
    8: Connection.on_members,
}
BEFORE_IDENTIFY = (Connection.on_heartbeat, Connection.on_identify, Connection.on_resume)
