"""The command `limner console`. What it needs is imported when it is called: other commands start without it."""

from __future__ import annotations

from typing import Annotated

import typer

from console.options import DATA, Url

OperatorKey = Annotated[
    str | None, typer.Option("--key", envvar="LIMNER_KEY", help="A key of role admin or viewer; else the demo's.")
]


def console(url: Url = None, key: OperatorKey = None) -> None:
    """Watch a running daemon and put it right, full screen."""
    from console.reach import find_daemon
    from console.tui.main import run

    run(find_daemon(url, key, DATA, "admin_key"))
