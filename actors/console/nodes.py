"""What operators ask of nodes: the processes that the service runs in. A daemon alone is one, with every role."""

from __future__ import annotations

from typing import Any

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from protocol.client import ClientMistake, rfc3339
from system.version import own_version

ROLES = ("core", "edge", "accounts")
UP, DRAINING = "up", "draining"


def listed(desk: Desk, asked: AskConsole) -> None:
    """All nodes."""
    desk.answer(asked, {"nodes": [_shown(desk)]})


def one(desk: Desk, asked: AskConsole) -> None:
    """One node."""
    _check(desk, asked)
    desk.answer(asked, _shown(desk))


def drain(desk: Desk, asked: AskConsole) -> None:
    """It takes no new jobs; those it has are drawn. Until it is resumed, or started again."""
    _check(desk, asked)
    if desk.process.drained_at is not None:
        desk.unchanged(asked)
        return
    desk.process.drained_at = desk.wall()
    desk.changed(asked)


def resume(desk: Desk, asked: AskConsole) -> None:
    """It takes new jobs again."""
    _check(desk, asked)
    if desk.process.drained_at is None:
        desk.unchanged(asked)
        return
    desk.process.drained_at = None
    desk.changed(asked)


def _shown(desk: Desk) -> dict[str, Any]:
    """This process, as operators see a node. `since`: when it came into this state."""
    process, base = desk.process, desk.base
    started_at = desk.wall() - (desk.now() - base.root.born_at)
    return {
        "node": process.node,
        "roles": ROLES,
        "state": UP if process.drained_at is None else DRAINING,
        "since": rfc3339(started_at if process.drained_at is None else process.drained_at),
        "actors": base.totals().actors,
        "sockets": len(process.sockets),
        "accounts": len(process.accounts),
        "version": own_version(),
    }


def _check(desk: Desk, asked: AskConsole) -> None:
    """Raises ClientMistake when another node is meant than there is."""
    if asked.instruct.id != desk.process.node:
        raise ClientMistake("not_found", f"There is no node {asked.instruct.id}; `limner admin nodes` shows them.")


INSTRUCTIONS = {
    ("nodes", "list"): listed,
    ("nodes", "show"): one,
    ("nodes", "drain"): drain,
    ("nodes", "resume"): resume,
}
