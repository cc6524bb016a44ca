"""Scheduler: the ledger of capacity. Doles out tokens, which are leases on an account's places.

Takes   AccountUp, AccountDown, SlotFree, Renew, Next, LeaseVoided, Overdue
Sends   Demand, Withdraw, LeaseVoid -> queue;  Token -> lobby (for the session);  Announce -> accounts
Crash   a new epoch: accounts announce what they hold before they get grants
"""

from __future__ import annotations

from system.message import Message


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
