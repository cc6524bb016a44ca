"""What operators ask of actors, by their names."""

from __future__ import annotations

import msgspec

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.shell import Kill
from protocol.client import ClientMistake


def tree(desk: Desk, asked: AskConsole) -> None:
    """All actors."""
    desk.answer(asked, {"actors": [msgspec.to_builtins(stats) for stats in desk.base.census()]})


def restart(desk: Desk, asked: AskConsole) -> None:
    """It dies as if by a fault; its supervisor starts it again."""
    name = asked.instruct.id or ""
    if desk.base.whereis(name) is None:
        raise ClientMistake("not_found", f"There is no actor {name}; `limner admin tree` shows them.")
    desk.changed(asked)  # first: it may be the gate's, or ours, or root's end
    desk.tell(name, Kill(f"restarted by {asked.user}"))


INSTRUCTIONS = {
    ("tree", "list"): tree,
    ("actors", "restart"): restart,
}
