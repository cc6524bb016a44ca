"""What the shell completes: the names of accounts, asked of the daemon if it answers at once."""

from __future__ import annotations

import os

import typer

COMPLETION_S_MAX = 1.0


def account_names(context: typer.Context, incomplete: str) -> list[str]:
    """Accounts whose names begin so. Nobody reads an error here: then there are none."""
    from console.admin.asked import BASE, Before
    from console.endings import Quit
    from console.options import DATA
    from console.reach import call, find_daemon

    before = context.find_object(Before)
    url = before.url if before is not None else None
    key = before.key if before is not None else None
    try:
        daemon = find_daemon(
            url or os.environ.get("LIMNER_URL"), key or os.environ.get("LIMNER_KEY"), DATA, "admin_key"
        )
        told = call(daemon, "GET", f"{BASE}/accounts", wait_s=COMPLETION_S_MAX)
        return [each["name"] for each in told["accounts"] if each["name"].startswith(incomplete)]
    except (Quit, ValueError, KeyError, TypeError):
        return []
