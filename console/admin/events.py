"""`limner admin events`: the log's latest lines, and what comes."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any, TextIO

import typer

from console.admin.actors import Level
from console.admin.asked import STRANGE, Asked, note, reading
from console.endings import FAILED, NO_CONNECTION, Quit
from console.show import DIM, RED, YELLOW, as_json, cell, styled

FOLLOW_EACH_S = 1.0
PAGE = 1000
#: Fields that lead a program to more: where a line was said, and its job's spans.
FOR_PROGRAMS = frozenset({"logger", "trace", "actor_address"})
STYLES = {"warning": YELLOW, "error": RED, "critical": RED, "debug": DIM}


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "events")(events)


def events(
    asked: Asked,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="And what comes, until Ctrl-C.")] = False,
    level: Annotated[Level | None, typer.Option("--level", help="This grave at least.")] = None,
    filter: Annotated[str | None, typer.Option("--filter", help="Only lines with this somewhere in them.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many of the past  [100]")] = None,
    after: Annotated[int | None, typer.Option("--after", help="Later than the event of this id.")] = None,
) -> None:
    """The log's latest lines, oldest first."""
    if not follow:
        asked.show(lambda: asked.get("events", after=after, limit=limit, level=level, filter=filter), _events)
        return
    last, gone = after, False
    while True:
        try:
            told = asked.get("events", after=last, limit=limit if last is None else PAGE, level=level, filter=filter)
        except Quit as quit:
            if quit.code != NO_CONNECTION or last is None:
                raise
            if not gone:
                note(f"{quit.message}; trying again")
            gone = True
        else:
            if gone:
                note("the connection is back")
            gone = False
            last = _follow(asked, told)
        time.sleep(FOLLOW_EACH_S)


def _follow(asked: Asked, told: Any) -> int:
    """Prints what came, a line each; the id to go on from."""
    try:
        for event in told["events"]:
            as_json(event) if asked.to_json else print(_line(event, sys.stdout))
        sys.stdout.flush()
        return int(told["next"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Quit(FAILED, STRANGE) from None


def _events(told: dict[str, Any], out: TextIO) -> None:
    for event in told["events"]:
        print(_line(event, out), file=out)


def _is_news(name: str, value: Any, event: dict[str, Any]) -> bool:
    """Whether people learn something by this field; -o json has them all."""
    return value is not None and name not in FOR_PROGRAMS and event["actor"] != f"{name}/{value}"


def _line(event: dict[str, Any], out: TextIO) -> str:
    fields = "  ".join(
        f"{cell(name)}={cell(value)}" for name, value in event["fields"].items() if _is_news(name, value, event)
    )
    level = styled(event["level"].ljust(7), STYLES.get(event["level"], ""), out)
    words = "  ".join(part for part in (cell(event["event"]), fields) if part)
    return f"{event['at'][11:23]}  {level}  {cell(event['actor'] or '').ljust(18)}  {words}"
