"""What goes into and comes out of the gateway machine, as values. The machine is `protocol.gateway`."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """Who identifies: a bot with `intents`, or None for a session that has no intents."""

    token: str
    intents: int | None = None
    properties: dict[str, str] = msgspec.field(
        default_factory=lambda: {"os": "linux", "browser": "limner", "device": "limner"}
    )

    def __repr__(self) -> str:
        return f"Identity(token=..., intents={self.intents!r})"


class SavedSession(msgspec.Struct, frozen=True):
    """What a later RESUME needs. `seq` must never be ahead of the effects that were stored."""

    session_id: str
    seq: int
    resume_url: str


class Reconnect(msgspec.Struct, frozen=True):
    """Connect to `url` after `wait_s`; without `resume` the connection will cost an IDENTIFY."""

    url: str
    resume: bool
    wait_s: float


class Fatal(msgspec.Struct, frozen=True):
    """Connecting again cannot help: a human must change something."""

    code: int
    reason: str


class Dispatch(msgspec.Struct, frozen=True, gc=False):
    """An event, given once: a repeated seq is dropped. `data` is JSON as it came, mostly a map, not looked into."""

    seq: int
    type: str
    data: msgspec.Raw


class Greeted(msgspec.Struct, frozen=True):
    """The server has said HELLO, and there is no session to resume: may the application IDENTIFY now?"""


class Ready(msgspec.Struct, frozen=True):
    """A new session began; what happened before it is not replayed."""

    session_id: str
    resume_url: str


class Resumed(msgspec.Struct, frozen=True):
    """Everything missed was replayed, as `replayed` events before this one."""

    replayed: int


class Strange(msgspec.Struct, frozen=True):
    """The server said what the protocol does not know, and nothing changed; `why` is one of few texts."""

    why: str


class Hangup(msgspec.Struct, frozen=True):
    """The connection is over: close it with `close_code` (None: it is closed), then do what `then` says."""

    close_code: int | None
    then: Reconnect | Fatal
    reason: str


Event: TypeAlias = Dispatch | Greeted | Ready | Resumed | Strange | Hangup
