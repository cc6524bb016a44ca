"""What operators ask of actors, by their names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import nlargest, nsmallest
from operator import attrgetter
from typing import Any

import msgspec

from actors.console.arguments import number, one_of, whole
from actors.console.desk import UNCHANGED, Desk
from actors.console.messages import AskConsole
from actors.shell import AskSummary, Kill, Summary
from protocol.client import ClientMistake
from system.log_levels import LEVELS
from system.loop_base import LoopBase
from system.record import ActorRecord

SUMMARY_S_MAX = 1.0
#: Actors compared, or described, at once: then others have their turn. Ten thousand at once would hold up the loop.
COMPARED_SLICE, SLICE = 5_000, 1_000
#: By what actors are sorted; numbers: the most first. As they stand in a description, which is ten times as dear.
SORTS: dict[str, Callable[[ActorRecord], float]] = {
    "depth": lambda record: record.enqueued - record.handled,
    "rate": attrgetter("rate"),
    "uptime": lambda record: -record.born_at,
    "busy": attrgetter("busy_s"),
}
RESTARTS = "restarts"
BY_NAME = "name"
#: Without these nobody could be resumed: they carry, check, and carry out what the operator says.
NEEDED = frozenset({"root", "gate", "console", "store"})
LIMIT_MAX = 1_000_000
LEVEL_S, LEVEL_S_MAX = 300.0, 86_400.0


def tree(desk: Desk, asked: AskConsole) -> None:
    """All actors, or some of them, in the order of their births or by a number of theirs."""
    sort = one_of(asked, "sort", (BY_NAME, *SORTS, RESTARTS), None)
    arguments = asked.instruct.arguments
    limit = whole(asked, "limit", LIMIT_MAX, 1, LIMIT_MAX)
    sought, under = str(arguments.get("filter") or "").casefold(), str(arguments.get("under") or "")
    desk.work(_tree(desk, asked, sort, sought, under, limit), "tree")


async def _tree(desk: Desk, asked: AskConsole, sort: str | None, sought: str, under: str, limit: int) -> None:
    """First who is shown, then all about these; in slices, so that others have their turn in between."""
    base = desk.base
    records = base.actors() if not under else base.children_of(under)
    found: list[ActorRecord] = []
    for at in range(0, len(records), COMPARED_SLICE):
        sliced = records[at : at + COMPARED_SLICE]
        found += [record for record in sliced if not sought or sought in record.label.casefold()]
        if len(records) > COMPARED_SLICE:
            await asyncio.sleep(0)
    pieces, shown = [], _first(base, found, sort, limit)
    for at in range(0, len(shown), SLICE):
        now = desk.now()
        rows = [base.describe(record, now) for record in shown[at : at + SLICE] if record.instance is not None]
        if rows:
            pieces.append(msgspec.json.encode(rows)[1:-1])
        if len(shown) > SLICE:
            await asyncio.sleep(0)
    desk.answer(asked, {"actors": msgspec.Raw(b"[" + b",".join(pieces) + b"]"), "total": len(found)})


def _first(base: LoopBase, found: list[ActorRecord], sort: str | None, limit: int) -> list[ActorRecord]:
    """So many of them in this order; of equals the elder first."""
    if sort is None:
        return found[:limit]
    if sort == BY_NAME:
        return nsmallest(limit, found, key=attrgetter("label"))
    if sort == RESTARTS:
        restarts = base.restarts.snapshot()
        return nlargest(limit, found, key=lambda record: restarts.get(record.label, 0))
    return nlargest(limit, found, key=SORTS[sort])


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
    desk.tell_first(record.label, AskSummary(ask))


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
