"""What the shell completes: names and ids of what there is, asked of the daemon if it answers at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import typer

COMPLETION_S_MAX = 1.0
#: More than anybody reads.
LENGTH_MAX = 100
#: The states of jobs (CONTRACT §5).
STATES = ("queued", "granted", "submitting", "undecided", "drawing", "keeping", "done", "failed", "cancelled")


def account_names(context: typer.Context, incomplete: str) -> list[str]:
    """Accounts whose names begin so."""
    return _those(_asked(context, "accounts", "accounts", "name"), incomplete)


def actor_names(context: typer.Context, incomplete: str) -> list[str]:
    """Actors whose names begin so."""
    return _those(_asked(context, "tree", "actors", "name", filter=incomplete or None, limit=LENGTH_MAX), incomplete)


def user_names(context: typer.Context, incomplete: str) -> list[str]:
    """Users whose names begin so."""
    return _those(_asked(context, "users", "users", "name", filter=incomplete or None, limit=LENGTH_MAX), incomplete)


def node_names(context: typer.Context, incomplete: str) -> list[str]:
    """Hosts whose names begin so."""
    return _those(_asked(context, "nodes", "nodes", "node"), incomplete)


def job_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Of the newest jobs those whose ids begin so."""
    return _those(_asked(context, "jobs", "jobs", "job", limit=LENGTH_MAX), incomplete)


def ids_of_its_kind(context: typer.Context, incomplete: str) -> list[str]:
    """What `describe` may be asked for, after the kind that stands before it."""
    kinds = {"account": account_names, "actor": actor_names, "user": user_names, "node": node_names, "job": job_ids}
    complete = kinds.get(str(context.params.get("kind")))
    return complete(context, incomplete) if complete else []


def job_states(incomplete: str) -> list[str]:
    """States whose names begin so."""
    return _those(STATES, incomplete)


def _those(names: Iterable[Any], incomplete: str) -> list[str]:
    return [name for name in names if isinstance(name, str) and name.startswith(incomplete)]


def _asked(context: typer.Context, path: str, rows: str, name: str, **query: Any) -> list[Any]:
    """A field of each row of a list of the daemon's. Nobody reads an error here: then there are none."""
    from console.admin.asked import BASE
    from console.endings import Quit
    from console.options import DATA
    from console.reach import call, find_daemon

    given = {key: value for key, value in query.items() if value is not None}
    try:
        daemon = find_daemon(_given(context, "url"), _given(context, "key"), DATA, "admin_key")
        told = call(daemon, "GET", f"{BASE}/{path}?{urlencode(given)}".rstrip("?"), wait_s=COMPLETION_S_MAX)
        return [each[name] for each in told[rows]]
    except (Quit, KeyError, TypeError, AttributeError):
        return []


def _given(context: typer.Context, name: str) -> str | None:
    """An option's value, wherever it stands on the line; else the environment's."""
    here = context
    while here is not None:
        if value := here.params.get(name):
            return str(value)
        here = here.parent  # type: ignore[assignment]
    return os.environ.get(f"LIMNER_{name.upper()}")
