"""Why an account is out of work until the operator says otherwise: kept in the store, so that no restart ends it.

What Discord says anew at each start (a wrong token, a closed gateway) is not kept here.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.account_messages import Obeyed
from actors.store_client import StoreAsker
from storage.operations import Fence, Found, ReadSuspension, SaveSuspension, SuspensionRecord, Written


class Pause:
    """One an account. `reason` is what shall be; the store is told, one write at a time, until it has just that."""

    __slots__ = ("_owner", "_stored", "_unanswered", "_writing", "reason")

    def __init__(self, owner: StoreAsker) -> None:
        self._owner = owner
        self.reason: str | None = None
        self._stored: str | None = None
        self._writing = False
        self._unanswered: list[Obeyed] = []

    def read(self, then: Callable[[], None]) -> None:
        """What the store has, past all that an earlier life of the account has sent there; then call `then()`."""

        def found(record: Found) -> None:
            if isinstance(record, SuspensionRecord):
                self.reason = self._stored = record.reason
            then()

        store = self._owner.store
        store.commit(
            Fence(self._owner.wall()), lambda outcome: store.lookup(ReadSuspension(self._owner.subject), found)
        )

    @property
    def is_stored(self) -> bool:
        """Whether a process that is started now would know."""
        return self.reason == self._stored and not self._writing

    def set(self, reason: str | None) -> None:
        """From now on this."""
        self.reason = reason
        self.keep()

    def answer(self, ask: str | None, changed: bool) -> None:
        """Tell the console that it is so, as soon as it is stored; without `ask` nobody wants to know."""
        if ask is not None:
            self._unanswered.append(Obeyed(ask, changed))
            self.keep()

    def keep(self) -> None:
        """Store what is not stored yet. Called now and then too: a store in trouble refuses."""
        if self._writing:
            return
        if self.is_stored:
            for answer in self._unanswered:
                self._owner.tell("console", answer)
            self._unanswered = []
            return
        self._writing, reason = True, self.reason

        def saved(outcome: Written) -> None:
            self._writing, self._stored = False, reason
            self.keep()

        def refused(why: str) -> None:
            self._writing = False

        self._owner.store.commit(SaveSuspension(self._owner.subject, reason, self._owner.wall()), saved, refused)
