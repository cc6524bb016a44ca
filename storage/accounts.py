"""The table of added accounts, and that of the slots which operators set; storage.added says what is asked of them."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import delete, select

from storage.added import (
    AddAccount,
    AddedAccount,
    AddedAccounts,
    DropAccount,
    ReadAccounts,
    ReadSlots,
    SaveSlots,
    SlotsRecord,
)
from storage.connection import Connection
from storage.operations import Applied, Nothing, Refused, Stale
from storage.statements import Statement, given, insertion
from storage.tables import accounts, gateways, slots, suspensions
from storage.writing import Writing

_ALL = Statement(select(accounts.c.name, accounts.c.settings, accounts.c.token).order_by(accounts.c.at))
_NAMED = Statement(select(accounts.c.name).where(accounts.c.name == given("name")))
_ADD = Statement(insertion(accounts))
_DROP = Statement(delete(accounts).where(accounts.c.name == given("account")))
_SLOTS = Statement(select(slots.c.account, slots.c.slots).where(slots.c.account == given("account")))
_SET = Statement(insertion(slots))
_UNSET = Statement(delete(slots).where(slots.c.account == given("account")))
#: What is stored of an account's being there, besides the account itself.
_LEFT = (
    _UNSET,
    Statement(delete(gateways).where(gateways.c.account == given("account"))),
    Statement(delete(suspensions).where(suspensions.c.account == given("account"))),
)


def add_account(writing: Writing, write: AddAccount) -> Applied | Refused:
    """See AddAccount."""
    account = write.account
    if _NAMED.one(writing.connection, name=account.name) is not None:
        return Refused("ref_conflict", f"There is an account {account.name} already; choose another name.")
    _ADD.run(writing.connection, **asdict(account), at=write.at)
    return Applied()


def drop_account(writing: Writing, write: DropAccount) -> Applied | Stale:
    """See DropAccount."""
    if not _DROP.run(writing.connection, account=write.account):
        return Stale()
    for statement in _LEFT:
        statement.run(writing.connection, account=write.account)
    return Applied()


def save_slots(writing: Writing, write: SaveSlots) -> Applied:
    """See SaveSlots."""
    _UNSET.run(writing.connection, account=write.account)
    if write.slots is not None:
        _SET.run(writing.connection, **asdict(write))
    return Applied()


def read_accounts(connection: Connection, _read: ReadAccounts) -> AddedAccounts:
    """See ReadAccounts."""
    return AddedAccounts(tuple(AddedAccount(*row) for row in _ALL.all(connection)))


def read_slots(connection: Connection, read: ReadSlots) -> SlotsRecord | Nothing:
    """See ReadSlots."""
    row = _SLOTS.one(connection, account=read.account)
    return SlotsRecord(*row) if row is not None else Nothing()
