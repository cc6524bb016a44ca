"""A Discord that says to the gateway machine what a test wants, and a clock that moves when the test says so."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from protocol import gateway as gw
from protocol.gateway import Gateway, Hangup, Identity, Reconnect, SavedSession

BASE = "wss://gateway.example/?v=9&encoding=json"
RESUME_URL = "wss://resume-1.example"
INTERVAL_S = 41.25
TOKEN = "secret-token"


class Peer:
    """A Discord that says what the test wants, and a clock that moves when the test says so."""

    def __init__(self, saved: SavedSession | None = None, seed: int = 1, **options: Any) -> None:
        self.gateway = Gateway(Identity(TOKEN, intents=513), BASE, random.Random(seed), saved, **options)
        self.now = 1000.0

    def connect(self, hello: bool = True) -> list[dict[str, Any]]:
        self.gateway.connection_made(self.now)
        if hello:
            self.say({"op": 10, "d": {"heartbeat_interval": INTERVAL_S * 1000}})
        return self.gateway.data_to_send()

    def say(self, payload: Any) -> list[gw.Event]:
        return self.hear(msgspec.json.encode(payload))

    def hear(self, document: bytes) -> list[gw.Event]:
        self.gateway.receive(document, self.now)
        return self.gateway.events_received()

    def dispatch(self, seq: int, kind: str = "MESSAGE_CREATE", **data: Any) -> list[gw.Event]:
        return self.say({"op": 0, "s": seq, "t": kind, "d": data})

    def ready(self, seq: int = 1, session_id: str = "s1") -> list[gw.Event]:
        return self.dispatch(seq, "READY", session_id=session_id, resume_gateway_url=RESUME_URL, user={"id": "7"})

    def live(self) -> Peer:
        self.connect()
        self.ready()
        return self

    def lose(self, code: int | None = None) -> Hangup:
        self.gateway.connection_lost(code, self.now)
        return only_hangup(self.gateway.events_received())

    def beat(self, acknowledge: bool) -> list[gw.Event]:
        due = self.gateway.next_deadline()
        assert due is not None
        self.now = due
        self.gateway.tick(self.now)
        events = self.gateway.events_received()
        return events + self.say({"op": 11}) if acknowledge else events


def only_hangup(events: list[gw.Event]) -> Hangup:
    (hangup,) = events
    assert isinstance(hangup, Hangup)
    return hangup


def reconnect(hangup: Hangup) -> Reconnect:
    assert isinstance(hangup.then, Reconnect)
    return hangup.then


def fail(peer: Peer) -> Reconnect:
    """The connect failed; the clock goes on to the next."""
    peer.gateway.connect_failed(peer.now)
    then = reconnect(only_hangup(peer.gateway.events_received()))
    peer.now += then.wait_s
    return then
