"""What operators ask of actors, by their names."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from typing import Any

import msgspec

from actors.console.arguments import number, one_of, whole
from actors.console.desk import UNCHANGED, Desk
from actors.console.messages import AskConsole
from actors.shell import AskSummary, Kill, Summary
from protocol.client import ClientMistake
from system.log_levels import LEVELS
from system.stats import ActorStats

SUMMARY_S_MAX = 1.0
#: Actors described, or encoded, at once: then others have their turn. Ten thousand at once would hold up the loop.
SLICE = 500
#: By what actors are sorted; numbers: the most first.
SORTS = {
    "name": "name",
    "depth": "depth",
    "rate": "rate",
    "restarts": "restarts",
    "uptime": "uptime_s",
    "busy": "busy_s",
}
#: Without these nobody could be resumed: they carry, check, and carry out what the operator says.
NEEDED = frozenset({"root", "gate", "console", "store"})
LIMIT_MAX = 1_000_000
LEVEL_S, LEVEL_S_MAX = 300.0, 86_400.0


def tree(desk: Desk, asked: AskConsole) -> None:
    """All actors, or some of them, in the order of their births or by a number of theirs."""
    sort = one_of(asked, "sort", tuple(SORTS), None)
    arguments = asked.instruct.arguments
    limit = whole(asked, "limit", LIMIT_MAX, 1, LIMIT_MAX)
    sought, under = str(arguments.get("filter") or "").casefold(), str(arguments.get("under") or "")
    desk.work(_tree(desk, asked, sort, sought, under, limit), "tree")


async def _tree(desk: Desk, asked: AskConsole, sort: str | None, sought: str, under: str, limit: int) -> None:
    """In slices, so that others have their turn in between."""
    base, now = desk.base, desk.now()
    found: list[ActorStats] = []
    records = [record for record in base.actors() if not under or _parent_of(record) == under]
    for at in range(0, len(records), SLICE):
        found += [
            base.describe(record, now)
            for record in records[at : at + SLICE]
            if record.instance is not None and sought in record.label.casefold()
        ]
        await asyncio.sleep(0)
    if sort == "name":
        found.sort(key=lambda stats: stats.name or stats.address)
    elif sort is not None:
        found.sort(key=attrgetter(SORTS[sort]), reverse=True)
    shown = found[:limit]
    pieces = []
    for at in range(0, len(shown), SLICE):
        pieces.append(msgspec.json.encode(shown[at : at + SLICE])[1:-1])
        await asyncio.sleep(0)
    desk.answer(asked, {"actors": msgspec.Raw(b"[" + b",".join(pieces) + b"]"), "total": len(found)})


def _parent_of(record: Any) -> str | None:
    return record.parent.label if record.parent is not None else None


def one(desk: Desk, asked: AskConsole) -> None:
    """An actor, and what it says of itself, in its own turn."""
    record = desk.base.names[_meant(desk, asked)]

    def shown(**more: Any) -> None:
        stats = msgspec.to_builtins(desk.base.describe(record, desk.now()))
        desk.answer(asked, stats | more)

    def heard(summary: Summary) -> None:
        desk.settled(ask)
        shown(state=summary.state)

    def overdue() -> None:
        if record.instance is None:
            desk.refuse(asked, "not_found", "The actor has just ended.")
            return
        why = "it is suspended" if record.suspended else f"it did not answer within {SUMMARY_S_MAX:g} s"
        shown(state=None, silent=why)

    if record.suspended:
        overdue()
        return
    ask = desk.expect(SUMMARY_S_MAX, heard, overdue)
    desk.tell(record.label, AskSummary(ask))


def restart(desk: Desk, asked: AskConsole) -> None:
    """It dies as if by a fault; its supervisor starts it again."""
    name = _meant(desk, asked)
    desk.changed(asked)  # first: it may be the gate's, or ours, or root's end
    desk.tell(name, Kill(f"restarted by {asked.user}"))


def suspend(desk: Desk, asked: AskConsole) -> None:
    """What is told to it waits until it is resumed, or started again."""
    name = _meant(desk, asked)
    if name in NEEDED:
        raise ClientMistake("forbidden", f"Without {name} nobody could be resumed; it cannot be suspended.")
    if desk.base.suspend(name):
        desk.changed(asked)
    else:
        desk.answer(asked, UNCHANGED)


def resume(desk: Desk, asked: AskConsole) -> None:
    """It takes its mail again, in order."""
    if desk.base.resume(_meant(desk, asked)):
        desk.changed(asked)
    else:
        desk.answer(asked, UNCHANGED)


def loglevel(desk: Desk, asked: AskConsole) -> None:
    """For a while the actor says more, or less."""
    name = _meant(desk, asked)
    level = one_of(asked, "level", tuple(LEVELS), None)
    if level is None:
        raise ClientMistake("bad_frame", f"Give level, one of {', '.join(LEVELS)}.")
    seconds = number(asked, "seconds", LEVEL_S, 1.0, LEVEL_S_MAX)
    if desk.process.log_levels.set(name, level, desk.now() + seconds):
        desk.changed(asked)
    else:
        desk.answer(asked, UNCHANGED)


def _meant(desk: Desk, asked: AskConsole) -> str:
    """Which living actor is meant. Raises ClientMistake."""
    name = asked.instruct.id or ""
    if desk.base.whereis(name) is None:
        raise ClientMistake("not_found", f"There is no actor {name}; `limner admin tree` shows them.")
    return name


INSTRUCTIONS = {
    ("tree", "list"): tree,
    ("actors", "show"): one,
    ("actors", "restart"): restart,
    ("actors", "suspend"): suspend,
    ("actors", "resume"): resume,
    ("actors", "loglevel"): loglevel,
}
