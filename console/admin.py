"""`limner admin …`: the operator's instructions as commands; what they do is in console/instructions.py."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from console.endings import REFUSED, USAGE, Quit
from console.options import DATA, Url

if TYPE_CHECKING:
    from console.reach import Daemon


class Form(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


class Role(StrEnum):
    """What a key may do."""

    USER = "user"
    VIEWER = "viewer"
    ADMIN = "admin"


admin = typer.Typer(help="The operator's instructions to a running daemon.")
users, keys, actors = typer.Typer(help="Users."), typer.Typer(help="Keys."), typer.Typer(help="Actors.")
account = typer.Typer(help="Discord accounts.")
admin.add_typer(users, name="user")
admin.add_typer(keys, name="key")
admin.add_typer(actors, name="actor")
admin.add_typer(account, name="account")

AdminKey = Annotated[
    str | None, typer.Option("--key", envvar="LIMNER_KEY", help="A key of role admin; else the demo's.")
]
Output = Annotated[Form, typer.Option("--output", "-o", help="How to print the answer.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@admin.command()
def status(url: Url = None, key: AdminKey = None, output: Output = Form.TABLE) -> None:
    """How the service does."""
    from console import instructions

    instructions.status(_operated(url, key), output is Form.JSON)


@admin.command()
def tree(url: Url = None, key: AdminKey = None, output: Output = Form.TABLE) -> None:
    """The actors, with what waits for them and what they died of."""
    from console import instructions

    instructions.tree(_operated(url, key), output is Form.JSON)


@admin.command()
def accounts(url: Url = None, key: AdminKey = None, output: Output = Form.TABLE) -> None:
    """The Discord accounts: who may work, who does, and why one does not."""
    from console import instructions

    instructions.accounts(_operated(url, key), output is Form.JSON)


@account.command("suspend")
def suspend_account(
    name: str,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks.")] = None,
    url: Url = None,
    key: AdminKey = None,
    output: Output = Form.TABLE,
    yes: Yes = False,
) -> None:
    """Take an account out of work until it is resumed; what it draws goes on."""
    from console import instructions

    daemon = _operated(url, key)
    _ask(f"Suspend the account {name}?", yes)
    instructions.suspend_account(daemon, name, reason, output is Form.JSON)


@account.command("resume")
def resume_account(
    name: str,
    url: Url = None,
    key: AdminKey = None,
    output: Output = Form.TABLE,
    yes: Yes = False,
) -> None:
    """Give a suspended account work again; what Discord wanted of it must be answered first, by a person."""
    from console import instructions

    daemon = _operated(url, key)
    _ask(f"Give the account {name} work again?", yes)
    instructions.resume_account(daemon, name, output is Form.JSON)


@users.command("add")
def add_user(
    name: str,
    plan: Annotated[str | None, typer.Option(help="A plan of the config  [free]")] = None,
    url: Url = None,
    key: AdminKey = None,
    output: Output = Form.TABLE,
    yes: Yes = False,
) -> None:
    """Add a user; prints the user's key, once."""
    from console import instructions

    daemon = _operated(url, key)
    _ask(f"Add the user {name}?", yes)
    instructions.add_user(daemon, name, plan, output is Form.JSON)


@keys.command("new")
def new_key(
    user: str,
    role: Annotated[Role, typer.Option(help="What the key may do.")] = Role.USER,
    url: Url = None,
    key: AdminKey = None,
    output: Output = Form.TABLE,
    yes: Yes = False,
) -> None:
    """Make another key for a user; prints it, once."""
    from console import instructions

    daemon = _operated(url, key)
    _ask(f"Make a key of role {role.value} for {user}?", yes)
    instructions.new_key(daemon, user, role.value, output is Form.JSON)


@actors.command("restart")
def restart_actor(
    name: Annotated[str, typer.Argument(metavar="ID", help="As `limner admin tree` shows it: account/fox-07.")],
    url: Url = None,
    key: AdminKey = None,
    output: Output = Form.TABLE,
    yes: Yes = False,
) -> None:
    """Let an actor die as if by a fault; its supervisor starts it again."""
    from console import instructions

    daemon = _operated(url, key)
    _ask(f"Restart {name}?", yes)
    instructions.restart_actor(daemon, name, output is Form.JSON)


def _operated(url: str | None, key: str | None) -> Daemon:
    from console.reach import find_daemon

    return find_daemon(url, key, DATA, "admin_key")


def _ask(question: str, yes: bool) -> None:
    """Raises Quit unless it shall be."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Quit(USAGE, "this changes something, and nobody is here to be asked: give --yes")
    if not typer.confirm(question, err=True):
        raise Quit(REFUSED, "nothing was changed")
