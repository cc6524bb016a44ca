"""GatewayLine: one account's gateway connection, as its actor holds it: protocol.gateway carried over a wire.

The wire is read by a task of the actor, so that the actor's death cuts the connection (without a close frame: the
session stays resumable). What the task learns comes to the actor as messages, which it passes back in here; each call
answers with what that means. Frames of an earlier connection are recognised by its number and ignored.
"""

from __future__ import annotations

import asyncio

import msgspec

from actors.monitor_messages import Observed
from actors.shell import Shell
from protocol.gateway import (
    CLOSE_TO_RESUME,
    Event,
    Gateway,
    Hangup,
    Identity,
    Ready,
    Reconnect,
    Resumed,
    SavedSession,
    State,
)
from protocol.inflate import BrokenStream, Inflater
from system.links import LinkBroken, Wire, WireClosed
from system.message import Message

#: Appended to the configured gateway URL. JSON, compressed by Discord's own stream.
QUERY = "/?v=10&encoding=json&compress=zlib-stream"


class LineMade(Message, frozen=True):
    """The connection of this number is open."""

    number: int


class LineLost(Message, frozen=True):
    """The connection of this number has ended with `code`, or (not `made`) was never made."""

    number: int
    code: int | None
    made: bool


class FrameCame(Message, frozen=True):
    """A whole JSON document, out of one frame or several."""

    number: int
    document: bytes

    def __repr__(self) -> str:
        return f"FrameCame(number={self.number}, length={len(self.document)})"  # documents hold prompts


class GatewayLine:
    """See the module's docstring. All methods return the machine's events, in order."""

    TAKES: tuple[type[Message], ...] = (LineMade, LineLost, FrameCame)

    def __init__(self, owner: Shell, identity: Identity, base_url: str, saved: SavedSession | None) -> None:
        self._owner = owner
        self.gateway = Gateway(identity, base_url.rstrip("/") + QUERY, owner.dice, saved)
        self.resumed_at: float | None = None
        self._number = 0
        self._wire: Wire | None = None

    @property
    def is_live(self) -> bool:
        """Whether READY or RESUMED has come on the present connection."""
        return self.gateway.state is State.LIVE

    @property
    def is_dead(self) -> bool:
        """Whether Discord has closed it for good."""
        return self.gateway.state is State.DEAD

    @property
    def session_id(self) -> str | None:
        """The gateway session that sees our events now; None while no connection is live."""
        saved = self.gateway.save()
        return saved.session_id if saved is not None and self.is_live else None

    def open(self) -> None:
        """Begin the first connection."""
        self._dial(self.gateway.connect_to())

    def receive(self, news: LineMade | LineLost | FrameCame) -> list[Event]:
        """What the reading task tells."""
        if news.number != self._number:
            return []
        now = self._owner.now()
        if isinstance(news, LineMade):
            self.gateway.connection_made(now)
        elif isinstance(news, FrameCame):
            self.gateway.receive(news.document, now)
        elif news.made:
            self.gateway.connection_lost(news.code, now)
        else:
            self.gateway.connect_failed(now)
        return self._follow()

    def tick(self) -> list[Event]:
        """Time has passed."""
        deadline = self.gateway.next_deadline()
        if deadline is None or deadline > self._owner.now():
            return []
        self.gateway.tick(self._owner.now())
        return self._follow()

    def reconnect(self) -> list[Event]:
        """Leave the connection and resume: its replay proves what was and what was not."""
        if self._wire is not None:
            self._wire.close(CLOSE_TO_RESUME)
        self.gateway.connection_lost(None, self._owner.now())
        return self._follow()

    def _follow(self) -> list[Event]:
        """Send what is to be sent, and do what a Hangup says."""
        if self._wire is not None:
            for payload in self.gateway.data_to_send():
                self._wire.send(msgspec.json.encode(payload).decode())
        events = self.gateway.events_received()
        for event in events:
            if isinstance(event, Resumed):
                self.resumed_at = self._owner.now()
            elif isinstance(event, Ready):
                self.resumed_at = None
            elif isinstance(event, Hangup):
                self._hang_up(event)
        return events

    def _hang_up(self, event: Hangup) -> None:
        if self._wire is not None and event.close_code is not None:
            self._wire.close(event.close_code)
        self._wire = None
        self._number += 1  # what still comes of the old connection is no news
        if isinstance(event.then, Reconnect):
            how = "resume" if event.then.resume else "identify"
            self._owner.tell("monitor", Observed("limner_gateway_reconnects_total", 1.0, (self._owner.subject, how)))
            self._dial(event.then)

    def _dial(self, to: Reconnect) -> None:
        self._number += 1
        self._owner.work(self._carry(self._number, to.url, to.wait_s), "gateway")

    async def _carry(self, number: int, url: str, wait_s: float) -> Message:
        """Open one connection and read it to its end."""
        await asyncio.sleep(wait_s)
        try:
            wire = await self._owner.process.links.connect(url)
        except LinkBroken:
            return LineLost(number, None, made=False)
        self._wire = wire
        self._owner.post(LineMade(number))
        inflater = Inflater()
        try:
            while True:
                frame = await wire.receive()
                document = frame.encode() if isinstance(frame, str) else inflater.receive(frame)
                if document is not None:
                    self._owner.post(FrameCame(number, document))
        except WireClosed as closed:
            return LineLost(number, closed.code, made=True)
        except BrokenStream:
            # The stream's context is lost with it: only a new connection can go on.
            return LineLost(number, None, made=True)
        finally:
            wire.drop()
