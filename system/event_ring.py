"""The latest log lines, kept for the console: a ring of EVENTS_MAX, masked like the log, with ids that only grow."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from system.log_levels import LEVELS, USUAL

EVENTS_MAX = 2_000
#: Of one text (an exception with its traceback may be long), and of what a line has beside its event.
TEXT_CHARS_MAX, FIELDS_MAX = 2_000, 30
#: What stands in a line's own places, not among its fields.
_OWN = frozenset({"event", "level", "actor", "timestamp"})


class LogEvent(msgspec.Struct, frozen=True):
    """One line of the log. `at` is RFC 3339, UTC; `level` one of LEVELS; `fields` hold plain values only."""

    id: int
    at: str
    level: str
    actor: str | None
    event: str
    fields: dict[str, Any]


class EventRing:
    """See the module. Ids begin at the Unix time in ms, so those of a daemon's next life are greater."""

    def __init__(self, length_max: int = EVENTS_MAX, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._last = int(wall() * 1000)
        self._ring: deque[LogEvent] = deque(maxlen=length_max)

    def __len__(self) -> int:
        return len(self._ring)

    def add(self, line: Mapping[str, Any]) -> None:
        """Keeps a line of the log, whose secrets are masked already. The oldest one makes room."""
        self._last += 1
        at = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        actor = line.get("actor")
        fields = {name: _plain(value) for name, value in islice(line.items(), FIELDS_MAX) if name not in _OWN}
        self._ring.append(
            LogEvent(
                self._last, at, str(line.get("level", "info")), str(actor) if actor is not None else None,
                _plain(str(line.get("event", ""))), fields,
            )
        )  # fmt: skip

    def after(
        self, id: int | None = None, limit: int = 100, level: str | None = None, text: str | None = None
    ) -> tuple[list[LogEvent], int]:
        """At most `limit` events later than `id`, oldest first, and the id to go on from; without `id` the latest ones.

        `level`: this one and graver; raises KeyError on one that is not of LEVELS. `text` stands somewhere in the line,
        in whatever case.
        """
        gravest_below, sought = LEVELS[level or "debug"], (text or "").lower()
        wanted = (
            event
            for event in (self._since(id) if id is not None else reversed(self._ring))
            if LEVELS.get(event.level, USUAL) >= gravest_below and (not sought or _holds(event, sought))
        )
        found = list(islice(wanted, max(0, limit)))
        if id is None:
            return found[::-1], self._last
        return found, found[-1].id if len(found) == limit and found else max(id, self._last)

    def _since(self, id: int) -> Iterator[LogEvent]:
        """Ids have no gaps, so it is known how many of the ring are later."""
        return islice(self._ring, max(0, len(self._ring) - max(0, self._last - id)), None)


def _holds(event: LogEvent, sought: str) -> bool:
    texts = (event.event, event.actor or "", *event.fields, *map(str, event.fields.values()))
    return any(sought in text.lower() for text in texts)


def _plain(value: Any) -> Any:
    """As JSON has it, and short: a ring of lines is no place for a live object."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - 1] + "…"
