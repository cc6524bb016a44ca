"""Endings: how a command ends (CONTRACT §1). Whoever finds out raises `Quit`; `runtime.main` says it and exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import TyperException

FAILED = 1
USAGE = 2
REFUSED = 3
NO_CONNECTION = 4
INTERRUPTED = 130


class Quit(Exception):
    """The command ends here, with this exit code and one line that says what to do."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        line = " ".join(message.split())  # it may hold what others wrote: nothing in it that a terminal would obey
        self.code, self.message = code, "".join(letter if letter.isprintable() else "?" for letter in line)


def mistaken(mistake: TyperException) -> Quit:
    """What is wrong with a command line, and where its own help is."""
    message = " ".join(mistake.format_message().split()).replace("Value error, ", "").rstrip(".")
    context = getattr(mistake, "ctx", None)
    verbs = getattr(getattr(context, "command", None), "commands", None)
    if verbs and message.startswith("Missing command"):
        message += f": {', '.join(verbs)}"
    path = context.command_path if context is not None else "limner"
    return Quit(getattr(mistake, "exit_code", USAGE), f"{message}; see {path} --help")


@contextmanager
def printing() -> Iterator[None]:
    """While an answer is printed. Raises Quit where it cannot be; BrokenPipeError: nobody reads on."""
    if sys.stdout is None:
        raise Quit(FAILED, "there is no standard output to print to")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        hush()
        raise Quit(FAILED, f"the answer cannot be printed: {error.strerror}") from None


def hush() -> None:
    """Nothing more is printed: what cannot be shall not be complained of at the exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
