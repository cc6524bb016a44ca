"""What operators ask about the service as a whole."""

from __future__ import annotations

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from storage.operations import CountJobs, Counts, Found


def status(desk: Desk, asked: AskConsole) -> None:
    """How the service does, at one glance."""

    def counted(found: Found) -> None:
        if not isinstance(found, Counts):
            raise TypeError(f"the store answered {type(found).__name__} to CountJobs")
        totals = desk.base.totals()
        desk.answer(
            asked,
            {
                "jobs": found.jobs,
                "users": found.users,
                "images": found.images,
                "accounts": len(desk.process.config.accounts),
                "sockets": len(desk.process.sockets),
                "actors": totals.actors,
                "messages": totals.messages,
                "dead_letters": totals.dead_letters,
                "crashes": totals.crashes,
                "loop_lag_s": totals.loop_lag_s,
            },
        )

    desk.store.lookup(CountJobs(), counted, desk.unread(asked))


INSTRUCTIONS = {("status", "list"): status}
