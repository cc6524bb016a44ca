"""Sans-I/O client of the Discord gateway: JSON documents in; events, maps to send and deadlines out.

The shell opens the WebSocket the `Reconnect` names, then tells what happens: `connection_made`, `receive` for each
document, `connection_lost`, `connect_failed`, `tick` when `next_deadline()` has come. After each call it sends
`data_to_send()` and handles `events_received()`. On `Hangup` it closes the socket with `close_code` (never 1000 or
1001, which would end the session) and does what `then` says.

Of a document only its envelope is read here (`op`, `s`, `t`); `d` is left as it came, for whoever knows its shape: most
events are of no interest, and theirs is never decoded.

Rules: discord-api-docs, developers/events/gateway.mdx and gateway-events.mdx. Where clients in the wild went wrong
(endless RESUMEs, a dead resume URL kept for ever, a missed ACK carried to the next connection, back-off forgotten on a
mere connect) the limit or reset that prevents it is named below.
"""

from __future__ import annotations

import random
from collections import deque
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from protocol import gateway_frames as frames
from protocol.close_codes import Then, meaning_of
from protocol.gateway_values import (
    Dispatch,
    Event,
    Fatal,
    Hangup,
    Identity,
    Ready,
    Reconnect,
    Resumed,
    SavedSession,
)
from protocol.tolerant import UNREADABLE

__all__ = [
    "Dispatch",
    "Event",
    "Fatal",
    "Gateway",
    "Hangup",
    "Identity",
    "Ready",
    "Reconnect",
    "Resumed",
    "SavedSession",
]

CLOSE_TO_RESUME = 4000
HELLO_S_MAX = 15.0
# READY, or the next replayed event, must come within this time of the one before.
ANSWER_S_MAX = 60.0
HEARTBEAT_S_MIN = 1.0
BACKOFF_S_BASE = 1.0
BACKOFF_S_MAX = 60.0
# A session must hold this long before earlier failures are forgotten: a mere connect proves nothing.
STABLE_S = 60.0
# Tries to resume without one new event, also at a dead URL, before a new session at the base URL.
RESUME_TRIES_MAX = 4
# Discord staff ask for a random wait of 1-5 s after an invalid session (discord-api-docs#244).
INVALID_SESSION_S = (1.0, 5.0)
# Over 1000 IDENTIFYs in 24 h Discord resets the token; we stop well below.
IDENTIFY_BUDGET = 500
IDENTIFY_WINDOW_S = 86_400.0
# 120 sends a minute close the connection (4008); heartbeats must always fit.
SEND_COUNT_MAX = 120
SEND_RESERVE = 5
SEND_WINDOW_S = 60.0
SEND_QUEUE_LENGTH_MAX = 1_000


class State(Enum):
    OFFLINE = auto()  # no connection
    GREETING = auto()  # connected, HELLO awaited
    IDENTIFYING = auto()  # READY awaited
    RESUMING = auto()  # missed events are replayed
    LIVE = auto()
    DEAD = auto()  # a fatal close: nothing more happens


class Step(Enum):
    CONNECTED = auto()
    IDENTIFY = auto()
    RESUME = auto()
    READY = auto()
    RESUMED = auto()
    HANGUP = auto()
    FATAL = auto()


# The whole life of a connection. A step that has no entry here is out of place and changes nothing.
NEXT: dict[tuple[State, Step], State] = {
    (State.OFFLINE, Step.CONNECTED): State.GREETING,
    (State.GREETING, Step.IDENTIFY): State.IDENTIFYING,
    (State.GREETING, Step.RESUME): State.RESUMING,
    (State.IDENTIFYING, Step.READY): State.LIVE,
    (State.RESUMING, Step.RESUMED): State.LIVE,
    (State.OFFLINE, Step.HANGUP): State.OFFLINE,  # a connect that failed
    (State.GREETING, Step.HANGUP): State.OFFLINE,
    (State.IDENTIFYING, Step.HANGUP): State.OFFLINE,
    (State.RESUMING, Step.HANGUP): State.OFFLINE,
    (State.LIVE, Step.HANGUP): State.OFFLINE,
    (State.GREETING, Step.FATAL): State.DEAD,
    (State.IDENTIFYING, Step.FATAL): State.DEAD,
    (State.RESUMING, Step.FATAL): State.DEAD,
    (State.LIVE, Step.FATAL): State.DEAD,
}
CONNECTED = frozenset({State.GREETING, State.IDENTIFYING, State.RESUMING, State.LIVE})


class Gateway:
    """One account's gateway session over any number of connections.

    `url` is the base URL with its query (`wss://gateway.discord.gg/?v=9&encoding=json`); a resume URL gets the same
    query. `identify_budget` is how many IDENTIFYs the next 24 h allow. All `now` are seconds of one monotonic clock.
    """

    def __init__(
        self,
        identity: Identity,
        url: str,
        rng: random.Random,
        saved: SavedSession | None = None,
        identify_budget: int = IDENTIFY_BUDGET,
    ) -> None:
        self.state = State.OFFLINE
        self._identity = identity
        self._url = url
        self._rng = rng
        self._session = saved
        self._identify_budget = identify_budget
        self._identified_at: deque[float] = deque()
        self._failures = 0
        self._resume_tries = 0
        self._events: list[Event] = []
        self._out: list[dict[str, Any]] = []
        self._begin_connection()

    def _begin_connection(self) -> None:
        """Forgets all that belongs to one connection; a stale missing ACK must not end the next one."""
        self._interval_s = 0.0
        self._beat_at: float | None = None
        self._ack_missing = False
        self._answer_by: float | None = None
        self._live_since: float | None = None
        self._replayed = 0
        self._sent_at: deque[float] = deque()
        self._queue: deque[dict[str, Any]] = deque()

    # --- what the shell asks ---

    def connect_to(self) -> Reconnect:
        """Where the first connection goes."""
        return Reconnect(self._target(), self._session is not None, 0.0)

    def events_received(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> list[dict[str, Any]]:
        """The payloads to send now, in order; some hold the token and must not be logged."""
        out, self._out = self._out, []
        return out

    def next_deadline(self) -> float | None:
        """When `tick` must be called next; None while there is no connection."""
        deadlines = [when for when in (self._beat_at, self._answer_by, self._queue_opens_at()) if when is not None]
        return min(deadlines, default=None)

    def save(self, handled_seq: int | None = None) -> SavedSession | None:
        """The session to store; `handled_seq` is the last event whose effects are stored (None: all received)."""
        if self._session is None or handled_seq is None:
            return self._session
        return msgspec.structs.replace(self._session, seq=min(handled_seq, self._session.seq))

    def send(self, payload: dict[str, Any], now: float) -> bool:
        """Sends a payload of the caller's (a presence) once the limit allows; False if it cannot be taken."""
        if self.state is not State.LIVE or len(self._queue) >= SEND_QUEUE_LENGTH_MAX:
            return False
        self._queue.append(payload)
        self._release(now)
        return True

    # --- what the shell tells ---

    def connection_made(self, now: float) -> None:
        if self._step(Step.CONNECTED):
            self._begin_connection()
            self._answer_by = now + HELLO_S_MAX

    def connect_failed(self, now: float) -> None:
        """The connect itself failed: refused, unresolved, no upgrade."""
        if self.state is State.OFFLINE:
            self._hang_up(None, "connect failed", now)

    def connection_lost(self, code: int | None, now: float) -> None:
        """The peer closed with `code`, or there is none: cut, corrupt. After a `Hangup` it is no news."""
        if self.state not in CONNECTED:
            return
        close = meaning_of(code)
        if close.then is Then.FATAL and code is not None and self._step(Step.FATAL):
            self._begin_connection()
            self._events.append(Hangup(None, Fatal(code, close.reason), close.reason))
            return
        if close.then is Then.IDENTIFY:
            self._session = None
        self._hang_up(None, close.reason, now)

    def tick(self, now: float) -> None:
        """Time has passed: beats that are due, answers that never came, sends that waited."""
        if self._answer_by is not None and now >= self._answer_by:
            awaited = "HELLO" if self.state is State.GREETING else "READY or RESUMED"
            self._hang_up(CLOSE_TO_RESUME, f"no {awaited}", now)
        elif self._beat_at is not None and now >= self._beat_at:
            if self._ack_missing:
                self._hang_up(CLOSE_TO_RESUME, "heartbeat not acknowledged", now)
            elif self._beat(now):
                self._ack_missing = True
                self._beat_at = now + self._interval_s
            else:
                self._beat_at = self._sent_at[0] + SEND_WINDOW_S
        self._release(now)

    def receive(self, document: bytes, now: float) -> None:
        """One whole document. What is unknown or malformed is ignored; what is no JSON ends the connection."""
        if self.state not in CONNECTED:
            return
        try:
            envelope = frames.ENVELOPE.decode(document)
        except msgspec.ValidationError:
            return  # JSON, but no envelope
        except UNREADABLE:
            self._hang_up(CLOSE_TO_RESUME, "a document that is no JSON", now)
            return
        op = envelope.op
        if op == frames.DISPATCH:
            self._receive_dispatch(envelope, now)
        elif op == frames.HEARTBEAT:
            self._beat(now)
        elif op == frames.HEARTBEAT_ACK:
            self._ack_missing = False
        elif op == frames.HELLO:
            self._receive_hello(envelope.d, now)
        elif op == frames.RECONNECT:
            self._hang_up(CLOSE_TO_RESUME, "the server asks to reconnect", now)
        elif op == frames.INVALID_SESSION:
            wait_s_min = 0.0
            if envelope.d != frames.TRUE:
                self._session, wait_s_min = None, self._rng.uniform(*INVALID_SESSION_S)
            self._hang_up(CLOSE_TO_RESUME, "invalid session", now, wait_s_min)

    # --- how it is done ---

    def _receive_hello(self, data: msgspec.Raw, now: float) -> None:
        hello = frames.HELLO_DATA.read(data)
        if hello is None or hello.heartbeat_interval is None:
            return
        session = self._session
        if not self._step(Step.IDENTIFY if session is None else Step.RESUME):
            return
        self._interval_s = max(hello.heartbeat_interval / 1000, HEARTBEAT_S_MIN)
        self._beat_at = now + self._interval_s * self._rng.random()
        self._answer_by = now + ANSWER_S_MAX
        if session is not None:
            resume = {"token": self._identity.token, "session_id": session.session_id, "seq": session.seq}
            self._put({"op": frames.RESUME, "d": resume}, now)
            return
        self._identified_at.append(now)
        identify: dict[str, Any] = {"token": self._identity.token, "properties": self._identity.properties}
        if self._identity.intents is not None:
            identify["intents"] = self._identity.intents
        self._put({"op": frames.IDENTIFY, "d": identify}, now)

    def _receive_dispatch(self, envelope: frames.Envelope, now: float) -> None:
        seq, kind = envelope.s, envelope.t
        if not isinstance(seq, int) or not isinstance(kind, str):
            return
        if self.state is State.IDENTIFYING:
            if kind == "READY":
                self._receive_ready(seq, envelope.d, now)
            return
        if self._session is None or seq <= self._session.seq:
            if kind == "RESUMED":
                self._receive_resumed(now)
            return
        self._session = SavedSession(self._session.session_id, seq, self._session.resume_url)
        self._resume_tries = 0
        if kind == "RESUMED":
            self._receive_resumed(now)
            return
        if self.state is State.RESUMING:
            self._replayed += 1
            self._answer_by = now + ANSWER_S_MAX
        self._events.append(Dispatch(seq, kind, envelope.d))

    def _receive_ready(self, seq: int, data: msgspec.Raw, now: float) -> None:
        welcome = frames.READY_DATA.read(data)
        if welcome is None or welcome.session_id is None or not self._step(Step.READY):
            return
        resume_url = welcome.resume_gateway_url
        if resume_url is None or not _as_safe(resume_url, self._url):
            resume_url = self._url
        self._session = SavedSession(welcome.session_id, seq, resume_url)
        self._became_live(now)
        self._events.append(Ready(welcome.session_id, resume_url))

    def _receive_resumed(self, now: float) -> None:
        if self._step(Step.RESUMED):
            self._became_live(now)
            self._events.append(Resumed(self._replayed))

    def _became_live(self, now: float) -> None:
        self._answer_by = None
        self._live_since = now
        self._resume_tries = 0

    def _hang_up(self, close_code: int | None, reason: str, now: float, wait_s_min: float = 0.0) -> None:
        """Ends the connection and decides the next: resume while that is hopeful, else a new session."""
        stable = self._live_since is not None and now - self._live_since >= STABLE_S
        if not self._step(Step.HANGUP):
            return
        self._begin_connection()
        self._out = []
        self._failures = 1 if stable else self._failures + 1
        if self._resume_tries >= RESUME_TRIES_MAX:
            self._session = None
        backoff_s = min(BACKOFF_S_MAX, BACKOFF_S_BASE * 2 ** min(self._failures - 1, 16))
        wait_s = max(wait_s_min, self._rng.uniform(0, backoff_s))
        if self._session is None:
            self._resume_tries = 0
            wait_s = max(wait_s, self._identify_wait_s(now))
        else:
            self._resume_tries += 1
        then = Reconnect(self._target(), self._session is not None, wait_s)
        self._events.append(Hangup(close_code, then, reason))

    def _identify_wait_s(self, now: float) -> float:
        while self._identified_at and self._identified_at[0] <= now - IDENTIFY_WINDOW_S:
            self._identified_at.popleft()
        if len(self._identified_at) < self._identify_budget:
            return 0.0
        oldest = self._identified_at[0] if self._identified_at else now
        return oldest + IDENTIFY_WINDOW_S - now

    def _target(self) -> str:
        return self._url if self._session is None else with_query_of(self._session.resume_url, self._url)

    def _step(self, step: Step) -> bool:
        """Takes a step of the table; False, and nothing changed, where it is out of place."""
        following = NEXT.get((self.state, step))
        if following is None:
            return False
        self.state = following
        return True

    def _beat(self, now: float) -> bool:
        """Sends a heartbeat; False if even the reserve is used up (a server that floods us with op 1)."""
        self._forget_sent(now)
        if len(self._sent_at) >= SEND_COUNT_MAX:
            return False
        self._put({"op": frames.HEARTBEAT, "d": None if self._session is None else self._session.seq}, now)
        return True

    def _put(self, payload: dict[str, Any], now: float) -> None:
        self._sent_at.append(now)
        self._out.append(payload)

    def _release(self, now: float) -> None:
        self._forget_sent(now)
        while self._queue and len(self._sent_at) < SEND_COUNT_MAX - SEND_RESERVE:
            self._put(self._queue.popleft(), now)

    def _forget_sent(self, now: float) -> None:
        while self._sent_at and self._sent_at[0] <= now - SEND_WINDOW_S:
            self._sent_at.popleft()

    def _queue_opens_at(self) -> float | None:
        if not self._queue:
            return None
        return self._sent_at[max(0, len(self._sent_at) - (SEND_COUNT_MAX - SEND_RESERVE))] + SEND_WINDOW_S


def with_query_of(url: str, base: str) -> str:
    """`url` with the path and query of `base`: a resume URL comes bare, and must be asked in the same dialect."""
    parts, model = urlsplit(url), urlsplit(base)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or model.path or "/", model.query, ""))


def _as_safe(url: str, base: str) -> bool:
    """Whether the token may be shown to `url`: never in clear where the base URL is encrypted."""
    scheme = urlsplit(url).scheme
    return scheme == "wss" or (scheme == "ws" and urlsplit(base).scheme == "ws")
