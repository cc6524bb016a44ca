"""GatewayLine: one account's gateway connection, as its actor holds it: protocol.gateway carried over a wire.

The wire is read by a task of the actor, so that the actor's death cuts the connection (without a close frame: the
session stays resumable). What the task learns comes to the actor as messages, which it passes back in here; each call
answers with what that means. Frames of an earlier connection are recognised by its number and ignored.

Heartbeats wait for no mailbox: they are sent by a timer of the loop, and their ACKs and the server's own requests are
taken where they are read. So a beat is late by no more than one turn of the loop, however much the actors have to do.
"""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from actors.account.permit import Permit
from actors.monitor.messages import Observed
from actors.shell import Shell
from protocol.gateway import (
    Event,
    Gateway,
    Greeted,
    Hangup,
    Identity,
    Ready,
    Reconnect,
    Resumed,
    SavedSession,
    State,
)
from protocol.gateway_frames import HEARTBEAT, is_ack, is_pulse
from protocol.inflate import BrokenStream
from system.links import LinkBroken, Wire, WireClosed
from system.message import Message
from system.zstd import COMPRESSIONS, stream_for

#: Appended to the configured gateway URL. JSON, compressed by one of Discord's own streams.
QUERY = "/?v=10&encoding=json&compress="


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


class LineDue(Message, frozen=True):
    """Time has passed for the connection of this number, and something has come of it."""

    number: int


class GatewayLine:
    """See the module's docstring. All methods return the machine's events, in order."""

    TAKES: tuple[type[Message], ...] = (LineMade, LineLost, FrameCame, LineDue)

    def __init__(
        self,
        owner: Shell,
        identity: Identity,
        base_url: str,
        saved: SavedSession | None,
        permit: Permit,
        compression: str = COMPRESSIONS[0],
    ) -> None:
        self._owner = owner
        self._permit = permit
        self._compression = compression
        url = base_url.rstrip("/") + QUERY + compression
        self.gateway = Gateway(identity, url, owner.dice, saved, gated=True)
        self.resumed_at: float | None = None
        self._number = 0
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_at: float | None = None
        #: When the heartbeat was sent that waits for its ACK.
        self._beat_at: float | None = None

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

    def open(self, within_s: float = 0.0) -> None:
        """Begin the first connection, at some moment within so many seconds."""
        self._dial(self.gateway.connect_to(within_s))

    def receive(self, news: LineMade | LineLost | FrameCame | LineDue) -> list[Event]:
        """What the reading task and the timer tell."""
        if news.number != self._number:
            return []
        now = self._owner.now()
        if isinstance(news, LineMade):
            self.gateway.connection_made(now)
        elif isinstance(news, FrameCame):
            self.gateway.receive(news.document, now)
        elif isinstance(news, LineLost) and news.made:
            self.gateway.connection_lost(news.code, now)
        elif isinstance(news, LineLost):
            self.gateway.connect_failed(now)
        return self._follow()

    def reconnect(self) -> list[Event]:
        """Leave the connection and resume: its replay proves what was and what was not."""
        self.gateway.leave(self._owner.now())
        return self._follow()

    def _follow(self) -> list[Event]:
        """Send what is to be sent, and do what the events say."""
        self._send()
        events = self.gateway.events_received()
        for event in events:
            if isinstance(event, Resumed):
                self.resumed_at = self._owner.now()
            elif isinstance(event, Ready):
                self.resumed_at = None
            elif isinstance(event, Greeted):
                self._permit.ask(partial(self._permitted, self._number))
            elif isinstance(event, Hangup):
                self._hang_up(event)
        self._watch()
        return events

    def _send(self) -> None:
        if self._wire is not None:
            for payload in self.gateway.data_to_send():
                if payload["op"] == HEARTBEAT:
                    self._beat_at = self._owner.now()
                self._wire.send(msgspec.json.encode(payload).decode())

    def _permitted(self, number: int, wait_s: float) -> None:
        """The application may IDENTIFY now, or (`wait_s`) not yet."""
        if number != self._number:
            return
        if wait_s <= 0:
            self.gateway.identify(self._owner.now())
        else:
            self.gateway.put_off(wait_s, self._owner.now())
        self._send()
        self._tell_events()

    # --- time, and what keeps the connection alive -----------------------------------------------------------

    def _watch(self) -> None:
        """Be woken at the machine's next deadline."""
        due_at = self.gateway.next_deadline()
        if due_at == self._due_at:
            return
        self._unwatch()
        if due_at is not None:
            wait_s = max(0.0, due_at - self._owner.now())
            self._due_at, self._timer = due_at, asyncio.get_running_loop().call_later(wait_s, self._due)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._due_at = None

    def _due(self) -> None:
        self._timer = self._due_at = None
        self.gateway.tick(self._owner.now())
        self._send()
        self._tell_events()

    def _tell_events(self) -> None:
        """What came of it is handled by the actor, like all that comes."""
        if self.gateway.has_events:
            self._owner.post(LineDue(self._number))
        else:
            self._watch()

    def _took_pulse(self, number: int, document: bytes) -> bool:
        """Whether the document was a heartbeat's, and is dealt with."""
        if number != self._number or not self.gateway.is_connected or not is_pulse(document):
            return False
        now = self._owner.now()
        if self._beat_at is not None and is_ack(document):
            told = Observed("limner_gateway_round_trip_seconds", now - self._beat_at, (self._owner.subject,))
            self._owner.tell("monitor", told)
            self._beat_at = None
        self.gateway.receive(document, now)
        self._send()
        return True

    def _hang_up(self, event: Hangup) -> None:
        if self._wire is not None and event.close_code is not None:
            self._wire.close(event.close_code)
        self._wire = None
        self._unwatch()
        self._number += 1  # what still comes of the old connection is no news
        if isinstance(event.then, Reconnect):
            how = "resume" if event.then.resume else "identify"
            self._owner.tell("monitor", Observed("limner_gateway_reconnects_total", 1.0, (self._owner.subject, how)))
            self._dial(event.then)

    def _dial(self, to: Reconnect) -> None:
        self._number += 1
        self._beat_at = None
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
        stream = stream_for(self._compression)
        try:
            while True:
                frame = await wire.receive()
                document = frame.encode() if isinstance(frame, str) else stream.receive(frame)
                if document is not None and not self._took_pulse(number, document):
                    self._owner.post(FrameCame(number, document))
        except WireClosed as closed:
            return LineLost(number, closed.code, made=True)
        except BrokenStream:
            # The stream's context is lost with it: only a new connection can go on.
            return LineLost(number, None, made=True)
        finally:
            wire.drop()
            if number == self._number:
                self._unwatch()  # the actor may have died: nobody else would stop it
