"""`limner admin`: users and their keys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import Asked, changing, group, path_of, reading
from console.admin.completion import user_names
from console.admin.service import BeforeId, Limit, more
from console.admin.words import ago
from console.endings import USAGE, Quit
from console.show import Column, as_table


class Role(StrEnum):
    """What a key may do."""

    USER = "user"
    VIEWER = "viewer"
    ADMIN = "admin"


class Sort(StrEnum):
    """By what users are sorted; numbers: the most first."""

    NAME = "name"
    USED = "used"
    JOBS = "jobs"


Name = Annotated[str, typer.Argument(help="As `limner admin users` shows it.", autocompletion=user_names)]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever looks.")]
Plan = Annotated[str | None, typer.Option(help="A plan of the config.")]
user, key = group("Users."), group("Keys.")


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "users")(users)
    app.add_typer(user, name="user")
    app.add_typer(key, name="key")


def users(
    asked: Asked,
    sort: Annotated[Sort | None, typer.Option("--sort", help="By what.")] = None,
    filter: Annotated[str | None, typer.Option("--filter", help="Only those with this in their name.")] = None,
    limit: Limit = None,
    before: BeforeId = None,
) -> None:
    """Users, with what they used today and what waits."""
    asked.show(lambda: asked.list("users", "users", limit, before, sort=sort, filter=filter), _users)


def _users(told: dict[str, Any], out: TextIO) -> None:
    titles = (
        *("user", Column("plan", 2), "today", "waiting", "drawing", Column("jobs", 1)),
        *("banned", Column("since", 3, right=True), Column("id", 4, cut=False)),
    )
    rows = [
        (
            *(each["name"], each["plan"], f"{each['used']} of {each['daily']}", each["waiting"], each["drawing"]),
            *(each["jobs"], "banned" if each["banned"] else "", ago(each["created_at"]), each["user"]),
        )
        for each in told["users"]
    ]
    as_table(titles, rows, out)
    more(told, out)


@changing(user, "add")
def add(asked: Asked, name: str, plan: Plan = None) -> None:
    """Add a user; prints the user's key, once."""
    asked.change(f"Add the user {name}?", "users", name=name, plan=plan)


@changing(user, "ban")
def ban(asked: Asked, name: Name, reason: Reason = None) -> None:
    """Let a user in no more; what waits for them is cancelled and refunded."""
    asked.change(f"Ban {name}, and cancel what waits for them?", f"users/{path_of(name)}/ban", reason=reason)


@changing(user, "unban")
def unban(asked: Asked, name: Name, reason: Reason = None) -> None:
    """Let a banned user in again."""
    asked.change(f"Let {name} in again?", f"users/{path_of(name)}/unban", reason=reason)


@changing(user, "quota")
def quota(
    asked: Asked,
    name: Name,
    used: Annotated[int | None, typer.Option("--used", help="So many of today's drawings count as used.")] = None,
    plan: Plan = None,
) -> None:
    """Set what a user has used today, or give them another plan."""
    if used is None and plan is None:
        raise Quit(USAGE, "say what shall change: --used N, --plan PLAN, or both")
    what = " and ".join(
        [f"{used} used today"] * (used is not None) + [f"the plan {plan}"] * (plan is not None)
    )  # fmt: skip
    asked.change(f"Give {name} {what}?", f"users/{path_of(name)}/quota", used=used, plan=plan)


@changing(key, "new")
def new(asked: Asked, user: Name, role: Annotated[Role, typer.Option(help="What the key may do.")] = Role.USER) -> None:
    """Make another key for a user; prints it, once."""
    asked.change(f"Make a key of role {role} for {user}?", f"keys/{path_of(user)}/new", role=role)


@changing(key, "revoke")
def revoke(
    asked: Asked, key_id: Annotated[str, typer.Argument(metavar="ID", help="As `describe user NAME` shows it.")]
) -> None:
    """Make a key worthless, at once and for good."""
    asked.change(f"Revoke the key {key_id}?", f"keys/{path_of(key_id)}/revoke")
