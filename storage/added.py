"""Accounts that operators add while Limner runs, and how many drawings at once they allow an account."""

from __future__ import annotations

from msgspec import Struct


class AddedAccount(Struct, frozen=True):
    """An account as stored. `settings`: JSON of core.account_config's keys but the token; `token` is sealed."""

    name: str
    settings: str
    token: bytes


class AddAccount(Struct, frozen=True, tag=True):
    """A new account. Answers Applied, or Refused `ref_conflict` when the name is taken."""

    account: AddedAccount
    at: float


class DropAccount(Struct, frozen=True, tag=True):
    """Forget an added account with all that is stored of its being there: its gateway session, suspension and slots.

    Answers Applied, or Stale when none of that name was added. What it drew stays.
    """

    account: str


class ReadAccounts(Struct, frozen=True, tag=True):
    """All added accounts. Answers AddedAccounts."""


class AddedAccounts(Struct, frozen=True, tag=True):
    """The earliest first."""

    accounts: tuple[AddedAccount, ...]


class SaveSlots(Struct, frozen=True, tag=True):
    """How many drawings at once the operator allows; None: as many as its config says. Answers Applied."""

    account: str
    slots: int | None
    at: float


class ReadSlots(Struct, frozen=True, tag=True):
    """Answers SlotsRecord, or Nothing when its config decides."""

    account: str


class SlotsRecord(Struct, frozen=True, tag=True):
    """What the operator allows."""

    account: str
    slots: int


AddedWrite = AddAccount | DropAccount | SaveSlots
AddedRead = ReadAccounts | ReadSlots
AddedFound = AddedAccounts | SlotsRecord
