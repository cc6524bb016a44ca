"""Endings: how a command ends (CONTRACT §1). Whoever finds out raises `Quit`; `runtime.main` says it and exits."""

from __future__ import annotations

FAILED = 1
USAGE = 2
REFUSED = 3
NO_CONNECTION = 4
INTERRUPTED = 130


class Quit(Exception):
    """The command ends here, with this exit code and one line that says what to do."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, " ".join(message.split())
