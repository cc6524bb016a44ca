"""Process: the live things of one process that no message can carry.

Actors reach it as `self.process`. It holds what is opened once (config, the socket table, links to Discord, the image
store, the pool for CPU work) and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from typing import Protocol

from core.config import AccountConfig, Config, Secret
from protocol.api import Answer
from protocol.buckets import InvalidBudget
from protocol.client import ServerFrame
from storage.pictures import Pictures
from system.boot import clock_id
from system.event_ring import EventRing
from system.host import Host
from system.links import Links
from system.log_levels import LogLevels
from system.tracing import Traces


class Door(Protocol):
    """The live end of a user's socket, or of one HTTP request: the web app puts it into the table, the Gate uses it."""

    def send(self, words: ServerFrame | Answer) -> None:
        """Queue it for the wire; never blocks. A door that is gone drops it."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code of CONTRACT §3."""


@dataclass
class Process:
    """One a process; made by runtime (or a test) before the actor system starts."""

    config: Config
    data: Path
    links: Links
    pictures: Pictures
    pool: Executor
    sockets: dict[str, Door] = field(default_factory=dict)
    database: str = ""
    demo_key: Secret | None = None
    #: Reads the config file again, as it was read at start; None: there is none. Raises ConfigMistake.
    reread: Callable[[], Config] | None = None
    #: The one thread that writes to the database. It outlives a Store that dies, whose last group it may still write.
    writer: Executor | None = None
    #: 401, 403 and 429 answers of Discord, counted for this host's address: too many ban it (protocol.buckets).
    invalid_answers: InvalidBudget = field(default_factory=InvalidBudget)
    #: What the machine gives us: memory, room on its disks; and whose monotonic seconds the loop counts.
    host: Host = field(default_factory=Host)
    clock: str | None = field(default_factory=clock_id)
    #: The latest lines of the log, and how much each actor says (console/logs.py fills the one and obeys the other).
    events: EventRing = field(default_factory=EventRing)
    log_levels: LogLevels = field(default_factory=LogLevels)
    #: Where the traces of jobs go; None: nobody asked for them.
    traces: Traces | None = None
    #: Accounts that operators added while the daemon ran; of some of them (by name) why nobody can speak for them.
    added: tuple[AccountConfig, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    #: Since when the operator has it take no new jobs (Unix s); None: it takes them.
    drained_at: float | None = None
    _all_accounts: tuple[AccountConfig, ...] = ()
    _all_of: tuple[object, object] = (None, None)

    @property
    def accounts(self) -> tuple[AccountConfig, ...]:
        """Those of the config and those that were added, of which one that is in the config too does not count.

        The same tuple, as long as neither are others.
        """
        if self._all_of[0] is not self.config.accounts or self._all_of[1] is not self.added:
            named = {account.name for account in self.config.accounts}
            self._all_of = (self.config.accounts, self.added)
            self._all_accounts = (
                *self.config.accounts,
                *(account for account in self.added if account.name not in named),
            )
        return self._all_accounts

    @property
    def node(self) -> str:
        """What operators call this process among those of the cluster."""
        return self.config.cluster.name if self.config.cluster else gethostname()
