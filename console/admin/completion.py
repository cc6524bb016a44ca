"""What the shell completes: the names of accounts, asked of the daemon if it answers at once."""

from __future__ import annotations

import os

import typer

COMPLETION_S_MAX = 1.0


def account_names(context: typer.Context, incomplete: str) -> list[str]:
    """Accounts whose names begin so. Nobody reads an error here: then there are none."""
    from console.admin.asked import BASE
    from console.endings import Quit
    from console.options import DATA
    from console.reach import call, find_daemon

    try:
        daemon = find_daemon(_given(context, "url"), _given(context, "key"), DATA, "admin_key")
        told = call(daemon, "GET", f"{BASE}/accounts", wait_s=COMPLETION_S_MAX)
        return [each["name"] for each in told["accounts"] if each["name"].startswith(incomplete)]
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
