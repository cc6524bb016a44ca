"""Header: the one line that every screen has on top: how the service does. Pure, but for the widget that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from console.tui.history import History
from console.tui.words import SIGNS, WANTED_INTAKE, number, span, spark

SPARK_CHARS = 8
BETWEEN = "  "


@dataclass(frozen=True)
class Part:
    """A piece of the line; those of the least `worth` go first when it is too long."""

    words: str
    worth: int
    tone: str = ""


def parts_of(status: Mapping[str, Any], history: History) -> list[Part]:
    """What the line says."""
    jobs, wait, tokens, accounts = (status.get(name) or {} for name in ("jobs", "wait", "tokens", "accounts"))
    down = {name: accounts.get(name) or 0 for name in ("degraded", "paused", "exhausted", "suspended")}
    lying = sum(down.values())
    alarms = status.get("alarms") or []
    worst = "red" if any(each.get("level") == "red" for each in alarms) else "yellow"
    grave = "red" if down["paused"] or down["exhausted"] else worst  # suspended: its alarm knows whether as wanted
    intake = str(status.get("intake") or "open")
    parts = [
        Part("limner", 2),
        Part(f"jobs/s {number(jobs.get('per_s'))}", 8),
        Part(spark(history.per_s.last(SPARK_CHARS), SPARK_CHARS), 1),
        Part(f"queue {number(jobs.get('queued'))}", 9),
        Part(f"wait p50 {span(wait.get('p50_s'))}", 6),
        Part(f"p99 {span(wait.get('p99_s'))}", 4),
        Part(f"tokens {number(tokens.get('busy'))}/{number(tokens.get('slots'))}", 5),
        Part(f"accounts {number(accounts.get('up'))} up", 7),
    ]
    if lying:
        parts.append(Part(f"{SIGNS[grave]} {lying} down", 11, grave))
    if intake != "open":
        tone = "yellow" if intake in WANTED_INTAKE else "red"
        said = "queue paused" if intake == "paused" else f"intake stopped: {intake}"
        parts.append(Part(f"{SIGNS[tone]} {said}", 12, tone))
    parts.append(
        Part(f"{SIGNS[worst]} alarms {len(alarms)}", 13, worst) if alarms else Part("alarms 0", 3),
    )
    return parts


def fitted(parts: Sequence[Part], width: int) -> list[Part]:
    """Those that fit, in their order."""
    kept = [part for part in parts if part.words]
    while len(kept) > 1 and sum(cell_len(part.words) for part in kept) + len(BETWEEN) * (len(kept) - 1) > width:
        kept.remove(min(kept, key=lambda part: part.worth))
    return kept


class Header(Static):
    """The line itself."""

    def __init__(self) -> None:
        super().__init__(id="header", markup=False)
        self._parts: list[Part] = [Part("limner", 2)]

    def tell(self, status: Mapping[str, Any], history: History) -> None:
        """Another status."""
        self._parts = parts_of(status, history)
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        line = Content("")
        for at, part in enumerate(fitted(self._parts, self.size.width - 2)):
            gap = "" if at == 0 else " " if part.worth == 1 else BETWEEN
            line = (
                line
                + Content(gap)
                + Content.styled(part.words, {"yellow": "$warning", "red": "$error"}.get(part.tone, ""))
            )
        self.update(line)
