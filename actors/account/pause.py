"""Pause: what puts an account out of work until the operator says otherwise, kept so that no restart ends it.

What Discord says anew at each start (a wrong token, a closed gateway) is not kept here: core/health.py says what is.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.account.messages import Obeyed
from actors.store_client import StoreAsker
from core.health import Cause, Trouble
from storage.operations import Fence, Found, ReadSuspension, SaveSuspension, SuspensionRecord, Written

#: The beginnings of notices' titles, in lower case, the first that fits counts; protocol/drawing_text.py has them all.
NOTICES = (
    ("action ", Cause.CAPTCHA),
    ("blocked", Cause.BLOCKED),
    ("credits ", Cause.CREDITS),
    ("subscription ", Cause.CREDITS),
    ("plan ", Cause.CREDITS),
)


def cause_of_notice(title: str) -> Cause:
    """What a notice of the drawing bot's that pauses the account is about."""
    lowered = title.strip().lower()
    return next((cause for beginning, cause in NOTICES if lowered.startswith(beginning)), Cause.MODERATION)


class Pause:
    """One an account. `kept` is what shall be; the store is told, one write at a time, until it has just that."""

    __slots__ = ("_owner", "_stored", "_unanswered", "_writing", "kept")

    def __init__(self, owner: StoreAsker) -> None:
        self._owner = owner
        self.kept: Trouble | None = None
        self._stored: Trouble | None = None
        self._writing = False
        self._unanswered: list[Obeyed] = []

    def read(self, then: Callable[[], None]) -> None:
        """What the store has, past all that an earlier life of the account has sent there; then call `then()`."""

        def found(record: Found) -> None:
            if isinstance(record, SuspensionRecord):
                self.kept = self._stored = Trouble(Cause(record.cause), record.at, record.reason)
            then()

        store = self._owner.store
        store.commit(
            Fence(self._owner.wall()), lambda outcome: store.lookup(ReadSuspension(self._owner.subject), found)
        )

    @property
    def is_stored(self) -> bool:
        """Whether a process that is started now would know."""
        return self.kept == self._stored and not self._writing

    def set(self, kept: Trouble | None) -> None:
        """From now on this."""
        self.kept = kept
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
        self._writing, kept = True, self.kept

        def saved(outcome: Written) -> None:
            self._writing, self._stored = False, kept
            self.keep()

        def refused(why: str) -> None:
            self._writing = False

        subject = self._owner.subject
        if kept is None:
            write = SaveSuspension(subject, None, self._owner.wall())
        else:
            write = SaveSuspension(subject, kept.words, kept.since, kept.cause)
        self._owner.store.commit(write, saved, refused)
