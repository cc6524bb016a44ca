"""A user's WebSocket connection, sans-I/O: bytes in, typed events and bytes out (CONTRACT section 3).

The shell makes one per TCP connection and feeds it: `receive_data`, `receive_eof`, `tick` when `next_deadline()` has
come, `pause_writing`/`resume_writing` as its transport says. After each call it writes `data_to_send()`, handles
`events_received()`, and closes the transport when `finished` (what was written still goes out) or aborts it when
`gone`. Its first bytes are the HTTP request, so that uvicorn can hand over a connection it has parsed already.

RFC 6455 is the websockets library's: its machine for the opening (websocket_opening.py), its rules for a frame
(websocket_frames.py). Here are the sequence of frames and what Limner adds: origin, subprotocol, the first key, frames
as types, refusals, and the manners towards slow, silent and noisy peers. A process has ten thousand of these, nearly
all silent: what is empty is the one empty value, and what is rare is made when it is needed.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN

from protocol.client import JSON, decode, encode
from protocol.frame_rate import MINUTE_S, NEVER, paced
from protocol.frames import (
    CLOSE_ABNORMAL,
    CLOSE_BAD_FRAMES,
    CLOSE_LATER,
    CLOSE_UNAUTHENTICATED,
    Auth,
    ClientFrame,
    Error,
    Ping,
    Pong,
    ServerFrame,
    about,
)
from protocol.mistakes import ClientMistake
from protocol.outbox import Outbox
from protocol.websocket_frames import read_frame, write_frame
from protocol.websocket_opening import bearer_of, header_of, known_name, opening, refusal
from protocol.websocket_values import Closed, Event, FrameReceived, Opened, Settings

__all__ = ["Closed", "FrameReceived", "Opened", "Settings", "Stage", "WebSocket"]

BAD_FRAME_COUNT_MAX = 10
# What is said while the key is checked waits for `welcome`. Of the frames beyond the first few only the refusal is
# kept; who says still more is turned away.
EARLY_FRAME_COUNT_MAX, EARLY_COUNT_MAX = 32, 256
CONTROL_BYTES_MAX = 65_536
HEAD_END, HEAD_BYTES_MAX = b"\r\n\r\n", 65_536


class Stage(Enum):
    OPENING = auto()  # the HTTP request is awaited
    KEYLESS = auto()  # an `auth` frame is awaited
    CHECKING = auto()  # the shell checks a key
    LIVE = auto()
    CLOSING = auto()  # our close frame is out, theirs is awaited
    CLOSED = auto()


#: Where frames are said and heard.
OPEN_STAGES = frozenset({Stage.KEYLESS, Stage.CHECKING, Stage.LIVE})


class WebSocket:
    """One connection. All `now` are seconds of one monotonic clock."""

    __slots__ = (
        *("_bad_at", "_early", "_events", "_heard_at", "_is_text", "_message", "_out", "_outbox", "_paced_until"),
        *("_paused_at", "_pinged", "_refusal", "_rest", "_settings", "_stage_by"),
        *("finished", "gone", "stage", "subprotocol"),
    )

    def __init__(self, settings: Settings, now: float) -> None:
        self.stage = Stage.OPENING
        self.subprotocol = JSON
        self.finished = False
        self.gone = False
        self._settings = settings
        self._events: tuple[Event, ...] = ()
        self._early: tuple[ClientFrame | ClientMistake, ...] = ()
        self._out = b""
        # Where frames wait, and may be coalesced, while writing is paused.
        self._outbox: Outbox | None = None
        # The begin of a request or frame whose end has not come, and of a message in fragments.
        self._rest = b""
        self._message: bytearray | None = None
        self._is_text = False
        self._bad_at: deque[float] | None = None
        self._paced_until = NEVER
        self._refusal: tuple[str, str] | None = None
        self._stage_by: float | None = now + settings.handshake_s
        self._heard_at = now
        self._pinged = False
        self._paused_at: float | None = None

    # --- what the shell asks ---

    def events_received(self) -> tuple[Event, ...]:
        """What happened since the last call, in order."""
        events, self._events = self._events, ()
        return events

    def data_to_send(self) -> bytes:
        """The bytes to write now; none while writing is paused, save a close."""
        if self._paused_at is not None and self.stage in OPEN_STAGES:
            return b""
        data, self._out = self._out, b""
        return data

    def next_deadline(self) -> float | None:
        """When `tick` must be called next; None after the end."""
        if self.gone:
            return None
        times = [self._stage_by]
        if self.stage in OPEN_STAGES:
            settings = self._settings
            times.append(self._heard_at + settings.ping_s + (settings.pong_s if self._pinged else 0.0))
            times.append(None if self._paused_at is None else self._paused_at + settings.slow_s)
        return min((time for time in times if time is not None), default=None)

    # --- what the shell tells ---

    def refuse(self, code: str, detail: str) -> None:
        """Before the first bytes: answer the request with this code's HTTP status instead of the upgrade."""
        self._refusal = (code, detail)

    def receive_data(self, data: bytes, now: float) -> None:
        if self.stage is Stage.CLOSED:
            return
        self._heard_at, self._pinged = now, False
        data, self._rest = self._rest + data, b""
        if self.stage is Stage.OPENING:
            head, end, data = data.partition(HEAD_END)
            if not end:
                self._await_head(head, now)
                return
            self._receive_request(head + end, now)
        self._receive_frames(data, now)
        self._bound_control(now)

    def receive_eof(self, now: float) -> None:
        """The peer closed its side."""
        self._end(CLOSE_ABNORMAL, now)

    def authenticated(self, now: float) -> None:
        """The key is good, and `welcome` is said: what waited for this is heard now, in order."""
        if self.stage not in (Stage.CHECKING, Stage.KEYLESS):
            return
        self.stage, self._stage_by = Stage.LIVE, None
        self._replay_early(now)

    def refuse_key(self, now: float, message: str = "The key is not valid.") -> None:
        """The key is wrong: `error unauthenticated`, then close 4401."""
        self.send(Error("unauthenticated", message), now)
        self.close(CLOSE_UNAUTHENTICATED, "unauthenticated", now)

    def send(self, frame: ServerFrame, now: float) -> None:
        """Queues a frame; a reader too slow for it is closed 1013."""
        if self.stage not in OPEN_STAGES:
            return
        data = encode(frame, self.subprotocol)
        wire = write_frame(Opcode.TEXT, data.encode()) if isinstance(data, str) else write_frame(Opcode.BINARY, data)
        if self._outbox is None:
            self._out += wire
        elif not self._outbox.put(frame, wire):
            self.close(CLOSE_LATER, "too slow", now)

    def close(self, code: int, reason: str, now: float) -> None:
        """Closes from our side. What is queued goes out first, unless the reader is slow."""
        if self.stage in OPEN_STAGES:
            self._outbox = None
            self._out += write_frame(Opcode.CLOSE, Close(code, reason).serialize())
            self.stage, self._stage_by = Stage.CLOSING, now + self._settings.close_s
            self._events += (Closed(code),)
        elif self.stage is Stage.OPENING:
            self._end(code, now)

    def pause_writing(self, now: float) -> None:
        """The transport's buffer is full: frames gather here until `resume_writing`."""
        if self._paused_at is None:
            self._paused_at = now
            self._outbox = Outbox(self._settings.outbox_bytes)

    def resume_writing(self) -> None:
        if self._outbox is not None:
            self._out += b"".join(self._outbox.take())
        self._paused_at = self._outbox = None

    def tick(self, now: float) -> None:
        """Time has passed: a handshake, key, pong or close that never came, a reader that stays slow."""
        if self._stage_by is not None and now >= self._stage_by:
            self._stage_by = None
            self._overdue(now)
        if self.stage not in OPEN_STAGES:
            return
        settings = self._settings
        if self._paused_at is not None and now >= self._paused_at + settings.slow_s:
            self.close(CLOSE_LATER, "too slow", now)
        elif now >= self._heard_at + settings.ping_s + settings.pong_s:
            self._end(CLOSE_ABNORMAL, now)
            self.gone = True
        elif now >= self._heard_at + settings.ping_s and not self._pinged:
            self._pinged = True
            self._out += write_frame(Opcode.PING, b"")

    # --- how it is done ---

    def _await_head(self, head: bytes, now: float) -> None:
        self._rest = head
        if len(head) > HEAD_BYTES_MAX:
            self._end(CLOSE_ABNORMAL, now)
            self.gone = True

    def _receive_request(self, head: bytes, now: float) -> None:
        machine = opening(self._settings.allowed_origins)
        machine.receive_data(head)
        for request in machine.events_received():
            assert isinstance(request, Request)
            response = machine.accept(request)
            if response.status_code == 101:
                if self._refusal is not None:
                    response = refusal(machine, *self._refusal)
                elif request.path.split("?", 1)[0] != self._settings.path:
                    response = refusal(machine, "not_found", "There is no WebSocket here.")
            machine.send_response(response)
            if response.status_code == 101:
                self._open(request, known_name(machine.subprotocol), now)
        self._out += b"".join(machine.data_to_send())
        if machine.state is not OPEN:
            self._end(CLOSE_ABNORMAL, now)

    def _open(self, request: Request, subprotocol: str, now: float) -> None:
        self.subprotocol = subprotocol
        bearer, cookie = bearer_of(request.headers), header_of(request.headers, "Cookie")
        has_key = bearer is not None or cookie is not None
        self.stage = Stage.CHECKING if has_key else Stage.KEYLESS
        self._stage_by = now + (self._settings.handshake_s if has_key else self._settings.auth_s)
        self._events += (Opened(self.subprotocol, bearer, cookie),)

    def _receive_frames(self, data: bytes, now: float) -> None:
        """Takes the whole frames; the begin of one waits for its end."""
        at = 0
        try:
            while at < len(data) and self.stage is not Stage.CLOSED:
                found = read_frame(data, at, self._settings.frame_bytes - len(self._message or b""))
                if found is None:
                    self._rest = data[at:]
                    return
                frame, at = found
                self._receive_frame(frame, now)
        except ProtocolError as offence:
            self._fail(CloseCode.PROTOCOL_ERROR, str(offence), now)
        except PayloadTooBig as offence:
            self._fail(CloseCode.MESSAGE_TOO_BIG, str(offence), now)
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "text is not UTF-8", now)

    def _receive_frame(self, frame: Frame, now: float) -> None:
        """Joins messages and answers control frames. Raises ProtocolError, UnicodeDecodeError."""
        if frame.opcode is Opcode.PING:
            self._out += write_frame(Opcode.PONG, bytes(frame.data))
        elif frame.opcode is Opcode.CLOSE:
            self._receive_close(bytes(frame.data), now)
        elif frame.opcode is Opcode.CONT:
            if self._message is None:
                raise ProtocolError("unexpected continuation frame")
            self._message += frame.data
            if frame.fin:
                message, self._message = bytes(self._message), None
                self._receive_message(message, now)
        elif frame.opcode is not Opcode.PONG:
            if self._message is not None:
                raise ProtocolError("expected a continuation frame")
            self._is_text = frame.opcode is Opcode.TEXT
            if frame.fin:
                self._receive_message(bytes(frame.data), now)
            else:
                self._message = bytearray(frame.data)

    def _receive_close(self, payload: bytes, now: float) -> None:
        """The peer's close: the answer to ours, or the begin, which is answered with the same."""
        close = Close.parse(payload)
        if self._message is not None:
            raise ProtocolError("incomplete fragmented message")
        if self.stage is not Stage.CLOSING:
            self._out += write_frame(Opcode.CLOSE, payload)
        self._end(close.code, now)

    def _fail(self, code: CloseCode, reason: str, now: float) -> None:
        """An offence against the protocol: close with its code, and hear nothing more."""
        if self.stage is not Stage.CLOSING:
            self._out += write_frame(Opcode.CLOSE, Close(code, reason).serialize())
        self._end(code, now)

    def _receive_message(self, data: bytes, now: float) -> None:
        if self.stage is Stage.CLOSING:
            return
        message = data.decode() if self._is_text else data
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

    def _hold_early(self, said: ClientFrame | ClientMistake, now: float) -> None:
        """Keeps for after `welcome` what is said before it, be it a frame or none."""
        if len(self._early) >= EARLY_COUNT_MAX:
            self.close(CLOSE_LATER, "too much before welcome", now)
            return
        if len(self._early) >= EARLY_FRAME_COUNT_MAX and not isinstance(said, ClientMistake):
            said = ClientMistake("rate_limited", "Wait for `welcome`.", *about(said))
        self._early += (said,)

    def _replay_early(self, now: float) -> None:
        early, self._early = self._early, ()
        for said in early:
            if isinstance(said, ClientMistake):
                self._answer_mistake(said, now)
            else:
                self._deliver(said, now)

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
            self._events += (FrameReceived(frame),)
        elif isinstance(frame, Auth) and self.stage is Stage.LIVE:
            raise ClientMistake("bad_frame", "A key was given already; open another connection for another key.")
        elif self.stage is Stage.CHECKING:
            self._hold_early(frame, now)
        elif self.stage is Stage.LIVE:
            limit = self._settings.frames_per_min
            paced_until = paced(self._paced_until, now, limit)
            if paced_until is None:
                raise ClientMistake("rate_limited", f"{limit} frames a minute are allowed.", *about(frame))
            self._paced_until = paced_until
            if isinstance(frame, Ping):
                self.send(Pong(), now)
            else:
                self._events += (FrameReceived(frame),)

    def _answer_mistake(self, mistake: ClientMistake, now: float) -> None:
        if self.stage is Stage.KEYLESS:
            self.refuse_key(now, "Send `auth` with your key first.")
            return
        if self.stage is Stage.CHECKING:
            self._hold_early(mistake, now)
            return
        self.send(Error(mistake.code, mistake.message, mistake.ref, mistake.job), now)
        if mistake.code == "bad_frame":
            self._bad_at = self._bad_at or deque(maxlen=BAD_FRAME_COUNT_MAX)
            self._bad_at.append(now)
            if len(self._bad_at) == BAD_FRAME_COUNT_MAX and self._bad_at[0] > now - MINUTE_S:
                self.close(CLOSE_BAD_FRAMES, "too many bad frames", now)

    def _overdue(self, now: float) -> None:
        if self.stage is Stage.KEYLESS:
            self.refuse_key(now, f"No key came within {self._settings.auth_s:g} s.")
        elif self.stage is Stage.CHECKING:
            self.close(CLOSE_LATER, "the key could not be checked", now)
        else:
            self._end(CLOSE_ABNORMAL, now)
            self.gone = True

    def _end(self, code: int, now: float) -> None:
        """Nothing more is read or queued; the shell closes, and aborts if that takes longer than `close_s`."""
        if self.stage is Stage.CLOSED:
            return
        if self.stage is not Stage.CLOSING:
            self._events += (Closed(code),)
        self._outbox = None
        self.stage, self._stage_by = Stage.CLOSED, now + self._settings.close_s
        self.finished = True

    def _bound_control(self, now: float) -> None:
        """A peer that pings and does not read would fill memory with our pongs."""
        if self._paused_at is not None and len(self._out) > CONTROL_BYTES_MAX:
            self._end(CLOSE_ABNORMAL, now)
            self.gone = True
