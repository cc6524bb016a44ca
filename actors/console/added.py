"""How Discord accounts come and go while Limner runs: operators add them, with their tokens sealed, and remove them.

What is stored comes first: an account that is added is there also after a restart, and one that is removed is gone
when it has drawn what it held. Accounts of the config file come and go with that file.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors.account.messages import Vacant
from actors.added import seal_of, take_in
from actors.console.accounts import is_added, meant, take_out
from actors.console.desk import CHANGED, Desk
from actors.console.messages import AskConsole
from actors.queue.messages import AccountsChanged
from core.account_config import mistakes
from core.config import AGAINST_TERMS, AccountConfig, dotted, explain, is_against_terms
from core.health import Cause
from core.secret import Secret
from protocol.client import ClientMistake
from storage.added import AddAccount, AddedAccounts, DropAccount, ReadAccounts
from storage.operations import Found, Refused, Written

NO_KEY = "Set `[store] token_key` in the config first: tokens are kept sealed with it (docs/CONFIG.md)."
#: Under which the desk keeps who is being forgotten just now.
GOING = "going"
IN_CONFIG = (
    "{name} is in the config file: take it out there and restart. Until then `account drain {name}` keeps it from work."
)


def recall(desk: Desk) -> None:
    """At the console's start: one before it may have stored what it did not come to tell."""

    def found(answer: Found) -> None:
        if isinstance(answer, AddedAccounts) and [each.name for each in answer.accounts] != [
            account.name for account in desk.process.added
        ]:
            take_in(desk.process, answer.accounts)
            desk.tell("accounts", AccountsChanged())

    desk.store.lookup(ReadAccounts(), found)


def add(desk: Desk, asked: AskConsole) -> None:
    """A new account, which begins to work at once."""
    account = _described(asked.instruct.arguments)
    if any(account.name == known.name for known in desk.process.accounts):
        raise ClientMistake("ref_conflict", f"There is an account {account.name} already; choose another name.")
    if is_against_terms(account, desk.process.config.discord):
        raise ClientMistake("forbidden", f"{AGAINST_TERMS}.")
    seal = seal_of(desk.process)
    if seal is None:
        raise ClientMistake("forbidden", NO_KEY)

    def added(outcome: Written) -> None:
        if isinstance(outcome, Refused):
            desk.refuse(asked, outcome.code, outcome.message)
            return
        desk.process.added = (*desk.process.added, account)
        desk.tell("accounts", AccountsChanged())
        desk.changed(asked, CHANGED | {"account": account.name}, 201)

    desk.store.commit(AddAccount(seal.close(account), desk.wall()), added, desk.unstored(asked))


def _described(arguments: dict[str, Any]) -> AccountConfig:
    """The account that a body describes, in the keys of the config's. Raises ClientMistake, never naming a value."""
    given = {key: value for key, value in arguments.items() if value is not None}
    if isinstance(modes := given.get("modes"), str):
        given["modes"] = [mode.strip() for mode in modes.split(",")]
    try:
        account = msgspec.convert(given, AccountConfig, dec_hook=_secret)
    except msgspec.ValidationError as error:
        path, problem = explain(error)
        raise ClientMistake("bad_frame", f"{dotted(path)}: {problem}.") from None
    for key, problem in mistakes(account):
        raise ClientMistake("bad_frame", f"{key}: {problem}.")
    return account


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str) and value.isascii() and value.isprintable():
        return Secret(value.strip())
    raise ValueError("a token is printable ASCII")


def remove(desk: Desk, asked: AskConsole) -> None:
    """It gets no new work, and is gone for good when it has drawn what it holds; until then it can be resumed."""
    account = meant(desk, asked)
    if not is_added(desk, account):
        raise ClientMistake("forbidden", IN_CONFIG.format(name=account.name))
    take_out(desk, asked, Cause.LEAVING)


def vacated(desk: Desk, vacant: Vacant) -> None:
    """An account that is being removed holds nothing any more. It says so until it is gone; the first time counts."""
    process, name = desk.process, vacant.account
    going: set[str] = desk.kept.setdefault(GOING, set())

    def dropped(outcome: Written) -> None:
        process.added = tuple(account for account in process.added if account.name != name)
        process.withheld = {other: why for other, why in process.withheld.items() if other != name}
        going.discard(name)
        desk.log.info("account is removed", account=name)
        desk.tell("accounts", AccountsChanged())

    if name not in going and any(account.name == name and is_added(desk, account) for account in process.accounts):
        going.add(name)
        desk.store.commit(DropAccount(name), dropped)


INSTRUCTIONS = {
    ("accounts", "add"): add,
    ("accounts", "remove"): remove,
}
