"""What operators ask of the log: its latest lines, from a bounded ring."""

from __future__ import annotations

import msgspec

from actors.console.arguments import one_of, whole
from actors.console.desk import Desk
from actors.console.messages import AskConsole
from system.event_ring import EVENTS_MAX
from system.log_levels import LEVELS

EVENTS_LIMIT = 100
ID_MAX = 2**53


def events(desk: Desk, asked: AskConsole) -> None:
    """The latest lines, or those after one; oldest first."""
    arguments = asked.instruct.arguments
    after = whole(asked, "after", 0, 0, ID_MAX) if arguments.get("after") not in (None, "") else None
    limit = whole(asked, "limit", EVENTS_LIMIT, 1, EVENTS_MAX)
    level = one_of(asked, "level", tuple(LEVELS), None)
    found, last = desk.process.events.after(after, limit, level, str(arguments.get("filter") or "") or None)
    desk.answer(asked, {"events": msgspec.to_builtins(found), "next": last})


INSTRUCTIONS = {("events", "list"): events}
