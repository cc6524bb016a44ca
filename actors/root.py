"""Root: the top supervisor. Its children are the whole service, in the order in which they need each other.

Takes   what supervisor.py takes
Sends   what supervisor.py sends
Crash   the process ends: what is above us (systemd, a person, `make run`) starts it again, and the store has the rest.
        When the operator asked for it (`actor restart root`), runtime.py starts all of it again, in the same process.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.accounts import Accounts
from actors.console.actor import Console
from actors.gallery import Gallery
from actors.gate import Gate
from actors.janitor import Janitor
from actors.lobby import Lobby
from actors.monitor.actor import Monitor
from actors.queue.actor import Queue
from actors.scheduler import Scheduler
from actors.store import Store
from actors.supervisor import Child, Supervisor
from actors.tracer import Tracer


class Root(Supervisor):
    """Supervises everything of one standalone process."""

    CHILDREN = (
        Child("monitor", Monitor),
        Child("store", Store),
        Child("queue", Queue),
        Child("scheduler", Scheduler),
        Child("gallery", Gallery),
        Child("janitor", Janitor),
        Child("accounts", Accounts),
        Child("lobby", Lobby),
        Child("console", Console),
        Child("gate", Gate),
    )
    INTENSITY = 10

    def children(self) -> Iterable[Child]:
        return self.CHILDREN if self.process.traces is None else (*self.CHILDREN, Child("tracer", Tracer))
