"""A user's WebSocket connection, sans-I/O: bytes in, typed events and bytes out (CONTRACT section 3).

The shell makes one per TCP connection and feeds it: `receive_data`, `receive_eof`, `tick` when `next_deadline()` has
come, `pause_writing`/`resume_writing` as its transport says. After each call it writes `data_to_send()`, handles
`events_received()`, and closes the transport when `finished` (what was written still goes out) or aborts it when
`gone`. Its first bytes are the HTTP request, so that uvicorn can hand over a connection it has parsed already.

RFC 6455 itself is `websockets.server.ServerProtocol`; here is what Limner adds: origin, subprotocol, the first key,
frames as types, refusals, and the manners towards slow, silent and noisy peers.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import TypeAlias

import msgspec
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, Protocol, Side
from websockets.server import ServerProtocol

from protocol.client import JSON, decode, encode
from protocol.frames import Auth, ClientFrame, Error, Ping, Pong, ServerFrame
from protocol.mistakes import ClientMistake
from protocol.outbox import OUTBOX_BYTES_MAX, Outbox
from protocol.websocket_opening import LOGGER, bearer_of, header_of, opening

BAD_FRAMES, UNAUTHENTICATED, TRY_LATER, INVALID_DATA, ABNORMAL = 4400, 4401, 1013, 1007, 1006
BAD_FRAME_COUNT_MAX = 10
MINUTE_S = 60.0
# A limit that does not divide the minute must not cost a frame by rounding.
PACE_SLACK_S = 1e-6
# Frames that come while the key is being checked wait for the answer.
EARLY_FRAME_COUNT_MAX = 32
CONTROL_BYTES_MAX = 65_536


class Settings(msgspec.Struct, frozen=True):
    """What connections share. `allowed_origins` are those a browser may come from; no Origin is no browser."""

    allowed_origins: frozenset[str] = frozenset()
    path: str = "/ws"
    frame_bytes: int = 65_536
    prompt_chars: int = 4_000
    frames_per_min: int = 120
    auth_s: float = 5.0
    handshake_s: float = 10.0
    ping_s: float = 30.0
    pong_s: float = 20.0
    slow_s: float = 30.0
    close_s: float = 5.0
    outbox_bytes: int = OUTBOX_BYTES_MAX


class Opened(msgspec.Struct, frozen=True):
    """The upgrade was accepted. With a `bearer` key or a `cookie` header the shell checks it, then says
    `authenticated` or `refuse_key`; without, an `Auth` frame must come."""

    subprotocol: str
    bearer: str | None
    cookie: str | None
    forwarded_for: str | None

    def __repr__(self) -> str:
        return f"Opened(subprotocol={self.subprotocol!r})"


class FrameReceived(msgspec.Struct, frozen=True):
    """A known frame. `Auth` comes only while a key is wanted, all others only after `authenticated`."""

    frame: ClientFrame


class Closed(msgspec.Struct, frozen=True):
    """The connection is over; the last event. `code` 1006 means it ended without a close."""

    code: int


Event: TypeAlias = Opened | FrameReceived | Closed


class Stage(Enum):
    OPENING = auto()  # the HTTP request is awaited
    KEYLESS = auto()  # an `auth` frame is awaited
    CHECKING = auto()  # the shell checks a key
    LIVE = auto()
    CLOSING = auto()  # our close frame is out, theirs is awaited
    CLOSED = auto()


class WebSocket:
    """One connection. All `now` are seconds of one monotonic clock."""

    __slots__ = (
        *("_bad_at", "_early", "_events", "_heard_at", "_is_text", "_message", "_opening", "_out", "_outbox"),
        *("_paced_until", "_paused_at", "_pinged", "_refusal", "_settings", "_stage_by", "_wire"),
        *("finished", "gone", "stage", "subprotocol"),
    )

    def __init__(self, settings: Settings, now: float) -> None:
        self.stage = Stage.OPENING
        self.subprotocol = JSON
        self.finished = False
        self.gone = False
        self._settings = settings
        self._opening: ServerProtocol | None = opening(settings.allowed_origins, settings.frame_bytes)
        self._wire: Protocol = self._opening
        self._events: list[Event] = []
        self._outbox = Outbox(settings.outbox_bytes)
        self._out: list[bytes] = []
        self._early: list[ClientFrame] = []
        self._message = bytearray()
        self._is_text = False
        self._bad_at: deque[float] | None = None
        # When the frames heard so far would have been due at an even pace (GCRA): one number, not a time a frame.
        self._paced_until = now - MINUTE_S
        self._refusal: tuple[int, str] | None = None
        self._stage_by: float | None = now + settings.handshake_s
        self._heard_at = now
        self._pinged = False
        self._paused_at: float | None = None

    # --- what the shell asks ---

    def events_received(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> list[bytes]:
        """The bytes to write now, in order; none while writing is paused, save a close."""
        self._gather()
        if self._paused_at is not None and self.stage in (Stage.KEYLESS, Stage.CHECKING, Stage.LIVE):
            return []
        data, self._out = self._out, []
        return data

    def next_deadline(self) -> float | None:
        """When `tick` must be called next; None after the end."""
        if self.gone:
            return None
        times = [self._stage_by]
        if self.stage in (Stage.KEYLESS, Stage.CHECKING, Stage.LIVE):
            settings = self._settings
            times.append(self._heard_at + settings.ping_s + (settings.pong_s if self._pinged else 0.0))
            times.append(None if self._paused_at is None else self._paused_at + settings.slow_s)
        return min((time for time in times if time is not None), default=None)

    # --- what the shell tells ---

    def refuse(self, status: int, text: str) -> None:
        """Before the first bytes: answer the request with an HTTP status instead of the upgrade (too many sockets)."""
        self._refusal = (status, text)

    def receive_data(self, data: bytes, now: float) -> None:
        if self.stage is Stage.CLOSED:
            return
        self._heard_at, self._pinged = now, False
        self._wire.receive_data(data)
        events = self._wire.events_received()
        for event in events:
            if isinstance(event, Request):
                self._receive_request(event, now)
                if len(events) == 1 and data.endswith(b"\r\n\r\n"):
                    self._forget_opening()
            elif isinstance(event, Frame):
                self._receive_frame(event, now)
        if self._wire.close_expected() and self._wire.eof_sent:
            # Their close, a refused upgrade, or an offence (1002, 1007, 1009): nothing more is to come.
            close = self._wire.close_rcvd or self._wire.close_sent
            self._end(ABNORMAL if close is None else close.code, now)
        self._bound_control(now)

    def receive_eof(self, now: float) -> None:
        """The peer closed its side."""
        if self.stage is not Stage.CLOSED:
            self._wire.receive_eof()
        self._end(ABNORMAL, now)

    def authenticated(self, now: float) -> None:
        """The key is good: frames that waited for this come as events."""
        if self.stage not in (Stage.CHECKING, Stage.KEYLESS):
            return
        self.stage, self._stage_by = Stage.LIVE, None
        self._replay_early(now)

    def want_key(self, now: float) -> None:
        """The headers held no key after all (a cookie of something else): an `auth` frame must come."""
        if self.stage is Stage.CHECKING:
            self.stage, self._stage_by = Stage.KEYLESS, now + self._settings.auth_s
            self._replay_early(now)

    def refuse_key(self, now: float, message: str = "The key is not valid.") -> None:
        """The key is wrong: `error unauthenticated`, then close 4401."""
        self.send(Error("unauthenticated", message), now)
        self.close(UNAUTHENTICATED, "unauthenticated", now)

    def send(self, frame: ServerFrame, now: float) -> None:
        """Queues a frame; a reader too slow for it is closed 1013."""
        if self.stage not in (Stage.KEYLESS, Stage.CHECKING, Stage.LIVE):
            return
        data = encode(frame, self.subprotocol)
        is_text = isinstance(data, str)
        payload = data.encode() if isinstance(data, str) else data
        opcode = Opcode.TEXT if is_text else Opcode.BINARY
        wire = Frame(opcode, payload).serialize(mask=False)
        if not self._outbox.put(frame, wire):
            self.close(TRY_LATER, "too slow", now)

    def close(self, code: int, reason: str, now: float) -> None:
        """Closes from our side. What is queued goes out first, unless the reader is slow."""
        if self.stage in (Stage.CLOSING, Stage.CLOSED):
            return
        if self._wire.state is not OPEN:
            self._end(code, now)
            return
        self._gather()
        self._outbox.take()
        self._wire.send_close(code, reason)
        self.stage, self._stage_by = Stage.CLOSING, now + self._settings.close_s
        self._events.append(Closed(code))

    def pause_writing(self, now: float) -> None:
        """The transport's buffer is full: frames gather here until `resume_writing`."""
        if self._paused_at is None:
            self._paused_at = now

    def resume_writing(self) -> None:
        self._paused_at = None

    def tick(self, now: float) -> None:
        """Time has passed: a handshake, key, pong or close that never came, a reader that stays slow."""
        if self._stage_by is not None and now >= self._stage_by:
            self._stage_by = None
            self._overdue(now)
        if self.stage not in (Stage.KEYLESS, Stage.CHECKING, Stage.LIVE):
            return
        settings = self._settings
        if self._paused_at is not None and now >= self._paused_at + settings.slow_s:
            self.close(TRY_LATER, "too slow", now)
        elif now >= self._heard_at + settings.ping_s + settings.pong_s:
            self._end(ABNORMAL, now)
            self.gone = True
        elif now >= self._heard_at + settings.ping_s and not self._pinged:
            self._pinged = True
            self._wire.send_ping(b"")

    # --- how it is done ---

    def _receive_request(self, request: Request, now: float) -> None:
        machine = self._opening
        assert machine is not None
        response = machine.accept(request)
        if response.status_code == 101:
            if self._refusal is not None:
                response = machine.reject(*self._refusal)
            elif request.path.split("?", 1)[0] != self._settings.path:
                response = machine.reject(404, "There is no WebSocket here.\n")
        machine.send_response(response)
        if response.status_code != 101:
            return
        self.subprotocol = machine.subprotocol or JSON
        bearer, cookie = bearer_of(request.headers), header_of(request.headers, "Cookie")
        forwarded_for = header_of(request.headers, "X-Forwarded-For")
        has_key = bearer is not None or cookie is not None
        self.stage = Stage.CHECKING if has_key else Stage.KEYLESS
        self._stage_by = now + (self._settings.handshake_s if has_key else self._settings.auth_s)
        self._events.append(Opened(self.subprotocol, bearer, cookie, forwarded_for))

    def _forget_opening(self) -> None:
        """Goes on with a machine for frames alone, when nothing but the request has come: the one that knows the
        opening keeps every header of it alive, 3 KB a connection."""
        if self._wire.state is OPEN:
            self._gather()
            self._wire = Protocol(Side.SERVER, max_size=self._settings.frame_bytes, logger=LOGGER)
            self._opening = None

    def _receive_frame(self, frame: Frame, now: float) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text, self._message = frame.opcode is Opcode.TEXT, bytearray(frame.data)
        elif frame.opcode is Opcode.CONT:
            self._message += frame.data
        else:
            return
        if not frame.fin or self.stage in (Stage.CLOSING, Stage.CLOSED):
            return
        message, self._message = bytes(self._message), bytearray()
        try:
            self._receive_message(message.decode() if self._is_text else message, now)
        except UnicodeDecodeError:
            self._wire.fail(INVALID_DATA, "text is not UTF-8")

    def _receive_message(self, message: str | bytes, now: float) -> None:
        try:
            if self.subprotocol == JSON and not self._is_text:
                raise ClientMistake("bad_frame", f"{JSON} wants text frames, this one was binary.")
            settings = self._settings
            frame = decode(
                message, self.subprotocol, prompt_chars=settings.prompt_chars, frame_bytes=settings.frame_bytes
            )
        except ClientMistake as mistake:
            self._answer_mistake(mistake, now)
        else:
            self._deliver(frame, now)

    def _replay_early(self, now: float) -> None:
        early, self._early = self._early, []
        for frame in early:
            self._deliver(frame, now)

    def _deliver(self, frame: ClientFrame, now: float) -> None:
        try:
            self._place(frame, now)
        except ClientMistake as mistake:
            self._answer_mistake(mistake, now)

    def _place(self, frame: ClientFrame, now: float) -> None:
        """Passes a frame on where its time has come; raises `ClientMistake` where it is out of place."""
        if self.stage is Stage.KEYLESS:
            if not isinstance(frame, Auth):
                raise ClientMistake("unauthenticated", "Send `auth` with your key first.")
            self.stage, self._stage_by = Stage.CHECKING, now + self._settings.handshake_s
            self._events.append(FrameReceived(frame))
        elif isinstance(frame, Auth) and self.stage is Stage.LIVE:
            raise ClientMistake("bad_frame", "A key was given already; open another connection for another key.")
        elif self.stage is Stage.CHECKING:
            if len(self._early) >= EARLY_FRAME_COUNT_MAX:
                raise ClientMistake("rate_limited", "Wait for `welcome`.", getattr(frame, "ref", None))
            self._early.append(frame)
        elif self.stage is Stage.LIVE:
            limit = max(self._settings.frames_per_min, 1)
            paced_until = max(self._paced_until, now - MINUTE_S) + MINUTE_S / limit
            if paced_until > now + PACE_SLACK_S:
                raise ClientMistake(
                    "rate_limited", f"{limit} frames a minute are allowed.", getattr(frame, "ref", None)
                )
            self._paced_until = paced_until
            if isinstance(frame, Ping):
                self.send(Pong(), now)
            else:
                self._events.append(FrameReceived(frame))

    def _answer_mistake(self, mistake: ClientMistake, now: float) -> None:
        if self.stage is Stage.KEYLESS:
            self.refuse_key(now, "Send `auth` with your key first.")
            return
        self.send(Error(mistake.code, mistake.message, mistake.ref), now)
        if mistake.code == "bad_frame":
            self._bad_at = self._bad_at or deque(maxlen=BAD_FRAME_COUNT_MAX)
            self._bad_at.append(now)
            if len(self._bad_at) == BAD_FRAME_COUNT_MAX and self._bad_at[0] > now - MINUTE_S:
                self.close(BAD_FRAMES, "too many bad frames", now)

    def _overdue(self, now: float) -> None:
        if self.stage is Stage.KEYLESS:
            self.refuse_key(now, f"No key came within {self._settings.auth_s:g} s.")
        elif self.stage is Stage.CHECKING:
            self.close(TRY_LATER, "the key could not be checked", now)
        else:
            self._end(ABNORMAL, now)
            self.gone = True

    def _end(self, code: int, now: float) -> None:
        """Nothing more is read or queued; the shell closes, and aborts if that takes longer than `close_s`."""
        if self.stage is Stage.CLOSED:
            return
        if self.stage is not Stage.CLOSING:
            self._events.append(Closed(code))
        self._outbox.take()
        self.stage, self._stage_by = Stage.CLOSED, now + self._settings.close_s
        self.finished = True

    def _gather(self) -> None:
        """Moves what may be written to `_out`; while paused frames stay where they can be coalesced."""
        # The library's mark for the end of the stream is empty; `finished` says it here.
        self._out += [data for data in self._wire.data_to_send() if data]
        if self._paused_at is None:
            self._out += self._outbox.take()

    def _bound_control(self, now: float) -> None:
        """A peer that pings and does not read would fill memory with our pongs."""
        if self._paused_at is not None:
            self._gather()
            if sum(map(len, self._out)) > CONTROL_BYTES_MAX:
                self._end(ABNORMAL, now)
                self.gone = True
