"""Sessions: who listens to the gateway, and what each may still have missed.

A session is a numbered list of events. A connection is a cursor that walks along it; after a cut another
connection continues from the number its client last saw. So live delivery and replay are one and the same walk.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from sim.identity import People
from sim.store import Store

REPLAY_EVENTS_MAX = 500  # of about 1 KiB each: many times what an account can have under way
PRUNE_EACH = 500  # stored events are dropped in portions
SESSION_KEPT_S = 180.0  # "a few minutes" (GW) after a connection was lost
# Links in stored events stand on this instead of a scheme and host, which may change with a restart.
CDN_HERE = "sim-cdn://here"

# The intents that let an event through (GW, List of Intents): in a guild, and in a direct channel.
MESSAGES, REACTIONS, TYPING = (1 << 9, 1 << 12), (1 << 10, 1 << 13), (1 << 11, 1 << 14)
INTENTS_OF = {
    "GUILD_CREATE": (1 << 0, 0),
    "MESSAGE_CREATE": MESSAGES,
    "MESSAGE_UPDATE": MESSAGES,
    "MESSAGE_DELETE": MESSAGES,
    "MESSAGE_REACTION_ADD": REACTIONS,
    "MESSAGE_REACTION_REMOVE": REACTIONS,
    "TYPING_START": TYPING,
}
MESSAGE_CONTENT = 1 << 15
CONTENT_FIELDS = ("content", "embeds", "attachments", "components", "poll")
SPOKEN_ONCE = ("READY", "RESUMED")  # belongs to one connection: never replayed


class Walker(Protocol):
    """A connection, as a session sees it."""

    def wake(self) -> None: ...


class Event(msgspec.Struct):
    """One dispatch: number, name, and its data as JSON text."""

    seq: int
    name: str
    data: msgspec.Raw


class Session(msgspec.Struct):
    """`left_at` is when its last connection was lost (unix s), None while connected."""

    id: str
    account_id: str
    intents: int
    bot: bool
    seq: int = 0
    left_at: float | None = None


class Line:
    """A session with its events and the connection walking along them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: deque[Event] = deque(maxlen=REPLAY_EVENTS_MAX)
        self.walker: Walker | None = None
        self.lost_up_to = 0  # the highest number that is no longer here

    def add(self, event: Event) -> None:
        if len(self.events) == REPLAY_EVENTS_MAX:
            self.lost_up_to = self.events[0].seq
        self.events.append(event)
        self.session.seq = max(self.session.seq, event.seq)

    def has_all_since(self, seq: int) -> bool:
        """Whether everything after `seq` is still here to be replayed."""
        return seq >= self.lost_up_to

    def after(self, seq: int) -> Event | None:
        """The first event numbered higher than `seq`."""
        if not self.events or seq >= self.session.seq:
            return None
        # Numbers have gaps only where something spoken once was taken out, so the guess is close and from the left.
        place = max(0, len(self.events) - (self.session.seq - seq))
        while place < len(self.events) and self.events[place].seq <= seq:
            place += 1
        return self.events[place] if place < len(self.events) else None


class Hub:
    """All sessions. `publish` gives one event to everyone it concerns."""

    def __init__(self, store: Store, people: People) -> None:
        self.store = store
        self.people = people
        self.lines: dict[str, Line] = {}
        self.of_account: dict[str, list[Line]] = {}
        self.held_back: set[Walker] | None = None  # who will be woken a little later, while someone asks for that
        for _, session in store.load("sessions", Session):
            session.left_at = session.left_at or time.time()
            self.add(session)
        for key, event in store.load("events", Event):
            line = self.lines.get(key.partition("/")[0])
            if line is not None:
                line.add(event)

    def add(self, session: Session) -> Line:
        line = self.lines[session.id] = Line(session)
        self.of_account.setdefault(session.account_id, []).append(line)
        return line

    def open(self, session: Session) -> Line:
        """A new session; the store is rid of those that were kept too long."""
        for line in [line for line in self.lines.values() if self.is_stale(line)]:
            self.end(line)
        self.store.put("sessions", session.id, session)
        return self.add(session)

    def find(self, session_id: object) -> Line | None:
        line = self.lines.get(session_id) if isinstance(session_id, str) else None
        if line is not None and self.is_stale(line):
            self.end(line)
            return None
        return line

    def is_stale(self, line: Line) -> bool:
        left_at = line.session.left_at
        return left_at is not None and time.time() - left_at > SESSION_KEPT_S

    def end(self, line: Line) -> None:
        session = line.session
        if self.lines.pop(session.id, None) is not None:
            self.of_account[session.account_id].remove(line)
            self.store.drop("sessions", session.id)
            self.store.drop_between("events", f"{session.id}/", f"{session.id}0")

    def attach(self, line: Line, walker: Walker) -> None:
        line.walker = walker
        line.session.left_at = None
        line.events = deque((event for event in line.events if event.name not in SPOKEN_ONCE), REPLAY_EVENTS_MAX)
        self.store.put("sessions", line.session.id, line.session)

    def leave(self, line: Line, walker: Walker) -> None:
        """The connection is gone; a newer one may have taken its place already."""
        if line.walker is walker and line.session.id in self.lines:
            line.walker = None
            line.session.left_at = time.time()
            self.store.put("sessions", line.session.id, line.session)

    def publish(
        self, name: str, data: dict[str, Any], to: Iterable[str], *, owner: str | None = None, nonce: str | None = None
    ) -> None:
        """Give the event to the sessions of the accounts `to`; `nonce` is shown to the account `owner` alone."""
        plain = msgspec.Raw(msgspec.json.encode(data))
        with self.store:
            for account_id in to:
                for line in self.of_account.get(account_id, ()):
                    self.append(line, name, self.seen_by(line.session, name, data, plain, owner, nonce))

    def seen_by(
        self,
        session: Session,
        name: str,
        data: dict[str, Any],
        plain: msgspec.Raw,
        owner: str | None,
        nonce: str | None,
    ) -> msgspec.Raw | None:
        """What this session may see of the event: None when its intents leave it out (GW, MESSAGE_CONTENT)."""
        if session.bot:
            in_guild, in_direct = INTENTS_OF.get(name, (0, 0))
            needed = in_guild if "guild_id" in data or name == "GUILD_CREATE" else in_direct
            if needed and not session.intents & needed:
                return None
            if not session.intents & MESSAGE_CONTENT and not concerns(session.account_id, data):
                hidden = {field: "" if field == "content" else [] for field in CONTENT_FIELDS if field in data}
                return msgspec.Raw(msgspec.json.encode({**data, **hidden})) if hidden else plain
        if nonce is not None and session.account_id == owner:
            return msgspec.Raw(msgspec.json.encode({**data, "nonce": nonce}))
        return plain

    def append(self, line: Line, name: str, data: msgspec.Raw | None) -> None:
        if data is None:
            return
        session = line.session
        line.add(Event(session.seq + 1, name, data))
        if name in SPOKEN_ONCE:
            self.store.put("sessions", session.id, session)
        else:
            self.store.put("events", f"{session.id}/{session.seq:012d}", line.events[-1])
        if session.seq % PRUNE_EACH == 0:
            self.store.drop_between("events", f"{session.id}/", f"{session.id}/{line.lost_up_to:012d}")
            self.store.put("sessions", session.id, session)
        if self.held_back is not None and line.walker is not None:
            self.held_back.add(line.walker)
        elif line.walker is not None:
            line.walker.wake()

    @contextlib.contextmanager
    def later(self, delay_s: float) -> Iterator[None]:
        """What is published within is kept at once, and sent when `delay_s` have passed."""
        held_back = self.held_back = set()
        try:
            yield
        finally:
            self.held_back = None
            asyncio.get_running_loop().call_later(delay_s, wake_all, held_back)

    def say(self, line: Line, name: str, data: dict[str, Any]) -> None:
        """Append an event for this session alone."""
        self.append(line, name, msgspec.Raw(msgspec.json.encode(data)))


def concerns(account_id: str, data: dict[str, Any]) -> bool:
    """Whether a bot sees what a message says without MESSAGE_CONTENT: its own, a direct one, one that mentions it."""
    named = [data.get("author", {}), *data.get("mentions", [])]
    return "guild_id" not in data or any(user.get("id") == account_id for user in named)


def wake_all(walkers: Iterable[Walker]) -> None:
    for walker in walkers:
        walker.wake()
