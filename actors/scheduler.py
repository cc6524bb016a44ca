"""Scheduler: the ledger of capacity. Doles out tokens, which are leases on an account's places.

Takes   AccountUp, AccountDown, SlotFree, Renew (accounts);  LedgerOpen, Outdated, Next, LeaseVoided (queue);
        LeaseOverdue, Inspect, Survey (itself)
Sends   Demand, Withdraw, LeaseVoid, Capacity -> queue;  Token -> lobby (for the session);  Announce -> accounts;
        Surveyed -> monitor
Crash   a new epoch: accounts announce what they hold before they get grants
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from actors.monitor.messages import Surveyed
from actors.queue.messages import Capacity, Demand, LeaseVoid, LeaseVoided, LedgerOpen, Next, Outdated, Withdraw
from actors.shell import Shell
from core.ids import new_id
from core.tokens import BEGIN_S, Lease, Ledger
from system.message import Message

#: How often begun leases are looked at.
INSPECT_EACH_S = 15.0
#: How often the Monitor is told how many places are free.
SURVEY_EACH_S = 5.0


class AccountUp(Message, frozen=True):
    """An account can draw: its places, modes and weight, and the leases of the drawings it already holds."""

    account: str
    slots: int
    modes: tuple[str, ...]
    weight: float
    holding: tuple[str, ...]


class AccountDown(Message, frozen=True):
    """It gets no new work; what it holds stays held. `reason` is for people ("paused: moderation notice")."""

    account: str
    reason: str


class SlotFree(Message, frozen=True):
    """The account is done with this lease, however it ended. Twice is harmless."""

    account: str
    lease: str


class Renew(Message, frozen=True):
    """The account still works on this lease."""

    account: str
    lease: str


class Token(Message, frozen=True):
    """For a user's session: this job may be performed on this account, if it begins soon."""

    user: str
    job: str
    attempt: int
    lease: str
    account: str
    epoch: int


class Announce(Message, frozen=True):
    """To "accounts": a scheduler of this epoch is new here; let each account say AccountUp."""

    epoch: int


class LeaseOverdue(Message, frozen=True):
    """Has this grant begun?"""

    lease: str
    attempt: int


class Inspect(Message, frozen=True):
    """Time to look at all leases."""


class Survey(Message, frozen=True):
    """Time to tell of all places."""


class Scheduler(Shell):
    """Keeps core.tokens.Ledger, and tells what follows from it."""

    ACCEPTS = (
        *(AccountUp, AccountDown, SlotFree, Renew),
        *(LedgerOpen, Outdated, Next, LeaseVoided),
        *(LeaseOverdue, Inspect, Survey),
    )

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.epoch = 0
        self.capacity: Capacity | None = None

    def on_start(self) -> None:
        # Milliseconds since 1970: greater than any epoch before it, in this process and after a restart of it, unless
        # the clock was set back: then the Queue says so (Outdated).
        self.epoch = int(self.wall() * 1000)
        self.tell("accounts", Announce(self.epoch))
        self.after(INSPECT_EACH_S, Inspect())
        self.after(SURVEY_EACH_S, Survey())

    def summary(self) -> dict[str, Any]:
        pools = self.ledger.pools.values()
        return {
            "epoch": self.epoch,
            "accounts": len(pools),
            "accounts_up": sum(pool.up for pool in pools),
            "slots": sum(pool.slots for pool in pools),
            "leases": dict(Counter(lease.stage.value for pool in pools for lease in pool.leases.values())),
        }

    # --- accounts --------------------------------------------------------------------------------------------

    def receiveMsg_AccountUp(self, up: AccountUp, sender: Any) -> None:
        withdrawn = self.ledger.announce(up.account, up.slots, up.modes, up.weight, up.holding, self.now())
        self._withdraw(withdrawn)
        self._tell_capacity()
        self._ask(up.account)

    def receiveMsg_AccountDown(self, down: AccountDown, sender: Any) -> None:
        self._withdraw(self.ledger.down(down.account))
        self._tell_capacity()

    def receiveMsg_SlotFree(self, free: SlotFree, sender: Any) -> None:
        self._settle(free.lease)

    def receiveMsg_Renew(self, renewed: Renew, sender: Any) -> None:
        self._withdraw(self.ledger.renew(renewed.account, renewed.lease, self.now()))

    # --- queue -----------------------------------------------------------------------------------------------

    def receiveMsg_LedgerOpen(self, opened: LedgerOpen, sender: Any) -> None:
        self.capacity = None
        self._tell_capacity()
        self._ask_anew()

    def receiveMsg_Outdated(self, outdated: Outdated, sender: Any) -> None:
        if outdated.epoch >= self.epoch:
            self.epoch = outdated.epoch + 1
            self._ask_anew()

    def receiveMsg_Next(self, following: Next, sender: Any) -> None:
        # A grant of another epoch, or for a place that is gone, is taken back at once: the job waits at its head again.
        if following.epoch != self.epoch or not self.ledger.grant(
            following.lease, following.job, following.attempt, self.now()
        ):
            self.tell("queue", LeaseVoid(following.lease, following.job, following.attempt))
            return
        self.tell(
            "lobby",
            Token(
                following.user, following.job, following.attempt, following.lease, following.account, following.epoch
            ),
        )
        self.after(BEGIN_S, LeaseOverdue(following.lease, following.attempt))

    def receiveMsg_LeaseVoided(self, voided: LeaseVoided, sender: Any) -> None:
        if not voided.begun:
            self._settle(voided.lease)

    # --- time ------------------------------------------------------------------------------------------------

    def receiveMsg_LeaseOverdue(self, overdue: LeaseOverdue, sender: Any) -> None:
        lease = self.ledger.overdue(overdue.lease, overdue.attempt, self.now())
        if lease is not None:
            self._void(lease)

    def receiveMsg_Inspect(self, due: Inspect, sender: Any) -> None:
        for lease in self.ledger.all_overdue(self.now()):
            self._void(lease)  # again: a Queue that died has not heard it
        # A lease that is not renewed means: ask the account what it holds; never: use its place again (DESIGN).
        if self.ledger.stale_accounts(self.now()):
            self.tell("accounts", Announce(self.epoch))
        self.after(INSPECT_EACH_S, Inspect())

    def receiveMsg_Survey(self, due: Survey, sender: Any) -> None:
        names = {account.name for account in self.process.accounts}
        rows = tuple(row for row in self.ledger.places() if row[0][0] in names)
        self.tell("monitor", Surveyed("limner_tokens", rows))
        self.after(SURVEY_EACH_S, Survey())

    # --- what follows ----------------------------------------------------------------------------------------

    def _settle(self, lease: str) -> None:
        account = self.ledger.settle(lease)
        if account is not None:
            self._ask(account)

    def _ask_anew(self) -> None:
        """Ask for every free place again: whoever was asked has forgotten it."""
        self.ledger.forget_asked()
        for account in self.ledger.pools:
            self._ask(account)

    def _ask(self, account: str) -> None:
        """Ask the Queue for a job for every free place of the account; of equal accounts the idler one comes first."""
        for taken, lease in enumerate(self.ledger.ask(account, self._new_lease, self.now())):
            pool = self.ledger.pools[account]
            load = pool.load + taken / (pool.slots * pool.weight)
            self.tell("queue", Demand(lease.id, self.epoch, account, pool.modes, load))

    def _new_lease(self) -> str:
        return new_id("l", self.wall(), self.dice)

    def _void(self, lease: Lease) -> None:
        """It did not begin, as far as is known here; the Queue knows better."""
        self.tell("queue", LeaseVoid(lease.id, lease.job or "", lease.attempt))

    def _withdraw(self, leases: tuple[str, ...]) -> None:
        for lease in leases:
            self.tell("queue", Withdraw(lease))

    def _tell_capacity(self) -> None:
        capacity = Capacity(self.ledger.slots, self.ledger.modes)
        if capacity != self.capacity:
            self.capacity = capacity
            self.tell("queue", capacity)
