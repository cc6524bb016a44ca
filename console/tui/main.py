"""`limner console`: whether it can begin, and how it ends."""

from __future__ import annotations

import sys

from console.endings import USAGE, Quit
from console.reach import Daemon, call
from console.tui.app import ConsoleApp
from console.tui.link import BASE, Link
from system.version import own_version


def run(daemon: Daemon) -> None:
    """Shows the console until it is left. Raises Quit: no terminal, no connection, refused."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on stderr
        raise Quit(USAGE, "the console needs a terminal; limner admin is for scripts")
    call(daemon, "GET", f"{BASE}/status")  # what is wrong from the start is said on one line, not on a full screen
    ended = ConsoleApp(Link(daemon), daemon.url, own_version()).run()
    if isinstance(ended, Quit):
        raise ended
