"""What a session knows of its user, by reading the store: the base of the Session actor (see session.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable

from actors.store_client import StoreAsker
from core.ids import time_of
from core.quota import day_of, never_before
from storage.operations import Found, ReadUser, UserRecord

#: By whose midnight the first read of a user's quota is made; it is made again if the user's plan has another.
FIRST_PLAN = "free"
NEVER = float("-inf")
#: How long a plan that was read is good for: whoever draws a lot would have it read for every order.
PLAN_FRESH_S = 30.0


class SessionUser(StoreAsker):
    """Base of SessionWords."""

    def __init__(self) -> None:
        super().__init__()
        #: The newest seq known here; it is repeated by frames that take none.
        self.seq = 0
        self.plan = FIRST_PLAN
        self.read_at = NEVER
        #: When the latest of all jobs was accepted, as far as was read (Unix s): the Queue charges no day before it.
        self.latest_charge_at = 0.0

    def charged_at(self) -> float:
        """The moment whose day the Queue charges, as it reckons (Unix s): now, save when the clock was set back."""
        return never_before(self.latest_charge_at, self.wall())

    def with_plan(self, then: Callable[[str | None], None], refuse: Callable[[str], None]) -> None:
        """Calls `then` with the user's plan as it was PLAN_FRESH_S ago at most, None if there is no such user.

        `refuse` is called instead when the database cannot be read now.
        """
        if self.now() - self.read_at < PLAN_FRESH_S:
            then(self.plan)
        else:
            self.with_user(lambda user: then(user.plan if user is not None else None), refuse)

    def with_user(
        self,
        then: Callable[[UserRecord | None], None],
        refuse: Callable[[str], None] | None = None,
        patient: bool = False,
    ) -> None:
        """Calls `then` with the user's record, read now; with None when there is no such user. It is not kept: most
        users are silent. `refuse` and `patient` as in StoreClient.lookup.
        """
        day = day_of(self.charged_at(), self.process.config.plan(self.plan).timezone)

        def found(user: Found) -> None:
            if isinstance(user, UserRecord):
                self.seq, self.plan = max(self.seq, user.seq), sys.intern(user.plan)
                self.latest_charge_at = max(self.latest_charge_at, time_of(user.newest))
                if day_of(self.charged_at(), self.process.config.plan(user.plan).timezone) != day:
                    # Another plan, another midnight, or a clock set back over it: `used` is of the wrong day.
                    self.with_user(then, refuse, patient)
                    return
            known = user if isinstance(user, UserRecord) and not user.banned else None
            self.read_at = self.now() if known is not None else NEVER
            then(known)

        self.store.lookup(ReadUser(self.subject, day), found, refuse, patient)
