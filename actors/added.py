"""Accounts that operators added: from what is stored of them to what the process knows, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actors.process import Process
from core.config import AGAINST_TERMS, AccountConfig, is_against_terms
from core.secret import key_bytes
from storage.added import AddedAccount

if TYPE_CHECKING:
    from storage.sealed import Seal

NO_KEY = "its token cannot be opened: the config has no `[store] token_key` (docs/CONFIG.md)"
WRONG_KEY = "its token cannot be opened: `[store] token_key` is not the one that it was added with"


def take_in(process: Process, stored: Iterable[AddedAccount]) -> None:
    """From now on these are the added accounts. Whom nobody can speak for is there too, with the reason."""
    stored = tuple(stored)
    if not stored:
        process.added, process.withheld = (), {}
        return
    from storage.sealed import without_token

    seal = seal_of(process)
    added, withheld = [], {}
    for each in stored:
        account = without_token(each)
        opened = _opened(process, seal, each, account)
        if isinstance(opened, str):
            withheld[account.name] = opened
        added.append(account if isinstance(opened, str) else opened)
    process.withheld, process.added = withheld, tuple(added)


def _opened(process: Process, seal: Seal | None, stored: AddedAccount, account: AccountConfig) -> AccountConfig | str:
    """The account with its token, or why it cannot be used."""
    from storage.sealed import WrongKey

    if is_against_terms(account, process.config.discord):
        return AGAINST_TERMS
    if seal is None:
        return NO_KEY
    try:
        return replace(account, token=seal.open(stored))
    except WrongKey:
        return WRONG_KEY


def seal_of(process: Process) -> Seal | None:
    """What tokens are sealed and opened with; None without a key in the config."""
    if process.config.store.token_key is None:
        return None
    from storage.sealed import Seal

    return Seal(key_bytes(process.config.store.token_key))
