"""`limner admin`: Discord accounts."""

from __future__ import annotations

import sys
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import Asked, answered, changing, group, path_of, reading
from console.admin.completion import account_names
from console.admin.words import ago, seconds
from console.endings import USAGE, Quit
from console.show import Column, as_table

Name = Annotated[str, typer.Argument(help="As `limner admin accounts` shows it.", autocompletion=account_names)]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever looks.")]
account = group("Discord accounts.")


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "accounts")(accounts)
    app.add_typer(account, name="account")


def accounts(asked: Asked) -> None:
    """The Discord accounts: who works, and why one does not."""
    asked.show(lambda: asked.get("accounts"), _accounts)


def _accounts(told: dict[str, Any], out: TextIO) -> None:
    titles = (
        *("account", "state", "busy", Column("pace", 4), Column("done/h", 5), Column("failed/h", 3)),
        *(
            Column("drawing", 6, right=True),
            Column("since", 2, right=True),
            Column("reason", least=32),
            Column("ends", 1),
        ),
    )
    rows = [
        (
            each["name"],
            "draining" if each.get("draining") else each["state"],
            f"{each['busy']} of {each['slots']}",
            *(each.get("pace"), each.get("done"), each.get("failed"), seconds(each.get("seconds"))),
            *(ago(each["since"]) or "", each["reason"] or "", each["ends"] or ""),
        )
        for each in told["accounts"]
    ]
    as_table(titles, rows, out)


@changing(account, "add")
def add(
    asked: Asked,
    name: Annotated[str, typer.Argument(help="What it shall be called.")],
    kind: Annotated[str, typer.Option(help="bot or user")] = "bot",
    guild_id: Annotated[str | None, typer.Option(help="The server of its channel.")] = None,
    channel_id: Annotated[str | None, typer.Option(help="The channel that it draws in.")] = None,
    slots: Annotated[int | None, typer.Option(help="Drawings at once  [3]")] = None,
    weight: Annotated[float | None, typer.Option(help="Its share of the work  [1.0]")] = None,
    modes: Annotated[str | None, typer.Option(help="With commas  [fast,relax]")] = None,
    driver: Annotated[str | None, typer.Option(help="What it draws with  [midjourney]")] = None,
) -> None:
    """Add an account. Its token is read from the terminal, or a line of stdin; it is kept encrypted."""
    assert asked.daemon
    asked.confirm(f"Add the account {name}?")
    more = {"guild_id": guild_id, "channel_id": channel_id, "slots": slots, "weight": weight, "modes": modes}
    asked.tell(asked.post("accounts", name=name, token=_token(name), kind=kind, driver=driver, **more))


def _token(name: str) -> str:
    """Never an argument, which every user of the machine could read. Raises Quit."""
    if sys.stdin.isatty():
        asked = f"The token of {name} (it does not show)"
        token = str(answered(lambda: typer.prompt(asked, hide_input=True, err=True)))
    else:
        token = sys.stdin.readline()
    if not token.strip():
        raise Quit(USAGE, "there is no token: type it, or give it as a line of stdin")
    return token.strip()


@changing(account, "suspend")
def suspend(asked: Asked, name: Name, reason: Reason = None) -> None:
    """Take an account out of work until it is resumed; what it draws goes on."""
    asked.change(f"Suspend the account {name}?", f"accounts/{path_of(name)}/suspend", reason=reason)


@changing(account, "resume")
def resume(asked: Asked, name: Name) -> None:
    """Give a suspended account work again; what Discord wanted of it must be answered first, by a person."""
    asked.change(f"Give the account {name} work again?", f"accounts/{path_of(name)}/resume")


@changing(account, "drain")
def drain(asked: Asked, name: Name, reason: Reason = None) -> None:
    """Give an account no new work; what it has not begun goes elsewhere."""
    asked.change(f"Drain the account {name}?", f"accounts/{path_of(name)}/drain", reason=reason)


@changing(account, "remove")
def remove(asked: Asked, name: Name, reason: Reason = None) -> None:
    """Drain an account, and forget it and its token."""
    asked.change(f"Remove the account {name} for good?", f"accounts/{path_of(name)}/remove", reason=reason)


@changing(account, "slots", context_settings={"ignore_unknown_options": True})  # -1 is a number, and refused as one
def slots(asked: Asked, name: Name, count: Annotated[int, typer.Argument(metavar="N", help="At least 1.")]) -> None:
    """Let an account draw so many at once."""
    asked.change(f"Let {name} draw {count} at once?", f"accounts/{path_of(name)}/slots", slots=count)
