"""Survey: a question to many at once, and whatever is known after a second: who asks, asks most when things are broken.

Accounts are asked how they do, the Monitor what it measures and, of the service as a whole, the Queue and the Store
what they have; who says nothing in time is missing from what was learnt. A suspended actor would answer when it is
resumed: nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from actors.account.messages import AskStanding, Standing, standing_of
from actors.console.desk import Desk
from actors.monitor.messages import AskOverview, Overview
from actors.shell import AskSummary, Summary
from core.config import AccountConfig
from core.health import Cause, Health
from storage.operations import CountJobs, Counts, Found
from system.message import Message

#: Whoever is well answers within this time.
ANSWER_S_MAX = 1.0
#: How many users and pictures there are takes the store a while to count, and changes little meanwhile.
COUNTS_S = 15.0
COUNTS = "counts"
#: Since when an account says nothing, nobody knows.
SILENT = Health().struck(Cause.STARTING, "it does not answer", 0.0)
HELD_WORDS, HELD_ENDS = "its actor is suspended", "`actor resume`"

Words: TypeAlias = Standing | Overview | Summary | Counts


class Survey:
    """One question to all of them, asked as soon as it is made.

    `then` is called with it once: when the living have answered, or time is up. `missing`: who said nothing, by name.
    """

    def __init__(
        self, desk: Desk, accounts: Iterable[AccountConfig], then: Callable[[Survey], None], service: bool = False
    ) -> None:
        """Asks the Monitor and these accounts; of the `service`, the Queue and the Store too, and no account's last
        hour."""
        self._desk, self._then, self._is_over = desk, then, False
        self.standings: dict[str, Standing] = {}
        self.overview: Overview | None = None
        self.queue: Summary | None = None
        self.counts: Counts | None = None
        self._ask = desk.expect(ANSWER_S_MAX, self._hear, self._conclude)
        accounts = tuple(accounts)
        hours = () if service else tuple(account.name for account in accounts)
        questions: dict[str, Message] = {"monitor": AskOverview(self._ask, hours)}
        questions |= {f"account/{account.name}": AskStanding(account.name, self._ask) for account in accounts}
        if service:
            questions["queue"] = AskSummary(self._ask)
        suspended = {record.label for record in desk.base.held}
        self._waits_for = {name for name in questions.keys() - suspended if desk.base.whereis(name) is not None}
        self.missing = set(questions)
        for name in sorted(self._waits_for):
            desk.tell_first(name, questions[name])
        if service:
            self.missing.add("store")
            self._waits_for.add("store")
            self._count()
        elif not self._waits_for:
            self._conclude()

    def standing(self, account: AccountConfig) -> Standing:
        """How the account says it does, or that it says nothing."""
        if (told := self.standings.get(account.name)) is not None:
            return told
        unknown = standing_of(SILENT, "", account.name, account.slots, ())
        record = self._desk.base.names.get(f"account/{account.name}")
        is_held = record is not None and record in self._desk.base.held
        return msgspec.structs.replace(unknown, reason=HELD_WORDS, ends=HELD_ENDS) if is_held else unknown

    def _hear(self, words: Words) -> None:
        match words:
            case Standing(account=account):
                self.standings[account] = words
                self._heard(f"account/{account}")
            case Overview():
                self.overview = words
                self._heard("monitor")
            case Summary():
                self.queue = words
                self._heard("queue")
            case Counts():
                self.counts = words
                self._heard("store")

    def _heard(self, name: str) -> None:
        self.missing.discard(name)
        self._forgo(name)

    def _forgo(self, name: str) -> None:
        """No more is waited for this one."""
        self._waits_for.discard(name)
        if not self._waits_for:
            self._conclude()

    def _conclude(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._desk.settled(self._ask)
            self._then(self)

    def _count(self) -> None:
        """What the store has counted lately, or counts now."""
        desk, lately = self._desk, self._desk.kept.get(COUNTS)
        if lately is not None and desk.now() - lately[0] < COUNTS_S:
            self._hear(lately[1])
            return

        def found(answer: Found) -> None:
            if not isinstance(answer, Counts):
                raise TypeError(f"the store answered {type(answer).__name__} to CountJobs")
            desk.kept[COUNTS] = (desk.now(), answer)
            self._hear(answer)

        desk.store.lookup(CountJobs(), found, lambda why: self._forgo("store"))
