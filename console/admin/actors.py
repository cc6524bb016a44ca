"""`limner admin`: actors by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import Asked, changing, group, path_of, reading
from console.admin.completion import actor_names
from console.admin.words import seconds
from console.show import Column, as_table

INDENT = "  "
TOP = 20
Name = Annotated[
    str,
    typer.Argument(metavar="ID", help="As `limner admin tree` shows it: account/fox-07.", autocompletion=actor_names),
]


class Sort(StrEnum):
    """By what actors are sorted: numbers, the most first."""

    NAME = "name"
    DEPTH = "depth"
    RATE = "rate"
    RESTARTS = "restarts"
    UPTIME = "uptime"
    BUSY = "busy"


class Level(StrEnum):
    """How grave a line of the log must be to be said."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Filter = Annotated[str | None, typer.Option("--filter", help="Only those with this in their name.")]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.")]
actor = group("Actors.")


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "tree")(tree)
    reading(app, "top")(top)
    changing(app, "loglevel")(loglevel)
    app.add_typer(actor, name="actor")


def tree(
    asked: Asked,
    sort: Annotated[Sort | None, typer.Option("--sort", help="A list by this instead of a tree.")] = None,
    filter: Filter = None,
    under: Annotated[str | None, typer.Option("--under", help="Only the children of this actor.")] = None,
    limit: Limit = None,
) -> None:
    """The actors, with what waits for them and what they died of."""

    def get() -> Any:
        return asked.get("tree", sort=sort, filter=filter, under=under, limit=limit)

    asked.show(get, _list if sort or filter or under or limit else _tree)


def top(
    asked: Asked,
    sort: Annotated[Sort, typer.Option("--sort", help="By what.")] = Sort.RATE,
    filter: Filter = None,
    limit: Limit = TOP,
) -> None:
    """The busiest actors.

    By messages a second, unless something else is named.
    """
    asked.show(lambda: asked.get("tree", sort=sort, filter=filter, limit=limit), _list)


TITLES = (
    Column("actor", cut=False),
    *("mailbox", "msg/s", Column("busy", 4, right=True), Column("handled", 5), Column("restarts", 2)),
    *(Column("uptime", 3, right=True), "state", Column("last error", 1, least=24)),
)


def _tree(told: dict[str, Any], out: TextIO) -> None:
    as_table(TITLES, (_row(each, depth) for depth, each in _below(told["actors"])), out)


def _list(told: dict[str, Any], out: TextIO) -> None:
    as_table(TITLES, (_row(each) for each in told["actors"]), out)
    hidden = told.get("total", 0) - len(told["actors"])
    if hidden > 0:
        print(f"and {hidden:,} more", file=out)


def _row(each: dict[str, Any], depth: int = 0) -> tuple[Any, ...]:
    return (
        INDENT * depth + (each["name"] or each["address"]),
        each["depth"],
        round(each["rate"], 1),
        seconds(each["busy_s"]),
        each["handled"],
        each["restarts"],
        seconds(each["uptime_s"]),
        "suspended" if each["suspended"] else "",
        each["last_error"] or "",
    )


def _below(actors: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Children below their parents, with how deep they are."""
    known = {each["name"] or each["address"] for each in actors}
    children: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for each in actors:
        children[each["parent"] if each["parent"] in known else None].append(each)
    waiting = [(0, each) for each in reversed(children[None])]
    while waiting:
        depth, each = waiting.pop()
        yield depth, each
        below = children.get(each["name"] or each["address"], ())
        waiting += [(depth + 1, child) for child in reversed(below)]


@changing(actor, "restart")
def restart(asked: Asked, name: Name) -> None:
    """Let an actor die as if by a fault; its supervisor starts it again."""
    asked.change(f"Restart {name}?", f"actors/{path_of(name)}/restart")


@changing(actor, "suspend")
def suspend(asked: Asked, name: Name) -> None:
    """Let an actor's messages wait until it is resumed."""
    asked.change(f"Suspend {name}? Whoever waits for it waits too.", f"actors/{path_of(name)}/suspend")


@changing(actor, "resume")
def resume(asked: Asked, name: Name) -> None:
    """Let a suspended actor work off what waits, and go on."""
    asked.change(f"Resume {name}?", f"actors/{path_of(name)}/resume")


def loglevel(
    asked: Asked,
    name: Name,
    level: Annotated[Level, typer.Argument(help="What it says from now on: this, and what is graver.")],
    for_s: Annotated[float | None, typer.Option("--seconds", help="For how long  [300]")] = None,
) -> None:
    """Let one actor say more, or less, for a while."""
    path = f"actors/{path_of(name)}/loglevel"
    asked.change(f"Let {name} say what is of level {level}, or graver?", path, level=level, seconds=for_s)
