"""Sans-I/O client of the Discord gateway: JSON documents in; events, maps to send and deadlines out.

The shell opens the WebSocket the `Reconnect` names, then tells what happens: `connection_made`, `receive` for each
document, `connection_lost`, `connect_failed`, `tick` when `next_deadline()` has come. After each call it sends
`data_to_send()` and handles `events_received()`. On `Hangup` it closes the socket with `close_code` (never 1000 or
1001, which would end the session) and does what `then` says. On `Greeted` (of a `gated` machine) it asks whether the
application may IDENTIFY now, and tells the answer: `identify` or `put_off`.

Of a document only its envelope is read here (`op`, `s`, `t`); `d` is left as it came, for whoever knows its shape: most
events are of no interest, and theirs is never decoded.

Rules: discord-api-docs, developers/events/gateway.mdx and gateway-events.mdx. Where clients in the wild went wrong
(endless RESUMEs, a dead resume URL kept for ever, a missed ACK carried to the next connection, back-off forgotten on a
mere connect) the limit or reset that prevents it is named below.
"""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from protocol import gateway_frames as frames
from protocol.close_codes import Then, meaning_of
from protocol.gateway_backoff import Backoff
from protocol.gateway_sends import Sends
from protocol.gateway_states import CONNECTED, NEXT, State, Step
from protocol.gateway_values import (
    Dispatch,
    Event,
    Fatal,
    Greeted,
    Hangup,
    Identity,
    Ready,
    Reconnect,
    Resumed,
    SavedSession,
    Strange,
)
from protocol.tolerant import UNREADABLE

__all__ = [
    "Dispatch",
    "Event",
    "Fatal",
    "Gateway",
    "Greeted",
    "Hangup",
    "Identity",
    "Ready",
    "Reconnect",
    "Resumed",
    "SavedSession",
    "State",
    "Strange",
]

CLOSE_TO_RESUME = 4000
HELLO_S_MAX = 15.0
# READY, or the next replayed event, must come within this time of the one before.
ANSWER_S_MAX = 60.0
HEARTBEAT_S_MIN = 1.0
# RESUMEs without one new event before a new session at the base URL: a RESUMED that does not hold proves nothing,
# unless the server itself asks to come again.
RESUME_TRIES_MAX = 4
RESUME_HELD_S = 10.0
# Connects to the resume URL that may fail before the base URL is tried: if that answers, the resume URL is dead (and
# gets one last try); if not, it is the network, and the session waits as long as Discord keeps it ("a few minutes").
UNREACHED_MAX = 2
SESSION_KEPT_S_MAX = 300.0
# Discord staff ask for a random wait of 1-5 s after an invalid session (discord-api-docs#244).
INVALID_SESSION_S = (1.0, 5.0)


class Gateway:
    """One account's gateway session over any number of connections.

    `url` is the base URL with its query (`wss://gateway.discord.gg/?v=9&encoding=json`); a resume URL gets the same
    query. `gated`: before each IDENTIFY the shell is asked by `Greeted`. All `now` are seconds of one monotonic clock.
    """

    def __init__(
        self,
        identity: Identity,
        url: str,
        rng: random.Random,
        saved: SavedSession | None = None,
        gated: bool = False,
    ) -> None:
        self.state = State.OFFLINE
        self._identity = identity
        self._url = url
        self._rng = rng
        self._session = saved
        self._gated = gated
        self._backoff = Backoff()
        self._resume_tries = 0
        self._unreached = 0
        self._probing = False  # the next connect goes to the base URL, only to see whether it answers
        self._last_try = False  # it has answered: the resume URL is tried once more
        self._lost_at: float | None = None
        self._events: list[Event] = []
        self._begin_connection()

    def _begin_connection(self) -> None:
        """Forgets all that belongs to one connection; a stale missing ACK must not end the next one."""
        self._interval_s = 0.0
        self._beat_at: float | None = None
        self._ack_missing = False
        self._answer_by: float | None = None
        self._live_since: float | None = None
        self._replayed = 0
        self._sends = Sends()

    # --- what the shell asks ---

    def connect_to(self, within_s: float = 0.0) -> Reconnect:
        """Where the first connection goes, and when: not all who start together shall knock together."""
        return Reconnect(self._target(), self._session is not None, self._rng.uniform(0.0, within_s))

    def events_received(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    @property
    def is_connected(self) -> bool:
        """Whether `connection_made` was told and the connection has not ended since."""
        return self.state in CONNECTED

    @property
    def has_events(self) -> bool:
        """Whether `events_received` would give any."""
        return bool(self._events)

    def data_to_send(self) -> list[dict[str, Any]]:
        """The payloads to send now, in order; some hold the token and must not be logged."""
        return self._sends.take()

    def next_deadline(self) -> float | None:
        """When `tick` must be called next; None while there is no connection."""
        deadlines = [when for when in (self._beat_at, self._answer_by, self._sends.opens_at()) if when is not None]
        return min(deadlines, default=None)

    def save(self, handled_seq: int | None = None) -> SavedSession | None:
        """The session to store; `handled_seq` is the last event whose effects are stored (None: all received)."""
        if self._session is None or handled_seq is None:
            return self._session
        return msgspec.structs.replace(self._session, seq=min(handled_seq, self._session.seq))

    def send(self, payload: dict[str, Any], now: float) -> bool:
        """Sends a payload of the caller's (a presence) once the limit allows; False if it cannot be taken."""
        return self.state is State.LIVE and self._sends.wait(payload, now)

    # --- what the shell tells ---

    def connection_made(self, now: float) -> None:
        if not self._step(Step.CONNECTED):
            return
        self._begin_connection()
        self._unreached = 0
        self._answer_by = now + HELLO_S_MAX
        if self._probing:
            self._probing, self._last_try = False, True
            self._hang_up(CLOSE_TO_RESUME, "the base URL answers: the resume URL's last try", now, is_failure=False)
        elif self._session is not None:
            self._resume_tries += 1

    def connect_failed(self, now: float) -> None:
        """The connect itself failed: refused, unresolved, no upgrade."""
        if self.state is not State.OFFLINE:
            return
        self._unreached += 1
        if self._last_try:
            self._session = None
        self._hang_up(None, "connect failed", now)

    def identify(self, now: float) -> None:
        """The application may IDENTIFY now. Too late an answer (the connection is another) changes nothing."""
        if not self._step(Step.IDENTIFY):
            return
        self._answer_by = now + ANSWER_S_MAX
        identify: dict[str, Any] = {"token": self._identity.token, "properties": self._identity.properties}
        if self._identity.intents is not None:
            identify["intents"] = self._identity.intents
        self._sends.put({"op": frames.IDENTIFY, "d": identify}, now)

    def put_off(self, wait_s: float, now: float) -> None:
        """The application may not IDENTIFY for so long: no connection is kept meanwhile."""
        if self.state is State.ASKING:
            self._hang_up(CLOSE_TO_RESUME, "an IDENTIFY is not allowed yet", now, wait_s, is_failure=False)

    def leave(self, now: float) -> None:
        """Leave a live connection and resume: the replay proves what was and what was not."""
        if self.state is State.LIVE:
            self._resume_tries = 0
            self._hang_up(CLOSE_TO_RESUME, "to resume", now, is_failure=False)

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
                self._beat_at = self._sends.beat_opens_at()
        self._sends.release(now)

    def receive(self, document: bytes, now: float) -> None:
        """One whole document. Unknown or malformed it is `Strange`; what is no JSON ends the connection."""
        if self.state not in CONNECTED:
            return
        try:
            envelope = frames.ENVELOPE.decode(document)
        except msgspec.ValidationError:
            self._events.append(Strange("a document without an envelope"))
            return
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
            self._hang_up(CLOSE_TO_RESUME, "the server asks to reconnect", now, is_failure=not self._is_invited())
        elif op == frames.INVALID_SESSION:
            wait_s_min = 0.0
            if envelope.d != frames.TRUE:
                self._session, wait_s_min = None, self._rng.uniform(*INVALID_SESSION_S)
            is_failure = self._session is None or not self._is_invited()
            self._hang_up(CLOSE_TO_RESUME, "invalid session", now, wait_s_min, is_failure)
        else:
            self._events.append(Strange("an unknown opcode"))

    # --- how it is done ---

    def _receive_hello(self, data: msgspec.Raw, now: float) -> None:
        hello = frames.HELLO_DATA.read(data)
        if hello is None or hello.heartbeat_interval is None:
            self._events.append(Strange("a HELLO without an interval"))
            return
        session = self._session
        if not self._step(Step.ASK if session is None else Step.RESUME):
            return
        self._interval_s = max(hello.heartbeat_interval / 1000, HEARTBEAT_S_MIN)
        self._beat_at = now + self._interval_s * self._rng.random()
        self._answer_by = now + ANSWER_S_MAX
        if session is not None:
            resume = {"token": self._identity.token, "session_id": session.session_id, "seq": session.seq}
            self._sends.put({"op": frames.RESUME, "d": resume}, now)
        elif self._gated:
            self._events.append(Greeted())
        else:
            self.identify(now)

    def _receive_dispatch(self, envelope: frames.Envelope, now: float) -> None:
        seq, kind = envelope.s, envelope.t
        if not frames.is_seq(seq) or not isinstance(kind, str):
            self._events.append(Strange("a dispatch without a number or a name"))
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
        if kind == "RESUMED":
            self._receive_resumed(now)
            return
        self._resume_tries = 0
        if self.state is State.RESUMING:
            self._replayed += 1
            self._answer_by = now + ANSWER_S_MAX
        self._events.append(Dispatch(seq, kind, envelope.d))

    def _receive_ready(self, seq: int, data: msgspec.Raw, now: float) -> None:
        welcome = frames.READY_DATA.read(data)
        if welcome is None or welcome.session_id is None or not self._step(Step.READY):
            self._events.append(Strange("a READY without a session"))
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
        self._lost_at = None
        self._last_try = False

    def _is_invited(self) -> bool:
        """The server asks to come again: of a live session nothing is wrong; instead of HELLO, no RESUME was tried."""
        if self.state is State.LIVE:
            self._resume_tries = 0
        elif self.state is State.GREETING:
            self._resume_tries = max(0, self._resume_tries - 1)
        return self.state is State.LIVE

    def _hang_up(
        self, close_code: int | None, reason: str, now: float, wait_s_min: float = 0.0, is_failure: bool = True
    ) -> None:
        """Ends the connection and decides the next: resume while that is hopeful, else a new session."""
        live_s = 0.0 if self._live_since is None else now - self._live_since
        if not self._step(Step.HANGUP):
            return
        self._begin_connection()
        self._backoff.held(live_s)
        if is_failure:
            self._backoff.failed(now)
        if live_s >= RESUME_HELD_S:
            self._resume_tries = 0
        self._lost_at = now if self._lost_at is None else self._lost_at
        if self._resume_tries >= RESUME_TRIES_MAX or now - self._lost_at >= SESSION_KEPT_S_MAX:
            self._session = None
        if self._session is None:
            self._resume_tries, self._last_try = 0, False
        self._probing = self._is_to_probe()
        wait_s = max(wait_s_min, self._backoff.wait_s(now, self._rng))
        then = Reconnect(self._target(), self._session is not None and not self._probing, wait_s)
        self._events.append(Hangup(close_code, then, reason))

    def _is_to_probe(self) -> bool:
        """Whether it is the base URL's turn to show if it answers where the resume URL did not."""
        if self._session is None or self._last_try or self._unreached < UNREACHED_MAX:
            return False
        elsewhere = with_query_of(self._session.resume_url, self._url) != self._url
        return elsewhere and (self._unreached - UNREACHED_MAX) % 2 == 0

    def _target(self) -> str:
        if self._session is None or self._probing:
            return self._url
        return with_query_of(self._session.resume_url, self._url)

    def _step(self, step: Step) -> bool:
        """Takes a step of the table; False, and nothing changed, where it is out of place."""
        following = NEXT.get((self.state, step))
        if following is None:
            return False
        self.state = following
        return True

    def _beat(self, now: float) -> bool:
        """Sends a heartbeat; False if there is no place for it in this minute."""
        seq = None if self._session is None else self._session.seq
        return self._sends.put_beat({"op": frames.HEARTBEAT, "d": seq}, now)


def with_query_of(url: str, base: str) -> str:
    """`url` with the path and query of `base`: a resume URL comes bare, and must be asked in the same dialect."""
    parts, model = urlsplit(url), urlsplit(base)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or model.path or "/", model.query, ""))


def _as_safe(url: str, base: str) -> bool:
    """Whether the token may be shown to `url`: never in clear where the base URL is encrypted."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # an address that is none
        return False
    return scheme == "wss" or (scheme == "ws" and urlsplit(base).scheme == "ws")
