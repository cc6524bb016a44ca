"""Progress: one line on a terminal that always says how far the drawing is; on anything else, silence."""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BAR_CHARS = 32


class Line:
    """A context manager; the line is gone when it ends, so that the result stands alone."""

    def __init__(self, stream: TextIO) -> None:
        self._live: Live | None = None
        if stream.isatty():
            console = Console(file=stream)
            self._live = Live(Text("connecting…"), console=console, transient=True, auto_refresh=False)

    def __enter__(self) -> Line:
        if self._live is not None:
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def wait(self, position: int | None, eta_s: float | None) -> None:
        """In the queue, at this place (None: no longer waiting, the rest will tell)."""
        if position is not None:
            self.say(f"place {position}" + (f" · {duration(eta_s)}" if eta_s is not None else ""))

    def advance(self, percent: int) -> None:
        """Being drawn."""
        row = Table.grid(padding=(0, 1))
        row.add_row("drawing", ProgressBar(total=100, completed=percent, width=BAR_CHARS), f"{percent:>3} %")
        self._show(row)

    def say(self, words: str) -> None:
        """Anything else."""
        self._show(Text(words))

    def _show(self, what: Table | Text) -> None:
        if self._live is not None:
            self._live.update(what, refresh=True)


def duration(seconds: float) -> str:
    """As people say it: 40 s, 3 min, 2 h."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
