"""What operators ask of the queue."""

from __future__ import annotations

from typing import Any

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.monitor.messages import AskOverview, Overview
from actors.queue.orders import AskQueue, PauseQueue, QueuePaused, QueueStands
from protocol.client import ClientMistake
from storage.operations import Found
from storage.overseeing import Names, ReadNames

#: The Queue and the Monitor answer within this time, or have just died.
STANDS_S_MAX, ORDER_S_MAX = 2.0, 10.0
#: Between how many jobs of a page's last user wait and the user's id, in what names the next page.
BETWEEN, DIGITS_MAX = "~", 12
UNANSWERED = "The queue does not answer just now; try again in a moment."


def listed(desk: Desk, asked: AskConsole) -> None:
    """How the queue stands, and who waits most first."""
    limit, after = desk.limit(asked), _after(desk.query(asked, "before"))
    desk.check_not_suspended("queue")
    told: dict[str, QueueStands | Overview] = {}

    def heard(words: QueueStands | Overview) -> None:
        told[type(words).__name__] = words
        if len(told) == 2:
            desk.settled(ask)
            conclude()

    def conclude() -> None:
        stands, overview = told.get(QueueStands.__name__), told.get(Overview.__name__)
        if not isinstance(stands, QueueStands):
            desk.refuse(asked, "draining", UNANSWERED)
            return
        _name(desk, asked, stands, overview.service if isinstance(overview, Overview) else {})

    ask = desk.expect(STANDS_S_MAX, heard, conclude)
    desk.tell_first("queue", AskQueue(ask, limit, after))
    desk.tell_first("monitor", AskOverview(ask, hours=()))


def _after(before: str | None) -> tuple[int, str] | None:
    """Who stood last on the page before, by its `next`. Raises ClientMistake."""
    if before is None:
        return None
    waiting, between, user = before.partition(BETWEEN)
    if not (between and waiting.isascii() and waiting.isdecimal() and len(waiting) < DIGITS_MAX):
        raise ClientMistake("bad_frame", "before is the `next` of the page before.")
    return int(waiting), user


def _name(desk: Desk, asked: AskConsole, stands: QueueStands, service: dict[str, Any]) -> None:
    """The names of those who wait are read, and all is told."""

    def found(names: Found) -> None:
        known = names.names if isinstance(names, Names) else {}
        users = [
            {
                "user": each.user,
                "name": known.get(each.user),
                "waiting": each.waiting,
                "drawing": each.drawing,
                "weight": each.weight,
            }
            for each in stands.users
        ]
        wait, last = service.get("wait") or {}, stands.users[-1] if stands.more else None
        body = {
            "depth": stands.depth,
            "paused": stands.paused,
            "intake": service.get("intake"),
            "lanes": stands.lanes,
            "users": users,
            "next": f"{last.waiting}{BETWEEN}{last.user}" if last is not None else None,
            "wait_p50_s": wait.get("p50_s"),
            "wait_p99_s": wait.get("p99_s"),
        }
        desk.answer(asked, body)

    desk.store.lookup(ReadNames(tuple(each.user for each in stands.users)), found, desk.unread(asked))


def pause(desk: Desk, asked: AskConsole) -> None:
    """Intake goes on, no drawing begins, also after a restart."""
    _order(desk, asked, True)


def resume(desk: Desk, asked: AskConsole) -> None:
    """Drawings begin again."""
    _order(desk, asked, False)


def _order(desk: Desk, asked: AskConsole, paused: bool) -> None:
    desk.check_not_suspended("queue")

    def heard(told: QueuePaused) -> None:
        desk.settled(told.ask)
        if told.code is not None:
            desk.refuse(asked, told.code, "The store cannot take it just now; try again in a moment.")
        else:
            desk.changed(asked) if told.changed else desk.unchanged(asked)

    ask = desk.expect(ORDER_S_MAX, heard, lambda: desk.refuse(asked, "draining", UNANSWERED))
    desk.tell("queue", PauseQueue(paused, ask))


INSTRUCTIONS = {
    ("queue", "list"): listed,
    ("queue", "pause"): pause,
    ("queue", "resume"): resume,
}
