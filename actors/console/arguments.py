"""The arguments of an instruction: a body's values, or a query's texts, checked. All raise ClientMistake."""

from __future__ import annotations

import math
from typing import TypeVar

from actors.console.messages import AskConsole
from protocol.client import ClientMistake

Default = TypeVar("Default")


def one_of(asked: AskConsole, name: str, options: tuple[str, ...], default: Default) -> str | Default:
    """One of these words; `default` when it is not given."""
    value = asked.instruct.arguments.get(name)
    if value is None or value == "":
        return default
    if value not in options:
        raise ClientMistake("bad_frame", f"{name} is one of {', '.join(options)}.")
    return str(value)


def number(asked: AskConsole, name: str, default: float, least: float, most: float) -> float:
    """A number from `least` to `most`, both included."""
    value = asked.instruct.arguments.get(name)
    if value is None:
        return default
    try:
        found = math.nan if isinstance(value, bool | tuple) else float(value)
    except (ValueError, OverflowError):
        found = math.nan
    if not least <= found <= most:
        raise ClientMistake("bad_frame", f"{name} is a number from {least:.15g} to {most:.15g}.")
    return found


def whole(asked: AskConsole, name: str, default: int, least: int, most: int) -> int:
    """A whole number from `least` to `most`, both included."""
    found = number(asked, name, default, least, most)
    if found != int(found):
        raise ClientMistake("bad_frame", f"{name} is a whole number from {least} to {most}.")
    return int(found)
