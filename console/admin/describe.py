"""`limner admin describe`: all that is known of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import Asked, path_of, reading
from console.admin.completion import ids_of_its_kind
from console.admin.words import ago
from console.show import BOLD, Column, as_pairs, as_table, styled


class Kind(StrEnum):
    """What can be described."""

    ACTOR = "actor"
    JOB = "job"
    USER = "user"
    ACCOUNT = "account"
    NODE = "node"


#: What must be read whole, to be copied.
WHOLE = frozenset({"job", "key", "nonce", "interaction_id", "message_id", "at", "account", "user"})
#: What is told of each part however narrow the terminal is.
FIRST = frozenset({"at", "state", "what", "outcome", "detail"})


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "describe")(describe)


def describe(
    asked: Asked,
    kind: Annotated[Kind, typer.Argument(help="What it is.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="Its name or id.", autocompletion=ids_of_its_kind)],
) -> None:
    """All that is known of one actor, job, user, account or node."""
    if kind is Kind.NODE:
        asked.show(lambda: _node(asked, id), _describe)
    else:
        asked.show(lambda: asked.get(f"{kind}s/{path_of(id)}"), _describe)


def _node(asked: Asked, id: str) -> Any:
    """There is no route of one node: there are few."""
    return asked.get(f"nodes/{path_of(id)}")


def _describe(told: dict[str, Any], out: TextIO) -> None:
    """What is single first, then what has parts, under its name."""
    plain = {name: value for name, value in told.items() if not _has_parts(value)}
    as_pairs({name: _timed(name, value) for name, value in plain.items()}, out, fold=True)
    for name, value in told.items():
        if not _has_parts(value):
            continue
        print("\n" + styled(name.replace("_", " "), BOLD, out), file=out)
        if isinstance(value, Mapping):
            as_pairs({inner: _timed(inner, each) for inner, each in value.items()}, out, fold=True)
        else:
            titles = list(dict.fromkeys(title for row in value for title in row))
            columns = [
                Column(title.replace("_", " "), 0 if title in FIRST else rank, title not in WHOLE)
                for rank, title in enumerate(titles)
            ]
            as_table(columns, [[row.get(title) for title in titles] for row in value], out, fold=True)


def _has_parts(value: Any) -> bool:
    return bool(value) and (
        isinstance(value, Mapping) or (isinstance(value, list) and all(isinstance(row, Mapping) for row in value))
    )


def _timed(name: str, value: Any) -> Any:
    """A moment with how long ago it was."""
    if isinstance(value, str) and (name.endswith("_at") or name == "since"):
        return f"{value} ({ago(value)} ago)"
    return value
