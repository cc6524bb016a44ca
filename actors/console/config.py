"""What operators ask of the config: as it is in force, and to read its file again.

Applied at once is what actors read anew whenever they need it (`[plans]`, `[limits]`, `[prompts]`, `[pacing]`), and
which accounts there are; who keeps something of it is told (`Reconfigured`). All else holds from the next start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from actors.console.desk import Desk
from actors.console.messages import AskConsole, Reconfigured
from actors.queue.messages import AccountsChanged
from core.config import AccountConfig, Config, ConfigMistake, Secret
from protocol.client import ClientMistake

AT_ONCE = ("plans", "limits", "prompts", "pacing")
HIDDEN = "…"
NO_FILE = "The daemon was started without a config file: there is nothing to read again."


def shown(value: Any) -> Any:
    """A config, or a part of it, as JSON without secrets: also not those that are part of an address."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, str):
        return _without_password(value)
    if isinstance(value, Struct):
        return {name: shown(inner) for name, inner in structs.asdict(value).items()}
    if isinstance(value, Mapping):
        return {name: shown(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shown(inner) for inner in value]
    return value


def _without_password(text: str) -> str:
    scheme, slashes, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    if not slashes or "@" not in authority:
        return text
    return f"{scheme}://{HIDDEN}@{authority.rpartition('@')[2]}{slash}{path}"


def listed(desk: Desk, asked: AskConsole) -> None:
    """As it is in force, with the accounts that operators added."""
    desk.answer(asked, shown(desk.process.config) | {"accounts": shown(desk.process.accounts)})


def reload(desk: Desk, asked: AskConsole) -> None:
    """Read the file again. A file that is wrong changes nothing."""
    process = desk.process
    if process.reread is None:
        raise ClientMistake("not_found", NO_FILE)
    try:
        fresh = process.reread()
    except ConfigMistake as mistake:
        raise ClientMistake("bad_frame", f"{mistake}; nothing was changed.") from None
    before = process.config
    after = taken_over(before, fresh)
    applied, needs_restart = list(differences(before, after)), list(differences(after, fresh))
    if applied:
        process.config = after
        for name in ("gate", "queue"):
            desk.tell(name, Reconfigured())
        if before.accounts != after.accounts:
            desk.tell("accounts", AccountsChanged())
    desk.answer(asked, {"ok": True, "changed": bool(applied), "applied": applied, "needs_restart": needs_restart})


def taken_over(before: Config, fresh: Config) -> Config:
    """What is in force once the file was read: of an account that was there and is yet, its old settings."""
    known = {account.name: account for account in before.accounts}
    accounts = tuple(known.get(account.name, account) for account in fresh.accounts)
    changes: dict[str, Any] = {table: getattr(fresh, table) for table in AT_ONCE}
    return structs.replace(before, **changes, accounts=before.accounts if accounts == before.accounts else accounts)


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The dotted keys in which two configs differ; of accounts, their names."""
    if one == other:
        return
    parts, others = _parts(one), _parts(other)
    if parts is None or others is None:
        yield path
        return
    for name in dict.fromkeys((*parts, *others)):
        inner = f"{path}.{name}" if path else name
        if name in parts and name in others:
            yield from differences(parts[name], others[name], inner)
        else:
            yield inner


def _parts(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Struct):
        return structs.asdict(value)
    if isinstance(value, tuple) and value and all(isinstance(each, AccountConfig) for each in value):
        return {account.name: account for account in value}
    if isinstance(value, Mapping):
        return value
    return {} if value == () else None


INSTRUCTIONS = {
    ("config", "list"): listed,
    ("config", "reload"): reload,
}
